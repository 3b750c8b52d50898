import Foundation

/// Something did not happen in time.
struct TooLate: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until there is an answer: for states of other processes that announce nothing.
///
/// - Parameters:
///   - what: what is awaited, for the failure.
///   - limit: generous, because it is only reached by a failure.
func pollUntil<Answer>(_ what: String, within limit: Duration = .seconds(30), _ ask: () async throws -> Answer?) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await ask() { return answer }
        guard ContinuousClock.now < deadline else { throw TooLate(description: "Not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// As above, for a condition.
func pollUntil(_ what: String, within limit: Duration = .seconds(30), _ holds: () async throws -> Bool) async throws {
    _ = try await pollUntil(what, within: limit) { try await holds() ? true : nil }
}

/// Ends work that hangs: a test must fail, not stand still.
func within<Value: Sendable>(
    _ limit: Duration, _ what: String, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TooLate(description: "Not within \(limit): \(what)")
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

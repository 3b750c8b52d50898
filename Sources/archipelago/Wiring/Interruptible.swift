import UnixSignals

/// Work that must clean up after itself when the user presses Ctrl-C.
enum Interruptible {
    /// Runs `body`; SIGINT and SIGTERM cancel it, and this returns only once it has ended.
    ///
    /// - Parameter onStop: what is done then, before `body` is cancelled; returns what the user is told.
    /// - Throws: what `body` throws; ``CommandFailure`` `failed` when it was stopped.
    static func run<Value: Sendable>(
        onStop: @escaping @Sendable () async -> String = { "Stopped." }, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
                throw CommandFailure(.failed, await onStop())
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}

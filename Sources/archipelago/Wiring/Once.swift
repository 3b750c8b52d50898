import Synchronization

/// A value that is known later, once; any number may wait for it.
final class Once<Value: Sendable>: Sendable {
    private enum Waiter {
        case waiting(CheckedContinuation<Value, any Error>)
        /// Cancelled before it began to wait.
        case cancelled
    }

    private struct State {
        var value: Value?
        var next = 0
        var waiters: [Int: Waiter] = [:]
    }

    private let state = Mutex(State())

    /// Makes the value known; later calls change nothing.
    func set(_ value: Value) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for case .waiting(let continuation) in waiters { continuation.resume(returning: value) }
    }

    /// The value, once it is known.
    ///
    /// - Throws: `CancellationError`.
    var value: Value {
        get async throws {
            let id = state.withLock { state in
                state.next += 1
                return state.next
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { wait(id, $0) }
            } onCancel: {
                cancel(id)
            }
        }
    }

    private func wait(_ id: Int, _ continuation: CheckedContinuation<Value, any Error>) {
        let result = state.withLock { state -> Result<Value, any Error>? in
            if let value = state.value { return .success(value) }
            if case .cancelled? = state.waiters.removeValue(forKey: id) { return .failure(CancellationError()) }
            state.waiters[id] = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    private func cancel(_ id: Int) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.value == nil else { return nil }
            let waiter = state.waiters.removeValue(forKey: id)
            if waiter == nil { state.waiters[id] = .cancelled }
            return waiter
        }
        if case .waiting(let continuation)? = waiter { continuation.resume(throwing: CancellationError()) }
    }
}

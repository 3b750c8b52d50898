import UnixSignals

/// Work that must clean up after itself when the user presses Ctrl-C.
enum Interruptible {
    /// Runs `body`; SIGINT and SIGTERM cancel it, and this returns only once it has ended.
    ///
    /// - Parameter onStop: what is done then, before `body` is cancelled; returns what the user is told. A second signal does not wait for it.
    /// - Throws: what `body` throws; ``CommandFailure`` `failed` when it was stopped.
    static func run<Value: Sendable>(
        onStop: @escaping @Sendable () async -> String = { "Stopped." }, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask { throw CommandFailure(.failed, try await words(onStop)) }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Waits for a signal and does what is done then.
    private static func words(_ onStop: @escaping @Sendable () async -> String) async throws -> String {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        return try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                // The one who listens: such a sequence can be iterated once.
                var count = 0
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                    count += 1
                    if count == 2 { return "Stopped at once; what was begun may go on." }
                    stop.yield()
                }
                throw CancellationError()
            }
            group.addTask {
                for await _ in stops { return await onStop() }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let words = try await group.next() else { throw CancellationError() }
            return words
        }
    }
}

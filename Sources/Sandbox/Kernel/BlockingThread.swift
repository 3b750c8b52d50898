import SandboxKernel

/// Threads for work that blocks, which must not hold a thread of the cooperative pool.
enum BlockingThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs the work on a thread of its own, all signals blocked, and returns at once.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        let work = Unmanaged.passRetained(Work(body))
        // Safety: the retain above keeps the work alive until the thread takes it over, exactly once.
        let result = kernel_start_thread(
            { context in
                guard let context else { return }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
            }, work.toOpaque())
        if result < 0 {
            work.release()
            throw SandboxError.systemCall("pthread_create", -result)
        }
    }

    /// Runs the work on a thread of its own and waits for its value. Cancelling the task does not stop it.
    static func value<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start { continuation.resume(with: Result { try work() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

import Dispatch
import Synchronization

/// Says whether the work's task was cancelled; asked often by long blocking work.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Makes a cancellation that was not asked for yet.
    public init() {}

    /// Asks the work to stop.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once `cancel` was called.
    func check() throws {
        if flag.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Runs blocking file work on threads of its own, never on Swift's cooperative pool.
///
/// At most `threadsMax` pieces run at once; the others wait in order, without a thread each.
final class BlockingQueue: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var threads = 0
    }

    private let queue: DispatchQueue
    private let threadsMax: Int
    private let state = Mutex(State())

    /// Makes the queue.
    ///
    /// - Parameters:
    ///   - label: the threads' name in a debugger.
    ///   - threadsMax: pieces of work at once, a count of at least 1.
    init(label: String, threadsMax: Int = 8) {
        precondition(threadsMax > 0, "a queue needs a thread")
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.threadsMax = threadsMax
    }

    private func enqueue(_ work: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.waiting.append(work)
            guard state.threads < threadsMax else { return false }
            state.threads += 1
            return true
        }
        if needsThread { queue.async { self.workThroughAll() } }
    }

    private func workThroughAll() {
        while true {
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard !state.waiting.isEmpty else {
                    state.threads -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            guard let next else { return }
            next()
        }
    }

    /// Runs blocking work and waits for it without blocking a thread of the caller.
    ///
    /// - Parameter work: the work; long work calls `check` on its argument between steps.
    /// - Throws: what the work throws; a `SystemError` becomes an `OCIError` `storage_failure`; `CancellationError`.
    func run<Result: Sendable>(_ work: @escaping @Sendable (Cancellation) throws -> Result) async throws -> Result {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
                enqueue {
                    continuation.resume(
                        with: Swift.Result {
                            do {
                                try cancellation.check()
                                return try work(cancellation)
                            } catch let error as SystemError {
                                throw error.storageFailure()
                            }
                        })
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }
}

import Dispatch
import Synchronization

/// Says whether the work's task was cancelled; asked often by long blocking work.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Makes a cancellation that was not asked for yet.
    init() {}

    /// Asks the work to stop.
    func cancel() { flag.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once `cancel` was called.
    func check() throws {
        if flag.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Runs blocking file work on threads of its own, never on Swift's cooperative pool.
///
/// At most `threadsMax` pieces run at once; the others wait in the queue, without a thread each.
final class BlockingQueue: Sendable {
    // Safety of concurrent use: OperationQueue-like bounds come from the fixed set of serial queues, chosen in turn.
    private let lanes: [DispatchQueue]
    private let next = Atomic<Int>(0)

    /// Makes the queue.
    ///
    /// - Parameters:
    ///   - label: the threads' name in a debugger.
    ///   - threadsMax: pieces of work at once, a count of at least 1.
    init(label: String, threadsMax: Int = 8) {
        precondition(threadsMax > 0, "a queue needs a thread")
        lanes = (0..<threadsMax).map { DispatchQueue(label: "\(label).\($0)") }
    }

    /// Runs blocking work and waits for it without blocking a thread of the caller.
    ///
    /// - Parameter work: the work; long work calls `check` on its argument between steps.
    /// - Throws: what the work throws; a `SystemError` becomes an `OCIError` `storage_failure`; `CancellationError`.
    func run<Result: Sendable>(_ work: @escaping @Sendable (Cancellation) throws -> Result) async throws -> Result {
        let cancellation = Cancellation()
        let lane = lanes[Int(next.wrappingAdd(1, ordering: .relaxed).oldValue.magnitude % UInt(lanes.count))]
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
                lane.async {
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

internal import Dispatch

/// Threads of its own for work that blocks: file access, and parsing of large documents.
///
/// The cooperative pool has one thread per core, and a blocked one is lost to every other task.
struct BlockingQueue: Sendable {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Runs the work on a thread of the queue; it is not stopped by cancellation, so it also suits cleaning up.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(ScanFailure) -> Value
    ) async throws(ScanFailure) -> Value {
        let result: Result<Value, ScanFailure> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result(catching: work))
            }
        }
        return try result.get()
    }
}

import SandboxKernel
import Synchronization

/// What ties the thread that keeps a cage to the task that waits for it: output goes one way, piece by piece and only when it is
/// asked for; the wish to stop goes the other way.
final class CageLink: Sendable {
    enum Event: Sendable {
        case output([UInt8])
        case ended(Result<JobEnd, any Error>)
    }

    private struct State {
        /// The task, while it waits for the next event.
        var waiting: CheckedContinuation<Event, Never>?
        var end: Result<JobEnd, any Error>?
        var isStopped = false
    }

    private let state = Mutex(State())
    /// Readable after the task has asked for output or wished to stop.
    private let wake: Descriptor

    init() throws { wake = Descriptor(taking: try checked("eventfd") { kernel_event() }) }

    var wakeDescriptor: CInt { wake.number }

    // MARK: The task's side

    /// Waits for the next piece of output or the end. One caller at a time; after the end, the end again.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state in
                if state.end == nil { state.waiting = continuation }
                return state.end
            }
            if let end { continuation.resume(returning: .ended(end)) } else { ring() }
        }
    }

    /// Hands output over piece by piece until the cage's thread is done, and cleaned up, whatever happens. One caller.
    ///
    /// - Throws: what the cage failed with; what the reader threw, which stops the job; `CancellationError`.
    func relay(_ onOutput: @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        var readerError: (any Error)?
        while true {
            switch await next() {
            case .output(let bytes):
                do {
                    try await onOutput(bytes)
                } catch {
                    readerError = error
                    stop()
                }
            case .ended(let end):
                // A stopped cage ends with a cancellation; any other failure of it weighs more than the reader's.
                if case .failure(let error) = end, !(error is CancellationError) { throw error }
                if let readerError, !Task.isCancelled { throw readerError }
                return try end.get()
            }
        }
    }

    /// Asks that the job be killed and its output dropped. Can be called at any time, also twice.
    func stop() {
        state.withLock { $0.isStopped = true }
        ring()
    }

    // MARK: The thread's side

    var isStopped: Bool { state.withLock { $0.isStopped } }
    var wantsOutput: Bool { state.withLock { $0.waiting != nil } }

    /// Hands over a piece of output. Only while ``wantsOutput`` holds.
    func deliver(_ bytes: [UInt8]) {
        let waiting = state.withLock { $0.waiting.take() }
        waiting?.resume(returning: .output(bytes))
    }

    func finish(_ end: Result<JobEnd, any Error>) {
        let waiting = state.withLock { state in
            state.end = end
            return state.waiting.take()
        }
        waiting?.resume(returning: .ended(end))
    }

    /// Takes back the wake-ups so far.
    func clearWake() {
        // The count itself means nothing, and that there is none is no error.
        _ = try? wake.read(atMost: 8)
    }

    private func ring() {
        let one: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        // A counter that is full is readable already.
        _ = try? wake.write(one[...])
    }
}

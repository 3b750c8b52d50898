import Synchronization

/// Hears the signals of one topic; for one task at a time.
///
/// Signals that come while the listener is busy are joined into one.
public final class SignalListener: AsyncSequence, AsyncIteratorProtocol, Sendable {
    /// Chosen: news that wait at most; what is older a listener reads from the database.
    public static let newsMax = 64

    private struct State {
        var isSignalled = false
        var mayBeMore = false
        var news: [any Sendable] = []
        var waiting: CheckedContinuation<Signal?, Never>?
    }

    private let state = Mutex(State())
    private let onEnd: @Sendable () -> Void

    /// - Parameter onEnd: called when nobody listens any more.
    init(onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

    deinit { onEnd() }

    /// Wakes the listener.
    public func wake(news: (any Sendable)? = nil) {
        let woken = state.withLock { state -> (CheckedContinuation<Signal?, Never>, Signal)? in
            if let waiting = state.waiting.take() { return (waiting, Signal(news: news.map { [$0] } ?? [], mayBeMore: news == nil)) }
            state.isSignalled = true
            if news == nil || state.news.count == Self.newsMax { state.mayBeMore = true }
            guard let news else { return nil }
            if state.news.count == Self.newsMax { state.news.removeFirst() }
            state.news.append(news)
            return nil
        }
        if let (waiting, signal) = woken { waiting.resume(returning: signal) }
    }

    /// Waits for a signal; `nil` when the task is cancelled.
    public func next() async -> Signal? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Signal?? in
                    if Task.isCancelled { return .some(nil) }
                    guard state.isSignalled else {
                        state.waiting = continuation
                        return nil
                    }
                    defer { (state.isSignalled, state.mayBeMore, state.news) = (false, false, []) }
                    return Signal(news: state.news, mayBeMore: state.mayBeMore)
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            state.withLock { $0.waiting.take() }?.resume(returning: nil)
        }
    }

    /// The listener itself.
    public func makeAsyncIterator() -> SignalListener { self }
}

import Synchronization

/// The embedded bus: topics and listeners of one process.
public final class InProcessBus: SignalBus {
    private struct Weak {
        weak var listener: SignalListener?
    }

    private struct Listeners {
        var next = 0
        var byTopic: [String: [Int: Weak]] = [:]
    }

    private let listeners = Mutex(Listeners())

    /// A bus without listeners.
    public init() {}

    public func signal(_ topic: String, news: (any Sendable)?) {
        let waiting = listeners.withLock { $0.byTopic[topic].map { $0.values.compactMap(\.listener) } ?? [] }
        for listener in waiting { listener.wake(news: news) }
    }

    public func signals(on topic: String) -> SignalListener {
        let id = listeners.withLock { listeners in
            listeners.next += 1
            return listeners.next
        }
        let listener = SignalListener { [weak self] in
            self?.listeners.withLock { listeners in
                listeners.byTopic[topic]?[id] = nil
                if listeners.byTopic[topic]?.isEmpty == true { listeners.byTopic[topic] = nil }
            }
        }
        listeners.withLock { $0.byTopic[topic, default: [:]][id] = Weak(listener: listener) }
        return listener
    }

    /// Listeners over all topics.
    public var listenerCount: Int { listeners.withLock { $0.byTopic.values.reduce(0) { $0 + $1.count } } }
}

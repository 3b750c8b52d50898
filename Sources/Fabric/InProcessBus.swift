import Synchronization

/// The embedded bus: topics and listeners of one process.
public final class InProcessBus: SignalBus {
    private struct Listeners {
        var next = 0
        var byTopic: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
    }

    private let listeners = Mutex(Listeners())

    /// A bus without listeners.
    public init() {}

    public func signal(_ topic: String) {
        let waiting = listeners.withLock { $0.byTopic[topic].map { Array($0.values) } ?? [] }
        for continuation in waiting { continuation.yield() }
    }

    public func signals(on topic: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = listeners.withLock { listeners in
            listeners.next += 1
            listeners.byTopic[topic, default: [:]][listeners.next] = continuation
            return listeners.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.listeners.withLock { listeners in
                listeners.byTopic[topic]?[id] = nil
                if listeners.byTopic[topic]?.isEmpty == true { listeners.byTopic[topic] = nil }
            }
        }
        return stream
    }

    /// Listeners over all topics.
    public var listenerCount: Int { listeners.withLock { $0.byTopic.values.reduce(0) { $0 + $1.count } } }
}

/// Wakes whoever waits for news on a topic.
///
/// A signal says only "look again"; what is new stands in the database. So a slow listener costs little memory, a lost signal
/// costs nothing once the next one comes, and a bus between machines needs no more than this. A signal may carry what is new, to
/// save listeners of the same process the look: whoever listens must be content without.
public protocol SignalBus: Sendable {
    /// Wakes every listener of a topic; returns at once.
    ///
    /// - Parameter news: what is new; a bus may leave it out.
    func signal(_ topic: String, news: (any Sendable)?)

    /// Listens to a topic until the listener is let go or its task is cancelled.
    ///
    /// Listen first and read the state afterwards: then no news can be missed.
    func signals(on topic: String) -> SignalListener
}

extension SignalBus {
    /// Wakes every listener of a topic to look again; returns at once.
    public func signal(_ topic: String) { signal(topic, news: nil) }
}

/// What a listener is woken by.
public struct Signal: Sendable {
    /// What the signals since the last one carried, the oldest first; the newest ``SignalListener/newsMax`` of it.
    public let news: [any Sendable]
    /// Whether one of them carried nothing, or news was left out, so that there may be more than ``news`` tells.
    public let mayBeMore: Bool
}

/// Wakes whoever waits for news on a topic.
///
/// A signal says only "look again"; what is new stands in the database. So a slow listener costs no memory, a lost signal
/// costs nothing once the next one comes, and a bus between machines needs no more than this.
public protocol SignalBus: Sendable {
    /// Wakes every listener of a topic; returns at once.
    func signal(_ topic: String)

    /// Listens to a topic until the sequence's iteration ends or its task is cancelled.
    ///
    /// Signals that come while the listener is busy are joined into one. Listen first and read the state afterwards: then
    /// no news can be missed.
    func signals(on topic: String) -> AsyncStream<Void>
}

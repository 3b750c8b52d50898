/// The connection of one Island, as the coordinator uses it; messages are whole texts.
public protocol IslandChannel: Sendable {
    /// The next message; `nil` when the connection is over. Not called again before it has returned.
    func receive() async throws -> String?
    /// Sends a message; suspends while the connection is full.
    func send(_ text: String) async throws
    /// How long an answer of the Island takes, as last measured; `nil` before it was.
    var roundTrip: Duration? { get }
    /// Ends the connection and says why.
    func close(reason: String) async
}

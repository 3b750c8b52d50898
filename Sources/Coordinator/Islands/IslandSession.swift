import Domain
import IslandLink

/// One connection of one Island.
final class IslandSession: Sendable {
    let number: Int
    let island: String
    /// Messages on their way to the Island, in order.
    let outbound: AsyncStream<CoordinatorMessage>
    private let continuation: AsyncStream<CoordinatorMessage>.Continuation

    /// Chosen: an Island that does not read this many messages is as good as gone.
    private static let outboundMax = 4096

    init(number: Int, island: String) {
        self.number = number
        self.island = island
        (outbound, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.outboundMax))
    }

    /// Queues a message; a full queue ends the connection, and the Island comes back with a clean one.
    func send(_ message: CoordinatorMessage) {
        if case .dropped = continuation.yield(message) { continuation.finish() }
    }

    /// Ends this connection because the Island opened a new one.
    func replace() { continuation.finish() }
}

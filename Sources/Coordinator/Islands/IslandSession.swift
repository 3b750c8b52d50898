import Domain
import IslandLink

/// One connection of one Island. Its state is touched by the ``Dispatcher`` alone.
final class IslandSession: @unchecked Sendable {
    // Safety: `held` and `isDrained` are read and written on the Dispatcher's actor only; the rest never changes.
    let number: Int
    let island: String
    let capabilities: IslandCapabilities
    /// Messages on their way to the Island, in order.
    let outbound: AsyncStream<CoordinatorMessage>
    var held: Set<AttemptID> = []
    var isDrained = false
    private let continuation: AsyncStream<CoordinatorMessage>.Continuation

    /// Chosen: an Island that does not read this many messages is as good as gone.
    private static let outboundMax = 4096

    init(number: Int, island: String, capabilities: IslandCapabilities) {
        self.number = number
        self.island = island
        self.capabilities = capabilities
        (outbound, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.outboundMax))
    }

    /// Queues a message; a full queue ends the connection, and the Island comes back with a clean one.
    func send(_ message: CoordinatorMessage) {
        if case .dropped = continuation.yield(message) { continuation.finish() }
    }

    /// Ends this connection because the Island opened a new one.
    func replace() { continuation.finish() }
}

/// How much one WebSocket connection may take and how long it may keep silent.
///
/// Memory held by one connection is at most about
/// `messageBytesMax + inboundBytesMax + outboundBytesMax + 256 KiB` (what the kernel hands over in one turn) plus one
/// outgoing message.
public struct WebSocketLimits: Sendable, Hashable {
    /// Longest incoming message after reassembly, in bytes, at least 1; one more closes with 1009.
    public var messageBytesMax: Int
    /// Longest payload of one incoming frame, in bytes, at least 1; one more closes with 1009.
    public var frameBytesMax: Int
    /// Bytes of received messages that may wait for the reader, at least 1; from there on the socket is not read.
    public var inboundBytesMax: Int
    /// Number of received messages that may wait for the reader, at least 1; from there on the socket is not read.
    public var inboundMessagesMax: Int
    /// Bytes of frames not yet handed to the kernel from which on `send` waits, at least 1. One message may go beyond it.
    public var outboundBytesMax: Int
    /// How often a ping is sent; `nil` sends none, and then a vanished peer is found by the kernel alone.
    public var pingInterval: Duration?
    /// How long after a ping the peer may keep silent before the connection counts as lost.
    public var pongTimeout: Duration
    /// How long after our Close frame the peer may take to answer before the socket is closed all the same.
    public var closeTimeout: Duration

    /// Chosen: 1 MiB messages (whoever carries a Cargo's frames sets the level's frame limit plus room for what is added
    /// to them), 256 KiB queues each way, a ping every 20 s and 20 s for the answer (common proxies cut after 60 s of
    /// silence), 5 s to close. `frameBytesMax` is `messageBytesMax` unless given.
    public init(
        messageBytesMax: Int = 1 << 20, frameBytesMax: Int? = nil, inboundBytesMax: Int = 1 << 18,
        inboundMessagesMax: Int = 1024, outboundBytesMax: Int = 1 << 18, pingInterval: Duration? = .seconds(20),
        pongTimeout: Duration = .seconds(20), closeTimeout: Duration = .seconds(5)
    ) {
        self.messageBytesMax = messageBytesMax
        self.frameBytesMax = frameBytesMax ?? messageBytesMax
        self.inboundBytesMax = inboundBytesMax
        self.inboundMessagesMax = inboundMessagesMax
        self.outboundBytesMax = outboundBytesMax
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.closeTimeout = closeTimeout
    }
}

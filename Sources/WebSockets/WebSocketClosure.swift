/// A status code of a Close frame (RFC 6455 §7.4 and the IANA registry).
public struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    /// The number, 1000–4999.
    public let rawValue: UInt16

    /// Any code; one that may not stand in a frame (see ``isSendable``) is never sent.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1000: the purpose is fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// 1001: the server goes down or the client leaves.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// 1002: the other side broke the protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// 1003: a kind of message that is not accepted here.
    public static let unacceptableData = WebSocketCloseCode(rawValue: 1003)
    /// 1005: never sent; the peer's Close frame had no code.
    public static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// 1006: never sent; the connection was lost without a Close frame.
    public static let abnormal = WebSocketCloseCode(rawValue: 1006)
    /// 1007: text that is not UTF-8.
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    /// 1008: against the rules of the one who closes.
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    /// 1009: a message is too big.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    /// 1011: something unexpected went wrong in the server.
    public static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// 1012: the server restarts.
    public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)
    /// 1013: try again later.
    public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)

    /// Whether the code may stand in a Close frame: 1000–1003, 1007–1014, 3000–4999.
    ///
    /// Source: RFC 6455 §7.4.1 and §7.4.2; 1012 to 1014 from the IANA WebSocket Close Code registry.
    public var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// How a connection ended.
public struct WebSocketClosure: Sendable, Hashable, CustomStringConvertible {
    /// The code of the first Close frame on the connection; ``WebSocketCloseCode/noStatus`` when it had none,
    /// ``WebSocketCloseCode/abnormal`` when there was no Close frame.
    public let code: WebSocketCloseCode
    /// The words beside the code, at most 123 bytes; empty when there were none.
    public let reason: String
    /// Whether the peer closed first (or vanished), and not this side.
    public let isByPeer: Bool

    /// The code and the reason for a log.
    public var description: String {
        "\(isByPeer ? "closed by the peer" : "closed here") with \(code.rawValue)\(reason.isEmpty ? "" : ": \(reason)")"
    }
}

/// One whole message, reassembled from its frames (RFC 6455 §5.6).
public enum WebSocketMessage: Sendable, Hashable {
    /// A text message; its bytes were valid UTF-8.
    case text(String)
    /// A binary message.
    case binary([UInt8])

    /// The text, or `nil` when the message is binary.
    public var text: String? { if case .text(let value) = self { value } else { nil } }

    /// The length of the message, in bytes.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}

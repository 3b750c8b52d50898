import NIOCore

/// What the peer sent.
enum WebSocketEvent: Hashable {
    case message(WebSocketMessage)
    case ping([UInt8])
    case pong
    case close(WebSocketCloseCode, reason: String)
}

/// Turns bytes into messages and control frames: RFC 6455 §5 and §6.2, without any I/O.
///
/// Payloads are unmasked and joined as they come in, so that at most `messageBytesMax` plus the last bytes appended
/// are held, however a peer cuts its frames.
struct WebSocketReceiver {
    private let messageBytesMax: Int
    private let frameBytesMax: Int
    private let isMasked: Bool
    private var buffer = ByteBuffer()
    /// The data frame that is being read, and how many bytes of its payload are still to come.
    private var frame: (header: WebSocketFrameHeader, rest: Int)?
    /// The message that is being reassembled: what kind it is, and its bytes so far.
    private var opcode: WebSocketOpcode?
    private var message = ByteBuffer()

    /// - Parameter isMasked: whether frames must come masked, that is whether this side is the server.
    init(limits: WebSocketLimits, isMasked: Bool) {
        messageBytesMax = limits.messageBytesMax
        frameBytesMax = limits.frameBytesMax
        self.isMasked = isMasked
    }

    /// Adds bytes from the wire.
    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// Takes the next event out of the bytes appended so far.
    ///
    /// - Returns: the event, or `nil` when more bytes are needed.
    /// - Throws: 1002, 1007 or 1009; the connection must then be failed, and the receiver not used again.
    mutating func next() throws(WebSocketFailure) -> WebSocketEvent? {
        let event = try takeEvent()
        // Lets go of the kernel's bytes: an idle connection holds none.
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return event
    }

    private mutating func takeEvent() throws(WebSocketFailure) -> WebSocketEvent? {
        while true {
            if let (header, rest) = frame {
                let taken = min(rest, buffer.readableBytes)
                takePayload(taken, of: header, before: header.length - rest)
                guard taken == rest else {
                    frame = (header, rest - taken)
                    return nil
                }
                frame = nil
                if header.isFinal { return .message(try finishMessage()) }
            } else {
                let start = buffer.readerIndex
                guard let header = try WebSocketFrameHeader.read(from: &buffer, isMasked: isMasked) else { return nil }
                if header.opcode.isControl {
                    guard let event = try takeControl(header) else {
                        buffer.moveReaderIndex(to: start)
                        return nil
                    }
                    return event
                }
                try begin(header)
            }
        }
    }

    private mutating func begin(_ header: WebSocketFrameHeader) throws(WebSocketFailure) {
        guard (header.opcode == .continuation) == (opcode != nil) else {
            throw WebSocketFailure(code: .protocolError, reason: "a fragment without its beginning, or a message inside another")
        }
        guard header.length <= frameBytesMax else {
            throw WebSocketFailure(code: .messageTooBig, reason: "a frame of more than \(frameBytesMax) bytes")
        }
        guard header.length <= messageBytesMax - message.readableBytes else {
            throw WebSocketFailure(code: .messageTooBig, reason: "a message of more than \(messageBytesMax) bytes")
        }
        if opcode == nil { opcode = header.opcode }
        frame = (header, header.length)
    }

    private mutating func takePayload(_ count: Int, of header: WebSocketFrameHeader, before offset: Int) {
        guard var slice = buffer.readSlice(length: count) else { return }
        let start = message.readableBytes
        message.writeBuffer(&slice)
        if let mask = header.mask { message.applyWebSocketMask(mask, from: start, offset: offset) }
    }

    private mutating func finishMessage() throws(WebSocketFailure) -> WebSocketMessage {
        let isText = opcode == .text
        opcode = nil
        // A fresh buffer, and not a cleared one: an idle connection keeps no memory of its largest message.
        defer { message = ByteBuffer() }
        guard isText else { return .binary(Array(message.readableBytesView)) }
        guard let text = String(validating: message.readableBytesView, as: UTF8.self) else {
            throw WebSocketFailure(code: .invalidPayload, reason: "a text message is not UTF-8")
        }
        return .text(text)
    }

    /// Takes a control frame's payload; `nil` when it is not all there.
    private mutating func takeControl(_ header: WebSocketFrameHeader) throws(WebSocketFailure) -> WebSocketEvent? {
        guard var payload = buffer.readSlice(length: header.length) else { return nil }
        if let mask = header.mask { payload.applyWebSocketMask(mask, from: 0, offset: 0) }
        switch header.opcode {
        case .ping: return .ping(Array(payload.readableBytesView))
        case .pong: return .pong
        case .close: return try Self.close(&payload)
        case .continuation, .text, .binary: return nil
        }
    }

    private static func close(_ payload: inout ByteBuffer) throws(WebSocketFailure) -> WebSocketEvent {
        guard payload.readableBytes > 0 else { return .close(.noStatus, reason: "") }
        guard let number = payload.readInteger(as: UInt16.self) else {
            throw WebSocketFailure(code: .protocolError, reason: "a Close frame of one byte")
        }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.isSendable else {
            throw WebSocketFailure(code: .protocolError, reason: "a Close frame with the reserved code \(number)")
        }
        guard let reason = String(validating: payload.readableBytesView, as: UTF8.self) else {
            throw WebSocketFailure(code: .invalidPayload, reason: "a Close frame's reason is not UTF-8")
        }
        return .close(code, reason: reason)
    }
}

import NIOCore

/// The operation of a frame (RFC 6455 §11.8).
enum WebSocketOpcode: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Whether frames of this kind may stand between the fragments of a message.
    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Why a connection must be failed (RFC 6455 §7.1.7), with the code to send.
struct WebSocketFailure: Error, Hashable {
    let code: WebSocketCloseCode
    let reason: String
}

/// The part of a frame before its payload (RFC 6455 §5.2).
struct WebSocketFrameHeader: Hashable {
    /// Longest payload of a control frame, in bytes. Source: RFC 6455 §5.5.
    static let controlBytesMax = 125

    var isFinal: Bool
    var opcode: WebSocketOpcode
    /// The masking key in network byte order, or `nil` for an unmasked frame.
    var mask: UInt32?
    /// Length of the payload, in bytes.
    var length: Int

    /// Takes a header from the front of the buffer.
    ///
    /// - Returns: the header, or `nil` (and the buffer untouched) when its bytes are not all there.
    /// - Throws: 1002 for reserved bits and opcodes, a mask where none or none where one belongs, a fragmented or long
    ///   control frame and a length not written in the shortest form.
    static func read(from buffer: inout ByteBuffer, isMasked: Bool) throws(WebSocketFailure) -> WebSocketFrameHeader? {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self) else { return nil }
        guard first & 0x70 == 0 else { throw WebSocketFailure(code: .protocolError, reason: "reserved bits are set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
            throw WebSocketFailure(code: .protocolError, reason: "reserved opcode \(first & 0x0F)")
        }
        guard let second = buffer.getInteger(at: start + 1, as: UInt8.self) else { return nil }
        guard (second & 0x80 != 0) == isMasked else {
            throw WebSocketFailure(code: .protocolError, reason: isMasked ? "a client's frame is not masked" : "a server's frame is masked")
        }
        let isFinal = first & 0x80 != 0
        let shortLength = Int(second & 0x7F)
        guard !opcode.isControl || (isFinal && shortLength <= controlBytesMax) else {
            throw WebSocketFailure(code: .protocolError, reason: "a control frame is fragmented or too long")
        }
        guard let (length, lengthBytes) = try readLength(shortLength, in: buffer, at: start + 2) else { return nil }
        var mask: UInt32?
        if isMasked {
            guard let key = buffer.getInteger(at: start + 2 + lengthBytes, as: UInt32.self) else { return nil }
            mask = key
        }
        buffer.moveReaderIndex(forwardBy: 2 + lengthBytes + (isMasked ? 4 : 0))
        return WebSocketFrameHeader(isFinal: isFinal, opcode: opcode, mask: mask, length: length)
    }

    private static func readLength(
        _ short: Int, in buffer: ByteBuffer, at index: Int
    ) throws(WebSocketFailure) -> (length: Int, bytes: Int)? {
        let notShortest = WebSocketFailure(code: .protocolError, reason: "a frame's length is not in its shortest form")
        switch short {
        case 126:
            guard let length = buffer.getInteger(at: index, as: UInt16.self) else { return nil }
            guard length > controlBytesMax else { throw notShortest }
            return (Int(length), 2)
        case 127:
            guard let length = buffer.getInteger(at: index, as: UInt64.self) else { return nil }
            guard length > UInt16.max, let length = Int(exactly: length) else { throw notShortest }
            return (length, 8)
        default:
            return (short, 0)
        }
    }

    /// Appends the header to the buffer.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeInteger((isFinal ? 0x80 : 0) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        if length <= Self.controlBytesMax {
            buffer.writeInteger(maskBit | UInt8(length))
        } else if let short = UInt16(exactly: length) {
            buffer.writeInteger(maskBit | 126)
            buffer.writeInteger(short)
        } else {
            buffer.writeInteger(maskBit | 127)
            buffer.writeInteger(UInt64(length))
        }
        if let mask { buffer.writeInteger(mask) }
    }
}

extension ByteBuffer {
    /// Applies a masking key (RFC 6455 §5.3) to the readable bytes from `start` (counted from the first readable one)
    /// to the end; `offset` is how many bytes of the payload came before them.
    mutating func applyWebSocketMask(_ key: UInt32, from start: Int, offset: Int) {
        // Safety: every access is inside `bytes`: a word is touched only when eight bytes from `index` on are left.
        withUnsafeMutableReadableBytes { bytes in
            let turned = key << UInt32(8 * (offset & 3)) | (offset & 3 == 0 ? 0 : key >> UInt32(32 - 8 * (offset & 3)))
            let word = (UInt64(turned) << 32 | UInt64(turned)).bigEndian
            var index = start
            while bytes.count - index >= 8 {
                let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
                bytes.storeBytes(of: value, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            var shift: UInt32 = 24
            while index < bytes.count {
                bytes[index] ^= UInt8(truncatingIfNeeded: turned >> shift)
                shift = shift == 0 ? 24 : shift - 8
                index += 1
            }
        }
    }

    /// Appends one whole frame.
    mutating func writeWebSocketFrame(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>, mask: UInt32?) {
        let header = WebSocketFrameHeader(isFinal: true, opcode: opcode, mask: mask, length: payload.count)
        header.write(to: &self)
        let start = readableBytes
        writeBytes(payload)
        if let mask { applyWebSocketMask(mask, from: start, offset: 0) }
    }
}

/// Reads one HTTP/1.1 answer of an engine, piece by piece. A pure state machine: it does no input or output.
///
/// Source: RFC 9112. Refused, because no engine sends it and a guess would be unsafe: two lengths that differ, a length beside
/// chunks, another transfer coding, a status line or size that is no number. Everything that is kept is bounded.
struct EngineResponse {
    /// Why an answer cannot be used.
    enum Malformed: Error, Hashable {
        case headTooLarge, statusLine, header, length, transferCoding, chunk, bodyTooLarge, cutOff
    }

    /// Most bytes of status line and headers. Chosen: the usual 300 bytes many times over.
    static let headBytesMax = 16384
    /// Most bytes of the line in front of a chunk, and of the lines behind the last. Source: a 64-bit size has 16 digits.
    private static let chunkLineBytesMax = 1024

    private enum State: Hashable {
        case head
        case sized(remaining: Int)
        case untilEnd
        case chunkLine
        case chunk(remaining: Int)
        case chunkEnd
        case trailer
        case complete
    }

    private let bodyBytesMax: Int
    private var state = State.head
    private var line: [UInt8] = []
    /// The status code once the head is read, 0 before.
    private(set) var status = 0
    /// What follows the head, with the chunks' frames taken off.
    private(set) var body: [UInt8] = []

    init(bodyBytesMax: Int) { self.bodyBytesMax = bodyBytesMax }

    /// Whether all of the answer is there.
    var isComplete: Bool { state == .complete }

    /// Takes the next bytes.
    ///
    /// - Returns: the bytes behind the end of the answer: after an upgrade, the first of the raw stream.
    mutating func take(_ bytes: [UInt8]) throws -> ArraySlice<UInt8> {
        var rest = bytes[...]
        while !rest.isEmpty, state != .complete {
            switch state {
            case .head:
                try takeHead(&rest)
            case .sized(let remaining):
                let count = try takeBody(&rest, atMost: remaining)
                state = count == remaining ? .complete : .sized(remaining: remaining - count)
            case .untilEnd:
                _ = try takeBody(&rest, atMost: rest.count)
            case .chunkLine, .chunkEnd, .trailer:
                try takeChunkFrame(&rest)
            case .chunk(let remaining):
                let count = try takeBody(&rest, atMost: remaining)
                state = count == remaining ? .chunkEnd : .chunk(remaining: remaining - count)
            case .complete:
                break
            }
        }
        return rest
    }

    /// Takes the end of the connection.
    mutating func end() throws {
        guard state == .untilEnd || state == .complete else { throw Malformed.cutOff }
        state = .complete
    }

    private mutating func takeBody(_ rest: inout ArraySlice<UInt8>, atMost most: Int) throws -> Int {
        let piece = rest.prefix(most)
        guard body.count + piece.count <= bodyBytesMax else { throw Malformed.bodyTooLarge }
        body += piece
        rest = rest.dropFirst(piece.count)
        return piece.count
    }

    /// Moves bytes up to the next line feed into the line.
    ///
    /// - Returns: the line without its end once it is whole.
    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>, most: Int, or error: Malformed) throws -> [UInt8]? {
        let end = rest.firstIndex(of: 0x0A)
        line += rest[..<(end ?? rest.endIndex)]
        guard line.count <= most else { throw error }
        guard let end else {
            rest = []
            return nil
        }
        rest = rest[(end + 1)...]
        if line.last == 0x0D { line.removeLast() }
        defer { line = [] }
        return line
    }

    // MARK: Head

    private var headBytes = 0
    private var length: Int?
    private var isChunked = false

    private mutating func takeHead(_ rest: inout ArraySlice<UInt8>) throws {
        let most = Self.headBytesMax - headBytes
        guard let bytes = try takeLine(&rest, most: most, or: .headTooLarge) else { return }
        headBytes += bytes.count + 2
        if status == 0 {
            status = try Self.status(in: bytes)
        } else if !bytes.isEmpty {
            try takeHeader(bytes)
        } else {
            try beginBody()
        }
    }

    private static func status(in line: [UInt8]) throws -> Int {
        let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3, let status = Int(parts[1]),
            (100...599).contains(status)
        else { throw Malformed.statusLine }
        return status
    }

    private mutating func takeHeader(_ bytes: [UInt8]) throws {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0, bytes[0] != 0x20, bytes[0] != 0x09 else {
            throw Malformed.header
        }
        let name = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        let blank: Set<UInt8> = [0x20, 0x09]
        let value = bytes[(colon + 1)...].drop { blank.contains($0) }
        let text = String(decoding: value.reversed().drop { blank.contains($0) }.reversed(), as: UTF8.self)
        switch name {
        case "content-length":
            // Nine digits are more than any body that is taken.
            guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
                length == nil || length == number
            else { throw Malformed.length }
            length = number
        case "transfer-encoding":
            guard text.lowercased() == "chunked", !isChunked else { throw Malformed.transferCoding }
            isChunked = true
        default: break
        }
    }

    private mutating func beginBody() throws {
        if isChunked, length != nil { throw Malformed.length }
        switch status {
        case 101, 204, 304: state = .complete
        case 100..<200:
            // An interim answer; the real one follows.
            (status, length, isChunked) = (0, nil, false)
        default:
            if isChunked {
                state = .chunkLine
            } else if let length {
                state = length == 0 ? .complete : .sized(remaining: length)
            } else {
                state = .untilEnd
            }
        }
    }

    // MARK: Chunks

    private mutating func takeChunkFrame(_ rest: inout ArraySlice<UInt8>) throws {
        guard let bytes = try takeLine(&rest, most: Self.chunkLineBytesMax, or: .chunk) else { return }
        switch state {
        case .chunkEnd:
            guard bytes.isEmpty else { throw Malformed.chunk }
            state = .chunkLine
        case .chunkLine:
            let digits = bytes.prefix { $0 != UInt8(ascii: ";") }
            // Seven digits are 256 MiB, more than any body that is taken.
            guard (1...7).contains(digits.count), let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0,
                digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-")
            else { throw Malformed.chunk }
            state = size == 0 ? .trailer : .chunk(remaining: size)
        case .trailer:
            headBytes += bytes.count + 2
            guard headBytes <= Self.headBytesMax else { throw Malformed.headTooLarge }
            if bytes.isEmpty { state = .complete }
        case .head, .sized, .untilEnd, .chunk, .complete:
            preconditionFailure("only frames of chunks come here")
        }
    }
}

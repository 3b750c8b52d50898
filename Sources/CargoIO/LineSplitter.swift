/// Cuts a stream of bytes into lines, however it is chunked.
///
/// A line ends with `\n` or `\r\n`; the last one may lack its end. Lines that are empty or hold only white space (RFC
/// 8259 §2) are counted but not reported. At most `lineBytesMax + 1` bytes are held between calls, besides the lines
/// returned.
public struct LineSplitter: Sendable {
    /// What was found in the stream.
    public enum Output: Sendable, Hashable {
        /// A line that is not blank, without its end; `number` counts all lines from 1.
        case line([UInt8], number: Int)
        /// A line longer than `lineBytesMax`; its bytes are dropped. Reported once, as soon as it is known.
        case tooLong(number: Int)
    }

    /// Longest line without its end, in bytes.
    public let lineBytesMax: Int
    /// The number of lines begun so far; a line begins with its first byte or its end.
    public private(set) var lineCount = 0
    private var pending: [UInt8] = []
    private var isSkipping = false
    private var isInsideLine = false

    /// - Parameter lineBytesMax: longest line without its end, in bytes, at least 1.
    public init(lineBytesMax: Int) {
        precondition(lineBytesMax > 0, "a line has at least one byte")
        self.lineBytesMax = lineBytesMax
    }

    /// Bytes held of a line that is not complete, at most `lineBytesMax + 1`.
    var pendingByteCount: Int { pending.count }

    /// Takes the next bytes and appends what they complete.
    public mutating func append(_ chunk: some Collection<UInt8>, to output: inout [Output]) {
        append(Array(chunk)[...], to: &output)
    }

    mutating func append(_ chunk: ArraySlice<UInt8>, to output: inout [Output]) {
        var rest = chunk
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end], endsLine: true, &output)
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty { take(rest, endsLine: false, &output) }
    }

    /// Ends the stream: appends a last line that has no `\n`.
    public mutating func finish(into output: inout [Output]) {
        guard isInsideLine else { return }
        take([], endsLine: true, &output)
    }

    private mutating func take(_ piece: ArraySlice<UInt8>, endsLine: Bool, _ output: inout [Output]) {
        if !isInsideLine {
            isInsideLine = true
            lineCount += 1
        }
        if !isSkipping { collect(piece, endsLine: endsLine, &output) }
        guard endsLine else { return }
        isInsideLine = false
        isSkipping = false
        pending = []
    }

    private mutating func collect(_ piece: ArraySlice<UInt8>, endsLine: Bool, _ output: inout [Output]) {
        let last = piece.last ?? pending.last
        // A carriage return that may belong to the line's end does not count, unless more of the line follows.
        let length = pending.count + piece.count - (last == UInt8(ascii: "\r") ? 1 : 0)
        guard length <= lineBytesMax else {
            isSkipping = true
            pending = []
            output.append(.tooLong(number: lineCount))
            return
        }
        pending.append(contentsOf: piece)
        guard endsLine else { return }
        if last == UInt8(ascii: "\r") { pending.removeLast() }
        if !pending.allSatisfy(Self.isSpace) { output.append(.line(pending, number: lineCount)) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}

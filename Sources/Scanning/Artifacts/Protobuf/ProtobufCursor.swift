/// Reads the wire format of protocol buffers, within a range of a file.
///
/// Source: Protocol Buffers, "Encoding". Stricter than parsers have to be: no groups, no numbers of more bits than they have.
struct ProtobufCursor {
    /// How a field's value is written.
    enum Wire: Int, Hashable {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    let source: ArtifactBytes
    /// The next byte's offset in the file.
    private(set) var offset: Int
    /// The offset behind the last byte that belongs to the range.
    let end: Int

    /// The largest field number. Source: Protocol Buffers, "Assigning Field Numbers".
    private static let numberMax: UInt64 = 1 << 29 - 1

    init(_ source: ArtifactBytes, _ range: Range<Int>) {
        self.source = source
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }
    var remaining: Int { end - offset }

    /// The failure of what stands here.
    func expected(_ what: String, at place: Int? = nil) -> ScanFailure { .malformed(source.name, at: place ?? offset, expected: what) }

    /// A field's number and how its value is written.
    mutating func tag() throws(ScanFailure) -> (number: Int, wire: Wire) {
        let start = offset
        let tag = try varint("a field's tag")
        guard (1...Self.numberMax).contains(tag >> 3) else { throw expected("a field's number in 1...\(Self.numberMax)", at: start) }
        guard let wire = Wire(rawValue: Int(tag & 7)) else { throw expected("a wire type 0, 1, 2 or 5, not \(tag & 7)", at: start) }
        return (Int(tag >> 3), wire)
    }

    mutating func varint(_ what: @autoclosure () -> String) throws(ScanFailure) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard offset < end else { throw expected("\(what()), not the end") }
            let byte = try source.byte(at: offset)
            offset += 1
            if shift == 63, byte > 1 { throw expected("\(what()) of at most 64 bits in at most 10 bytes", at: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    /// The range of a field's bytes, which the cursor then stands behind.
    mutating func range(_ what: @autoclosure () -> String) throws(ScanFailure) -> Range<Int> {
        let start = offset
        let length = try varint("the length of \(what())")
        guard length <= UInt64(remaining) else { throw expected("\(what()) of \(length) bytes, not \(remaining)", at: start) }
        let range = offset..<offset + Int(length)
        offset = range.upperBound
        return range
    }

    /// Stands behind some bytes.
    mutating func move(by count: Int, _ what: @autoclosure () -> String) throws(ScanFailure) {
        guard count <= remaining else { throw expected("\(what()) of \(count) bytes, not \(remaining)") }
        offset += count
    }
}

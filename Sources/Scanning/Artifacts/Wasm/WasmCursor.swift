/// Reads WebAssembly's binary encoding, within a range of a file.
///
/// Source: WebAssembly Core Specification 2.0, "Binary Format": integers are LEB128 of at most `⌈bits/7⌉` bytes whose unused bits repeat
/// the sign, names are UTF-8.
struct WasmCursor {
    let source: ArtifactBytes
    /// The next byte's offset in the file.
    private(set) var offset: Int
    /// The offset behind the last byte that belongs to the range.
    let end: Int

    init(_ source: ArtifactBytes, _ range: Range<Int>) {
        self.source = source
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }
    var remaining: Int { end - offset }

    /// The failure of what stands here.
    func expected(_ what: String, at place: Int? = nil) -> ScanFailure {
        .malformed(source.name, at: place ?? offset, expected: what)
    }

    mutating func byte(_ what: @autoclosure () -> String) throws(ScanFailure) -> UInt8 {
        guard offset < end else { throw expected("\(what()), not the end") }
        let byte = try source.byte(at: offset)
        offset += 1
        return byte
    }

    /// An unsigned integer of 32 bits.
    mutating func u32(_ what: @autoclosure () -> String) throws(ScanFailure) -> Int { Int(try unsigned(bits: 32, what())) }

    /// An unsigned integer of 64 bits.
    mutating func u64(_ what: @autoclosure () -> String) throws(ScanFailure) -> UInt64 { try unsigned(bits: 64, what()) }

    private mutating func unsigned(bits: Int, _ what: @autoclosure () -> String) throws(ScanFailure) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift = 0
        while true {
            let byte = try byte(what())
            let payload = UInt64(byte & 0x7F)
            let room = bits - shift
            if room < 7, payload >> UInt64(room) != 0 { throw expected("\(what()) of at most \(bits) bits", at: start) }
            value |= payload << UInt64(shift)
            if byte & 0x80 == 0 { return value }
            shift += 7
            if shift >= bits { throw expected("\(what()) in at most \((bits + 6) / 7) bytes", at: start) }
        }
    }

    /// Reads a signed integer, whose value does not matter.
    mutating func signed(bits: Int, _ what: @autoclosure () -> String) throws(ScanFailure) {
        let start = offset
        var shift = 0
        while true {
            let byte = try byte(what())
            let room = bits - shift
            if room < 7 {
                // The sign bit and everything above it are the same.
                let above = (byte & 0x7F) >> UInt8(room - 1)
                let ones = UInt8(0x7F) >> UInt8(room - 1)
                guard above == 0 || above == ones else { throw expected("\(what()) of at most \(bits) bits", at: start) }
            }
            if byte & 0x80 == 0 { return }
            shift += 7
            if shift >= bits { throw expected("\(what()) in at most \((bits + 6) / 7) bytes", at: start) }
        }
    }

    /// The count of a vector whose entries take at least one byte each.
    mutating func count(_ what: @autoclosure () -> String, max: Int) throws(ScanFailure) -> Int {
        let start = offset
        let count = try u32("the number of \(what())")
        guard count <= max else { throw expected("at most \(max) \(what()), not \(count)", at: start) }
        guard count <= remaining else { throw expected("\(count) \(what()) before the section's end", at: start) }
        return count
    }

    /// An index below a bound.
    mutating func index(of what: @autoclosure () -> String, below bound: Int) throws(ScanFailure) -> Int {
        let start = offset
        let index = try u32("the index of a \(what())")
        guard index < bound else { throw expected("one of \(bound) \(what())s, not number \(index)", at: start) }
        return index
    }

    mutating func name(_ what: @autoclosure () -> String, bytesMax: Int) throws(ScanFailure) -> String {
        let start = offset
        let length = try u32("the length of \(what())")
        guard length <= bytesMax else { throw expected("\(what()) of at most \(bytesMax) bytes, not \(length)", at: start) }
        guard length <= remaining else { throw expected("\(what()) of \(length) bytes before the section's end", at: start) }
        guard let text = String(validating: try source.bytes(offset..<offset + length), as: UTF8.self) else {
            throw expected("\(what()) in UTF-8", at: offset)
        }
        offset += length
        return text
    }

    /// Takes bytes off as a range of their own.
    mutating func part(of length: Int, _ what: @autoclosure () -> String) throws(ScanFailure) -> WasmCursor {
        guard length <= remaining else { throw expected("\(length) bytes of \(what()), not \(remaining)") }
        let part = WasmCursor(source, offset..<offset + length)
        offset += length
        return part
    }

    /// Passes over bytes unread.
    mutating func pass(_ length: Int, as use: PassedBytes, _ what: @autoclosure () -> String) throws(ScanFailure) {
        guard length <= remaining else { throw expected("\(length) bytes of \(what()), not \(remaining)") }
        source.note(length, as: use)
        offset += length
    }

    /// Reads bytes whose values do not matter, such as those of a floating-point number.
    mutating func read(_ length: Int, _ what: @autoclosure () -> String) throws(ScanFailure) {
        for _ in 0..<length { _ = try byte(what()) }
    }

    /// Checks that nothing is left.
    func finish(_ what: @autoclosure () -> String) throws(ScanFailure) {
        guard isAtEnd else { throw expected("the end of \(what()), not \(remaining) more bytes") }
    }
}

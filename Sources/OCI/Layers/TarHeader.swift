/// One 512-byte header block, its fields read.
struct TarHeader {
    var path: [UInt8]
    var linkTarget: [UInt8]
    var type: UInt8
    var size: Int64
    var mode: Int64
    var userID: Int64
    var groupID: Int64
    var modified: Int64

    /// Reads a block that is not all zeros.
    ///
    /// - Throws: `hostile_layer` for a wrong checksum or a field that is no number.
    init(_ block: [UInt8]) throws(OCIError) {
        precondition(block.count == 512, "a tar block has 512 bytes")
        try Self.checkSum(of: block)
        var path = Self.text(block[0..<100])
        let magic = block[257..<263]
        // POSIX ustar ends its magic with NUL and has a prefix field; GNU's "ustar  " uses those bytes for times.
        if magic.elementsEqual("ustar\0".utf8) {
            // Schilling's star has times in the end of the field; Go, and so scanners, reads it this way too.
            let isStar = block[508..<512].elementsEqual("tar\0".utf8)
            let prefix = Self.text(block[345..<(isStar ? 476 : 500)])
            if !prefix.isEmpty { path = prefix + [UInt8(ascii: "/")] + path }
        }
        self.path = path
        linkTarget = Self.text(block[157..<257])
        type = block[156]
        size = try Self.number(block[124..<136])
        mode = try Self.number(block[100..<108])
        userID = try Self.number(block[108..<116])
        groupID = try Self.number(block[116..<124])
        modified = try Self.number(block[136..<148])
        guard size >= 0, userID >= 0, groupID >= 0, mode >= 0 else { throw Self.malformed("a negative number") }
    }

    static func malformed(_ what: String) -> OCIError {
        OCIError(.hostileLayer, "An archive is malformed: \(what). Rebuild the image with a current tool.")
    }

    /// Sum of all bytes, the checksum's own as spaces; some old writers summed signed bytes.
    private static func checkSum(of block: [UInt8]) throws(OCIError) {
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in block.enumerated() {
            let counted = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(counted)
            signed += Int64(Int8(bitPattern: counted))
        }
        let written = try number(block[148..<156])
        guard written == unsigned || written == signed else { throw malformed("a header's checksum is wrong") }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// Octal digits with spaces and NULs around them, or GNU's base 256 when the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) throws(OCIError) -> Int64 {
        if let first = field.first, first & 0x80 != 0 { return try base256(field) }
        let blanks: Set<UInt8> = [0, UInt8(ascii: " ")]
        let digits = field.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { throw malformed("a field is no number") }
            value = value * 8 + Int64(digit - UInt8(ascii: "0"))  // At most 12 digits: no overflow.
        }
        return value
    }

    private static func base256(_ field: ArraySlice<UInt8>) throws(OCIError) -> Int64 {
        var bytes = Array(field)
        let isNegative = bytes[0] & 0x40 != 0
        // The first bit is the mark; the second is the sign, which goes on to the left.
        bytes[0] = isNegative ? bytes[0] : bytes[0] & 0x7f
        var value: Int64 = isNegative ? -1 : 0
        for byte in bytes {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            guard !overflow else { throw malformed("a number is too large") }
            value = shifted | Int64(byte)
        }
        return value
    }
}

/// The pax keys that matter here; others (times, names of owners, extended attributes) are ignored.
enum PaxKey: Hashable {
    case path, linkPath, size, userID, groupID, modified, sparse
}

/// Reads `"length key=value\n"` records. Source: POSIX.1-2017, pax Extended Header.
enum PaxRecords {
    /// Calls for each known key in order, so that a later one wins.
    ///
    /// - Throws: `hostile_layer` for a record that is not of this form.
    static func parse(_ bytes: [UInt8], _ record: (PaxKey, [UInt8]) -> Void) throws(OCIError) {
        var start = 0
        while start < bytes.count {
            guard let space = bytes[start...].firstIndex(of: UInt8(ascii: " ")), space - start <= 8,
                let length = Int(String(decoding: bytes[start..<space], as: UTF8.self)),
                length > space - start + 2, start + length <= bytes.count,
                bytes[start + length - 1] == UInt8(ascii: "\n"),
                let equals = bytes[space..<start + length].firstIndex(of: UInt8(ascii: "="))
            else { throw TarHeader.malformed("an extended header is broken") }
            let value = Array(bytes[equals + 1..<start + length - 1])
            let name = String(decoding: bytes[space + 1..<equals], as: UTF8.self)
            if let key = key(name) {
                // By the standard an empty value takes a key back. No image builder writes that, and readers differ in it, so it is refused.
                guard !value.isEmpty else { throw TarHeader.malformed("an extended header takes a key back") }
                record(key, value)
            }
            start += length
        }
    }

    /// A decimal number of at least 0.
    static func number(_ bytes: [UInt8]) throws(OCIError) -> Int64 {
        guard bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(String(decoding: bytes, as: UTF8.self))
        else { throw TarHeader.malformed("an extended header's number is none") }
        return value
    }

    /// Whole seconds of a decimal number with a fraction.
    static func seconds(_ bytes: [UInt8]) throws(OCIError) -> Int64 {
        let whole = bytes.prefix { $0 != UInt8(ascii: ".") }
        if whole.first == UInt8(ascii: "-") { return -(try number(Array(whole.dropFirst()))) }
        return try number(Array(whole))
    }

    private static func key(_ name: String) -> PaxKey? {
        switch name {
        case "path": .path
        case "linkpath": .linkPath
        case "size": .size
        case "uid": .userID
        case "gid": .groupID
        case "mtime": .modified
        default: name.hasPrefix("GNU.sparse.") ? .sparse : nil
        }
    }
}

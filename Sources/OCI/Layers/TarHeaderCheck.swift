/// A strict look at the header bytes of one entry that libarchive has read already, to refuse what two readers read differently.
///
/// The digest signs bytes, not names: a scanner (Go's reader) and we (libarchive) must see the same tree in them. libarchive 3.6 takes all
/// of these, and other readers take them otherwise: two long names, a key twice or taken back, text that is no number (libarchive stops
/// there), a NUL inside a name (stops there), unknown types (files), sparse keys and fields of any entry, a link target on a file (a hard
/// link), content behind a link, a global header (ignored). So none of them is accepted.
///
/// Source: POSIX.1-2017, pax; GNU tar manual; Go archive/tar.
struct TarHeaderCheck {
    /// Bytes of all headers, extended ones included; 0 when they are not all there.
    private(set) var length = 0
    private var type: UInt8 = 0
    private var numbers = Numbers()
    private var records: [String: [UInt8]] = [:]
    private var longPath: [UInt8]?
    private var longLink: [UInt8]?

    private struct Numbers {
        var size: Int64 = 0
        var userID: Int64 = 0
        var groupID: Int64 = 0
        var modified: Int64 = 0
    }

    private static let blockBytes = 512
    private static let usedKeys: Set<String> = ["path", "linkpath", "size", "uid", "gid", "mtime"]
    /// Keys with which libarchive makes a sparse file, and other readers do not.
    private static let sparseKeys: Set<String> = ["SCHILY.realsize", "SUN.holesdata"]

    /// Checks the headers of one entry.
    ///
    /// - Parameters:
    ///   - bytes: from the first extended header on; more may follow.
    ///   - limits: bounds of extended headers.
    /// - Throws: `hostile_layer`, `limit_exceeded`.
    init(_ bytes: [UInt8], limits: TarLimits) throws(OCIError) {
        var start = 0
        var seen: [UInt8] = []
        while start + Self.blockBytes <= bytes.count {
            let block = Array(bytes[start..<start + Self.blockBytes])
            start += Self.blockBytes
            let header = try Self.numbers(of: block)
            guard "xgLK".utf8.contains(block[156]) else {
                try readLast(block, header: header)
                length = start
                return
            }
            guard block[156] == UInt8(ascii: "g") || !seen.contains(block[156]), seen.count < limits.extendedHeadersMax else {
                throw Self.malformed("too many extended headers before one entry")
            }
            seen.append(block[156])
            guard header.size <= limits.extendedHeaderBytesMax else { throw Self.extendedTooLarge(limits) }
            let end = start + Int(header.size)
            guard end <= bytes.count else { return }
            try readExtended(block[156], content: bytes[start..<end])
            start = (end + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
        }
    }

    /// Compares with what libarchive made of the same bytes.
    ///
    /// - Throws: `hostile_layer` when it is not the same.
    func compare(with entry: TarEntry) throws(OCIError) {
        let hasSlash = entry.path.last == UInt8(ascii: "/")
        let kind: TarEntry.Kind =
            switch type {
            case UInt8(ascii: "1"): .hardLink
            case UInt8(ascii: "2"): .symbolicLink
            case UInt8(ascii: "3"): .characterDevice
            case UInt8(ascii: "4"): .blockDevice
            case UInt8(ascii: "5"): .folder
            case UInt8(ascii: "6"): .fifo
            default: hasSlash ? .folder : .file
            }
        guard kind == entry.kind else { throw Self.twoReadings() }
        // Some readers skip content there, others do not.
        guard kind == .file || numbers.size == 0 else { throw Self.malformed("content of something that is no file") }
        if let path = records["path"] ?? longPath, path != entry.path { throw Self.twoReadings() }
        if let link = records["linkpath"] ?? longLink {
            guard kind == .hardLink || kind == .symbolicLink, link == entry.linkTarget else { throw Self.twoReadings() }
        }
        guard numbers.size == entry.size, numbers.userID == entry.userID, numbers.groupID == entry.groupID,
            numbers.modified == entry.modifiedSeconds
        else { throw Self.twoReadings() }
    }

    static func malformed(_ what: String) -> OCIError {
        OCIError(.hostileLayer, "An archive is malformed: \(what). Rebuild the image with a current tool.")
    }

    static func twoReadings() -> OCIError { malformed("an entry that programs read differently") }

    static func extendedTooLarge(_ limits: TarLimits) -> OCIError {
        OCIError(.limitExceeded, "A layer has extended headers of more than \(limits.extendedHeaderBytesMax) bytes.")
    }

    // MARK: Headers

    private mutating func readLast(_ block: [UInt8], header: Numbers) throws(OCIError) {
        type = block[156]
        guard type == 0 || (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(type) else { throw Self.malformed("an entry of unknown type") }
        let magic = block[257..<265]
        if magic.elementsEqual("ustar  \0".utf8) {
            // libarchive takes these fields of any entry, others only of sparse ones.
            guard block[386..<495].allSatisfy({ $0 == 0 }) else { throw Self.malformed("a sparse file") }
        } else if magic.starts(with: "ustar\0".utf8) {
            // Schilling's star has times in the end of the prefix field; libarchive does not know.
            let isStar = block[508..<512].elementsEqual("tar\0".utf8)
            guard !isStar || block[345..<476].contains(0) else { throw Self.twoReadings() }
        } else if magic.starts(with: "ustar".utf8) {
            throw Self.twoReadings()
        }
        numbers = Numbers(
            size: try records["size"].map(Self.decimal) ?? header.size, userID: try records["uid"].map(Self.decimal) ?? header.userID,
            groupID: try records["gid"].map(Self.decimal) ?? header.groupID,
            modified: try records["mtime"].map(Self.seconds) ?? header.modified)
        // Half of what fits, so that sums of offsets fit too.
        guard (0...Int64.max / 2).contains(numbers.size) else {
            throw Self.malformed("a number out of range")
        }
        guard longPath == nil || records["path"] == nil, longLink == nil || records["linkpath"] == nil else {
            throw Self.malformed("an entry with two long names")
        }
    }

    private mutating func readExtended(_ type: UInt8, content: ArraySlice<UInt8>) throws(OCIError) {
        switch type {
        case UInt8(ascii: "x"): try readRecords(content)
        case UInt8(ascii: "g"):
            var global = self
            global.records = [:]
            try global.readRecords(content)
            guard global.records.isEmpty else { throw Self.malformed("a global header that changes entries") }
        default:
            let name = Array(content.prefix { $0 != 0 })
            guard !name.isEmpty else { throw Self.malformed("an empty long name") }
            if type == UInt8(ascii: "L") { longPath = name } else { longLink = name }
        }
    }

    /// Reads `"length key=value\n"` records.
    private mutating func readRecords(_ bytes: ArraySlice<UInt8>) throws(OCIError) {
        var rest = bytes
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            // libarchive takes at most 999,999.
            guard (1...6).contains(digits.count), let length = try? Self.decimal(Array(digits)), length > digits.count + 2,
                length <= rest.count
            else { throw Self.malformed("an extended header is broken") }
            let record = rest.prefix(Int(length)).dropFirst(digits.count + 1)
            rest = rest.dropFirst(Int(length))
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")), equals > record.startIndex,
                !record[..<equals].contains(0)
            else { throw Self.malformed("an extended header is broken") }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            if key.hasPrefix("GNU.sparse.") || Self.sparseKeys.contains(key) { throw Self.malformed("a sparse file") }
            guard Self.usedKeys.contains(key) else { continue }
            let value = Array(record[(equals + 1)...].dropLast())
            // By the standard an empty value takes a key back. No image builder writes that.
            guard !value.isEmpty, !value.contains(0), records.updateValue(value, forKey: key) == nil else {
                throw Self.malformed("an extended header gives a key twice, takes it back or holds a NUL")
            }
        }
    }

    // MARK: Numbers

    private static func numbers(of block: [UInt8]) throws(OCIError) -> Numbers {
        let numbers = Numbers(
            size: try number(block[124..<136]), userID: try number(block[108..<116]), groupID: try number(block[116..<124]),
            modified: try number(block[136..<148]))
        guard try number(block[100..<108]) >= 0, numbers.size >= 0, numbers.userID >= 0, numbers.groupID >= 0 else {
            throw malformed("a negative number")
        }
        return numbers
    }

    /// Octal digits with spaces before and spaces and NULs behind them, or GNU's base 256 when the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) throws(OCIError) -> Int64 {
        if let first = field.first, first & 0x80 != 0 { return try base256(field) }
        let text = field.drop { $0 == UInt8(ascii: " ") }
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard text[digits.endIndex...].allSatisfy({ $0 == 0 || $0 == UInt8(ascii: " ") }) else { throw malformed("a field is no number") }
        return digits.reduce(0) { $0 * 8 + Int64($1 - UInt8(ascii: "0")) }  // At most 12 digits: no overflow.
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

    /// A decimal number of at least 0.
    private static func decimal(_ bytes: [UInt8]) throws(OCIError) -> Int64 {
        guard bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(String(decoding: bytes, as: UTF8.self))
        else { throw malformed("an extended header's number is none") }
        return value
    }

    /// Whole seconds of a decimal number with a fraction.
    private static func seconds(_ bytes: [UInt8]) throws(OCIError) -> Int64 {
        let whole = bytes.prefix { $0 != UInt8(ascii: ".") }
        if whole.first == UInt8(ascii: "-") { return -(try decimal(Array(whole.dropFirst()))) }
        return try decimal(Array(whole))
    }
}

/// Writes a tar that depends on nothing but its entries: owner 0, time 0, plain modes. Source: POSIX.1-2017, pax.
struct TarWriter {
    /// What an entry is.
    enum Kind: UInt8 {
        case file = 0x30
        case symbolicLink = 0x32
        case folder = 0x35
    }

    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private static let blockBytes = 512

    /// - Parameter sink: takes the archive's bytes in order.
    init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.sink = sink
    }

    /// Writes the header of an entry; for a file exactly `size` bytes of content follow, then `finishContent`.
    ///
    /// - Parameters:
    ///   - kind: what it is.
    ///   - path: relative path; a folder's ends with `/`.
    ///   - mode: permissions, `0...0o777`.
    ///   - size: bytes of content, 0 for other kinds than files.
    ///   - linkTarget: where a symbolic link leads.
    func writeHeader(_ kind: Kind, path: [UInt8], mode: UInt32, size: Int64 = 0, linkTarget: [UInt8] = []) throws {
        var records: [UInt8] = []
        if path.count > 100 { records += Self.paxRecord("path", path) }
        if linkTarget.count > 100 { records += Self.paxRecord("linkpath", linkTarget) }
        if size >= 1 << 33 { records += Self.paxRecord("size", Array(String(size).utf8)) }
        if !records.isEmpty {
            try write(Self.block(type: UInt8(ascii: "x"), path: Array("pax".utf8), mode: 0o644, size: Int64(records.count), link: []))
            try write(records)
            try finishContent(size: Int64(records.count))
        }
        let fits = size < 1 << 33
        try write(
            Self.block(
                type: kind.rawValue, path: Array(path.prefix(100)), mode: mode, size: fits ? size : 0, link: Array(linkTarget.prefix(100))))
    }

    /// Fills the last block of a content of `size` bytes.
    func finishContent(size: Int64) throws {
        let left = Int((512 - size % 512) % 512)
        try write([UInt8](repeating: 0, count: left))
    }

    /// Writes the end of the archive.
    func finish() throws {
        try write([UInt8](repeating: 0, count: 2 * Self.blockBytes))
    }

    /// Writes content, or anything else as it is.
    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try sink($0) }
    }

    private static func block(type: UInt8, path: [UInt8], mode: UInt32, size: Int64, link: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(path, at: 0)
        put(octal(Int64(mode), digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        block[156] = type
        put(link, at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6), at: 148)
        block[154] = 0
        return block
    }

    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array(String(repeating: "0", count: max(0, digits - text.utf8.count)).utf8) + Array(text.utf8)
    }

    /// `"length key=value\n"`, where the length counts its own digits too.
    private static func paxRecord(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = [UInt8(ascii: " ")] + Array(key.utf8) + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }
}

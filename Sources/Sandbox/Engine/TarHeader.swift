/// One entry's head in a tar archive.
///
/// Shape: 512 bytes, before it two or more blocks with a pax record where a name does not fit.
/// Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
struct TarHeader {
    /// What an entry is, with the format's own letters.
    enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case folder = 0x35
        fileprivate static let pax: UInt8 = 0x78
    }

    static let blockBytes = 512
    /// Source: the field has 11 octal digits.
    static let fileBytesMax = (1 << 33) - 1

    /// Relative to the root, without a slash at either end; any bytes but zero.
    var path: [UInt8]
    var kind: Kind
    /// The nine permission bits and the sticky bit.
    var mode: Int
    var user: Int
    var group: Int
    var size = 0
    /// Seconds since 1970.
    var modified: Int
    /// Of a link.
    var target: [UInt8] = []

    /// The blocks in front of the entry's bytes.
    var bytes: [UInt8] {
        var records: [UInt8] = []
        let name = kind == .folder ? path + [0x2F] : path
        if name.count > Self.nameBytes { records += Self.record("path", name) }
        if target.count > Self.nameBytes { records += Self.record("linkpath", target) }
        var blocks: [UInt8] = []
        if !records.isEmpty {
            blocks += block(name: Array("pax".utf8), type: Self.Kind.pax, size: records.count, target: [])
            blocks += records + Self.padding(records.count)
        }
        return blocks + block(name: name, type: kind.rawValue, size: size, target: target)
    }

    /// The zeros that fill the last block of some bytes.
    static func padding(_ count: Int) -> [UInt8] { Array(repeating: 0, count: (blockBytes - count % blockBytes) % blockBytes) }

    /// The two empty blocks that end an archive.
    static let end = [UInt8](repeating: 0, count: 2 * blockBytes)

    private static let nameBytes = 100

    /// A record `LENGTH KEYWORD=VALUE\n` whose length counts its own digits.
    private static func record(_ keyword: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(keyword)=".utf8) + value + [0x0A]
        var length = rest.count + 1
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        return Array("\(length)".utf8) + rest
    }

    private func block(name: [UInt8], type: UInt8, size: Int, target: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        func put(_ value: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + value.count, with: value)
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(max(value, 0), radix: 8)
            return Array((String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text.suffix(digits)).utf8)
        }
        put(name.prefix(Self.nameBytes), at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(user, digits: 7), at: 108)
        put(octal(group, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(modified, digits: 11), at: 136)
        put([type], at: 156)
        put(target.prefix(Self.nameBytes), at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        // The sum is made with blanks in its own place.
        put(repeatElement(0x20, count: 8), at: 148)
        put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + [0, 0x20], at: 148)
        return block
    }
}

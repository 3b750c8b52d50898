/// Where hashes of a log's tree are kept: 256 neighbours of one level together.
///
/// A tile of level `l` and number `n` holds the hashes of whole subtrees of `256^l` leaves, from the one at place `256 n` on, left to right.
/// Source: C2SP tlog-tiles, "Merkle Tree".
public struct LogTilePlace: Sendable, Hashable {
    /// 0 for the hashes of entries, at most ``levelMax``.
    public let level: Int
    /// From 0.
    public let number: Int

    /// A place.
    public init(level: Int, number: Int) {
        self.level = level
        self.number = number
    }

    /// Hashes of a whole tile.
    public static let widthMax = 256
    /// The highest level that any tree has. Source: C2SP tlog-tiles.
    public static let levelMax = 63
}

/// A tile with its hashes.
public struct LogTile: Sendable, Hashable {
    /// Where it belongs.
    public let place: LogTilePlace
    /// From 1 to ``LogTilePlace/widthMax``, each of ``MerkleTree/hashBytes`` bytes.
    public let hashes: [[UInt8]]

    /// A tile.
    public init(_ place: LogTilePlace, _ hashes: [[UInt8]]) {
        self.place = place
        self.hashes = hashes
    }

    /// The hashes one after the other, as they are kept and sent.
    public var bytes: [UInt8] { Array(hashes.joined()) }

    /// The hashes of such bytes; `nil` when they are no whole number of hashes, or too many.
    public static func hashes(_ bytes: [UInt8]) -> [[UInt8]]? {
        let size = MerkleTree.hashBytes
        guard bytes.count % size == 0, bytes.count <= LogTilePlace.widthMax * size else { return nil }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<$0 + size]) }
    }
}

/// What an address below a log's `tile/` names: a tile, or the entries below a tile of level 0; whole or its first part.
///
/// `<L>/<N>[.p/<W>]` and `entries/<N>[.p/<W>]`; the number in groups of three digits, all but the last after an `x`, as in `x001/x234/067`.
/// Source: C2SP tlog-tiles, "APIs".
public struct LogTilePath: Sendable, Hashable {
    /// What is wanted.
    public enum Kind: Sendable, Hashable {
        /// Hashes of a level.
        case hashes(level: Int)
        /// The entries themselves.
        case entries
    }

    /// What is wanted.
    public let kind: Kind
    /// Which tile, from 0.
    public let number: Int
    /// How many of it, from 1; ``LogTilePlace/widthMax`` for all.
    public let width: Int

    /// A path; everything in its range.
    public init(_ kind: Kind, number: Int, width: Int = LogTilePlace.widthMax) {
        self.kind = kind
        self.number = number
        self.width = width
    }

    /// Chosen: 18 digits, which 64 bits hold with room for the entries' places.
    private static let groupsMax = 5

    /// Reads a path; `nil` for every text that ``text`` does not write.
    public init?(_ text: String) {
        var parts = text.split(separator: "/" as Character, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, let first = parts.first else { return nil }
        parts.removeFirst()
        if first == "entries" {
            kind = .entries
        } else {
            guard let level = Self.number(first), level <= LogTilePlace.levelMax else { return nil }
            kind = .hashes(level: level)
        }
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let width = Self.number(parts.removeLast()), (1..<LogTilePlace.widthMax).contains(width) else { return nil }
            self.width = width
            parts[parts.count - 1].removeLast(2)
        } else {
            width = LogTilePlace.widthMax
        }
        guard (1...Self.groupsMax).contains(parts.count) else { return nil }
        var number = 0
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            guard part.hasPrefix("x") != isLast else { return nil }
            let digits = isLast ? part : String(part.dropFirst())
            guard digits.utf8.count == 3, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let group = Int(digits) else { return nil }
            number = number * 1000 + group
        }
        // No leading group of zeros: one number has one path.
        guard parts.count == 1 || parts[0] != "x000" else { return nil }
        self.number = number
    }

    /// A number without leading zeros.
    private static func number(_ text: String) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text == "0" || !text.hasPrefix("0")
        else { return nil }
        return Int(text)
    }

    /// The path, without `tile/` before it.
    public var text: String {
        let kind =
            switch self.kind {
            case .hashes(let level): String(level)
            case .entries: "entries"
            }
        var groups: [String] = []
        var rest = number
        repeat {
            let digits = String(rest % 1000)
            groups.insert((groups.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - digits.count) + digits, at: 0)
            rest /= 1000
        } while rest > 0
        return "\(kind)/\(groups.joined(separator: "/"))" + (width < LogTilePlace.widthMax ? ".p/\(width)" : "")
    }
}

/// Entries one after the other, each behind its length in two bytes, the higher first. Source: C2SP tlog-tiles, "Log Entries".
public enum LogEntryBundle {
    /// The longest entry that the length has room for.
    public static let entryBytesMax = 65_535

    /// A bundle of entries; `nil` when one is longer than ``entryBytesMax``.
    public static func bytes(_ entries: [[UInt8]]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for entry in entries {
            guard let count = UInt16(exactly: entry.count) else { return nil }
            bytes += [UInt8(count >> 8), UInt8(count & 0xFF)] + entry
        }
        return bytes
    }

    /// The entries of a bundle; `nil` when it ends within one.
    public static func entries(_ bytes: [UInt8]) -> [[UInt8]]? {
        var entries: [[UInt8]] = []
        var place = 0
        while place < bytes.count {
            guard place + 2 <= bytes.count else { return nil }
            let end = place + 2 + Int(bytes[place]) << 8 + Int(bytes[place + 1])
            guard end <= bytes.count else { return nil }
            entries.append(Array(bytes[(place + 2)..<end]))
            place = end
        }
        return entries
    }
}

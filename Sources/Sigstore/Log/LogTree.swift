/// The tree of a log, whose hashes somebody keeps as tiles.
///
/// The tree holds nothing but its size: it asks for the tiles that a question needs, each once. Only hashes of whole subtrees are in tiles,
/// so the tiles of a tree are also those of each smaller one.
///
/// Source: RFC 6962 §2.1; C2SP tlog-tiles.
public struct LogTree {
    /// Reads a tile; one that has grown since may have more hashes than asked for. Empty for one that is not there.
    public typealias Reader = (LogTilePlace) throws -> [[UInt8]]

    /// What is kept is not the tree that it should be.
    public struct Damaged: Error, Sendable, Hashable {
        /// In words.
        public let message: String

        /// What is wrong.
        public init(message: String) { self.message = message }
    }

    /// Entries.
    public private(set) var size: Int
    private let read: Reader
    private var known: [LogTilePlace: [[UInt8]]] = [:]

    /// Places of a tile are the lowest so many bits of a hash's place.
    static let tileBits = 8

    /// A tree of so many entries.
    public init(size: Int, read: @escaping Reader) {
        precondition(size >= 0, "a tree has no fewer than 0 entries")
        self.size = size
        self.read = read
    }

    // MARK: Growing

    /// Adds an entry at the end.
    ///
    /// - Returns: the tiles that are other than before, the lowest level first: always one of level 0, and one more for each that became whole.
    public mutating func append(leafHash: [UInt8]) throws -> [LogTile] {
        var changed: [LogTile] = []
        var (hash, place, level) = (leafHash, size, 0)
        while true {
            let tile = LogTilePlace(level: level, number: place >> Self.tileBits)
            let before = place % LogTilePlace.widthMax
            let hashes = try before == 0 ? [hash] : Array(self.hashes(of: tile, atLeast: before).prefix(before)) + [hash]
            known[tile] = hashes
            changed.append(LogTile(tile, hashes))
            guard hashes.count == LogTilePlace.widthMax else { break }
            (hash, place, level) = (Self.fold(hashes[...]), place >> Self.tileBits, level + 1)
        }
        size += 1
        return changed
    }

    // MARK: Asking

    /// The tree's hash.
    public mutating func root() throws -> [UInt8] { try root(size: size) }

    /// The hash of the tree when it had so many entries.
    public mutating func root(size: Int) throws -> [UInt8] {
        precondition((0...self.size).contains(size), "a tree was never larger than it is")
        return size == 0 ? MerkleTree.emptyRoot : try hash(0..<size)
    }

    /// The proof that an entry is in the tree: hashes of neighbours, from the leaf up. Source: RFC 6962 §2.1.1.
    public mutating func inclusionProof(index: Int) throws -> [[UInt8]] {
        precondition((0..<size).contains(index), "only what is in a tree can be proven")
        var (proof, range): ([[UInt8]], Range<Int>) = ([], 0..<size)
        while range.count > 1 {
            let middle = Self.middle(of: range)
            let isLeft = index < middle
            proof.append(try hash(isLeft ? middle..<range.upperBound : range.lowerBound..<middle))
            range = isLeft ? range.lowerBound..<middle : middle..<range.upperBound
        }
        return proof.reversed()
    }

    /// The proof that the tree when it had so many entries is its beginning. Source: RFC 6962 §2.1.2.
    ///
    /// - Parameter size: from 1 to the tree's; of an empty tree nothing can be proven.
    public mutating func consistencyProof(from size: Int) throws -> [[UInt8]] {
        precondition((1...self.size).contains(size), "only of a tree that was can anything be proven")
        var (proof, range): ([[UInt8]], Range<Int>) = ([], 0..<self.size)
        while size != range.upperBound {
            let middle = Self.middle(of: range)
            let isLeft = size <= middle
            proof.append(try hash(isLeft ? middle..<range.upperBound : range.lowerBound..<middle))
            range = isLeft ? range.lowerBound..<middle : middle..<range.upperBound
        }
        // Where the earlier tree ends with a subtree that was not the whole of it, its hash is unknown to who has the earlier root.
        if range.lowerBound > 0 { proof.append(try hash(range)) }
        return proof.reversed()
    }

    // MARK: Hashes

    /// Where a range is cut: after the largest power of two that is smaller than its length.
    private static func middle(of range: Range<Int>) -> Int {
        range.lowerBound + 1 << (Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount)
    }

    /// The hash over a range of entries that begins where a subtree of its height does.
    private mutating func hash(_ range: Range<Int>) throws -> [UInt8] {
        if range.count & (range.count - 1) == 0 { return try node(height: range.count.trailingZeroBitCount, at: range.lowerBound) }
        let middle = Self.middle(of: range)
        let left = try hash(range.lowerBound..<middle)
        return MerkleTree.nodeHash(left, try hash(middle..<range.upperBound))
    }

    /// The hash of a whole subtree of `2^height` entries from a place on, made of the nearest level that has tiles.
    private mutating func node(height: Int, at start: Int) throws -> [UInt8] {
        let level = height / Self.tileBits
        let first = start >> (level * Self.tileBits)
        let count = 1 << (height % Self.tileBits)
        let offset = first % LogTilePlace.widthMax
        let hashes = try hashes(of: LogTilePlace(level: level, number: first >> Self.tileBits), atLeast: offset + count)
        return Self.fold(hashes[offset..<offset + count])
    }

    private mutating func hashes(of tile: LogTilePlace, atLeast count: Int) throws -> [[UInt8]] {
        let hashes = try known[tile] ?? read(tile)
        guard hashes.count >= count else {
            throw Damaged(message: "tile \(tile.number) of level \(tile.level) has \(hashes.count) hashes and not \(count)")
        }
        known[tile] = hashes
        return hashes
    }

    /// The hash over neighbours whose number is a power of two.
    static func fold(_ hashes: ArraySlice<[UInt8]>) -> [UInt8] {
        var row = Array(hashes)
        while row.count > 1 { row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.nodeHash(row[$0], row[$0 + 1]) } }
        return row[0]
    }
}

/// Makes a log's tree anew from its entries and nothing else, in memory that grows with the tree's height alone.
public struct LogReplay: Sendable {
    /// Entries so far.
    public private(set) var size = 0
    /// Hashes of whole subtrees, the highest first, each of another height: those of the ones in the size's binary digits.
    private var peaks: [[UInt8]] = []
    /// The tile of each level that is not whole yet; it may have no hashes.
    private var open: [[[UInt8]]] = []

    /// A tree without entries.
    public init() {}

    /// Adds an entry.
    ///
    /// - Returns: the entry's hash, and the tiles that became whole by it.
    public mutating func add(_ entry: [UInt8]) -> (leafHash: [UInt8], whole: [LogTile]) {
        let leafHash = MerkleTree.leafHash(entry)
        var peak = leafHash
        var merged = size
        while merged & 1 == 1, let left = peaks.popLast() {
            peak = MerkleTree.nodeHash(left, peak)
            merged >>= 1
        }
        peaks.append(peak)
        var whole: [LogTile] = []
        var (hash, place, level) = (leafHash, size, 0)
        while true {
            if open.count == level { open.append([]) }
            open[level].append(hash)
            guard open[level].count == LogTilePlace.widthMax else { break }
            let tile = LogTile(LogTilePlace(level: level, number: place / LogTilePlace.widthMax), open[level])
            whole.append(tile)
            open[level] = []
            (hash, place, level) = (LogTree.fold(tile.hashes[...]), place / LogTilePlace.widthMax, level + 1)
        }
        size += 1
        return (leafHash, whole)
    }

    /// The tree's hash.
    public var root: [UInt8] {
        guard let last = peaks.last else { return MerkleTree.emptyRoot }
        return peaks.dropLast().reversed().reduce(last) { MerkleTree.nodeHash($1, $0) }
    }

    /// The tiles that are not whole.
    public var partial: [LogTile] {
        open.enumerated().filter { !$0.element.isEmpty }.map { level, hashes in
            LogTile(LogTilePlace(level: level, number: size >> (level * LogTree.tileBits) / LogTilePlace.widthMax), hashes)
        }
    }
}

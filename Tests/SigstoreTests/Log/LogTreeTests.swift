import Testing

@testable import Sigstore

/// Tiles in a dictionary, as a log would keep them.
private final class TileShelf {
    private(set) var tiles: [LogTilePlace: [[UInt8]]] = [:]
    private(set) var reads: [LogTilePlace] = []

    func tree(size: Int) -> LogTree {
        LogTree(size: size) { place in
            self.reads.append(place)
            return self.tiles[place] ?? []
        }
    }

    func append(_ leafHash: [UInt8], size: Int) throws -> [LogTile] {
        var tree = tree(size: size)
        let changed = try tree.append(leafHash: leafHash)
        #expect(tree.size == size + 1)
        for tile in changed { tiles[tile.place] = tile.hashes }
        return changed
    }

    func remove(_ place: LogTilePlace) { tiles[place] = nil }

    func forgetReads() { reads = [] }
}

@Suite struct LogTreeTests {
    private static let most = 600

    private static func leaf(_ index: Int) -> [UInt8] { MerkleTree.leafHash(Array("entry \(index)".utf8)) }

    /// Source: RFC 6962 §2.1, word for word: MTH of a list.
    private static func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        if leaves.count < 2 { return leaves.first ?? MerkleTree.emptyRoot }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        return MerkleTree.nodeHash(root(leaves.prefix(half)), root(leaves.dropFirst(half)))
    }

    /// A log of the largest size, made entry by entry; and its roots by the definition.
    private static func grown() throws -> (shelf: TileShelf, leaves: [[UInt8]], roots: [[UInt8]]) {
        let shelf = TileShelf()
        let leaves = (0..<most).map(leaf)
        for (index, leaf) in leaves.enumerated() { _ = try shelf.append(leaf, size: index) }
        return (shelf, leaves, (0...most).map { root(leaves.prefix($0)) })
    }

    @Test func rootsAreThoseOfTheDefinition() throws {
        let (shelf, leaves, roots) = try Self.grown()
        var replay = LogReplay()
        var whole = shelf.tree(size: Self.most)
        for size in 0...Self.most {
            var tree = shelf.tree(size: size)
            #expect(try tree.root() == roots[size])
            #expect(try whole.root(size: size) == roots[size])
            #expect(replay.root == roots[size])
            if size < Self.most { #expect(replay.add(Array("entry \(size)".utf8)).leafHash == leaves[size]) }
        }
    }

    @Test(arguments: [0..<150, 150..<300, 300..<450, 450..<600]) func everyEntryIsProvenInEveryTree(sizes: Range<Int>) throws {
        let (shelf, leaves, roots) = try Self.grown()
        for size in sizes.map({ $0 + 1 }) {
            var tree = shelf.tree(size: size)
            for index in stride(from: size % 7, to: size, by: 7).map({ $0 }) + [0, size - 1] {
                let proof = try tree.inclusionProof(index: index)
                try MerkleTree.verifyInclusion(leafHash: leaves[index], index: index, size: size, proof: proof, root: roots[size])
            }
        }
    }

    @Test(arguments: [0..<150, 150..<300, 300..<450, 450..<600]) func everyTreeIsTheBeginningOfLaterOnes(sizes: Range<Int>) throws {
        let (shelf, _, roots) = try Self.grown()
        for size in sizes.map({ $0 + 1 }) {
            var tree = shelf.tree(size: size)
            for earlier in stride(from: size % 5 + 1, through: size, by: 5).map({ $0 }) + [1, size] where earlier <= size {
                let proof = try tree.consistencyProof(from: earlier)
                try MerkleTree.verifyConsistency(size: earlier, root: roots[earlier], laterSize: size, laterRoot: roots[size], proof: proof)
                guard earlier > 1 else { continue }
                #expect(throws: MerkleTree.ProofError.self) {
                    try MerkleTree.verifyConsistency(
                        size: earlier, root: roots[earlier - 1], laterSize: size, laterRoot: roots[size], proof: proof)
                }
            }
        }
    }

    @Test(arguments: [(0, [0]), (254, [0]), (255, [0, 1]), (256, [0]), (511, [0, 1]), (512, [0])]) func anEntryChangesFewTiles(
        size: Int, levels: [Int]
    ) throws {
        let shelf = TileShelf()
        for index in 0..<size { _ = try shelf.append(Self.leaf(index), size: index) }
        let changed = try shelf.append(Self.leaf(size), size: size)
        #expect(changed.map(\.place.level) == levels)
        #expect(changed.first?.place.number == size / 256)
        #expect(changed.first?.hashes.count == size % 256 + 1)
        if levels.count > 1 { #expect(changed.last?.hashes.count == (size + 1) / 256) }
    }

    /// 65,536 entries fill a tile of level 1, and with it begin level 2.
    @Test func aThirdLevelBegins() throws {
        var replay = LogReplay()
        let shelf = TileShelf()
        let count = 65_536
        var last: [LogTile] = []
        for index in 0..<count {
            let entry = Array("entry \(index)".utf8)
            let whole = replay.add(entry).whole
            last = try shelf.append(MerkleTree.leafHash(entry), size: index)
            for tile in whole { #expect(shelf.tiles[tile.place] == tile.hashes) }
        }
        #expect(last.map(\.place) == [.init(level: 0, number: 255), .init(level: 1, number: 0), .init(level: 2, number: 0)])
        #expect(replay.partial == [LogTile(.init(level: 2, number: 0), [replay.root])])
        var tree = shelf.tree(size: count)
        #expect(try tree.root() == replay.root)
        shelf.forgetReads()
        var fresh = shelf.tree(size: count)
        let proof = try fresh.inclusionProof(index: 4711)
        try MerkleTree.verifyInclusion(
            leafHash: MerkleTree.leafHash(Array("entry 4711".utf8)), index: 4711, size: count, proof: proof, root: replay.root)
        #expect(Set(shelf.reads).count == shelf.reads.count, "each tile is read once")
        #expect(shelf.reads.count == 2)
    }

    @Test func theTilesOfAReplayAreThoseOfTheLog() throws {
        let (shelf, _, _) = try Self.grown()
        var replay = LogReplay()
        var seen: Set<LogTilePlace> = []
        for index in 0..<Self.most {
            for tile in replay.add(Array("entry \(index)".utf8)).whole {
                #expect(shelf.tiles[tile.place] == tile.hashes)
                seen.insert(tile.place)
            }
        }
        for tile in replay.partial {
            #expect(shelf.tiles[tile.place] == tile.hashes)
            seen.insert(tile.place)
        }
        #expect(seen == Set(shelf.tiles.keys))
    }

    @Test func aMissingTileIsNoTree() throws {
        let (shelf, _, _) = try Self.grown()
        shelf.remove(.init(level: 0, number: 2))
        var tree = shelf.tree(size: Self.most)
        #expect(throws: LogTree.Damaged.self) { _ = try tree.root() }
        #expect(throws: LogTree.Damaged.self) { _ = try tree.append(leafHash: Self.leaf(0)) }
        var earlier = shelf.tree(size: 512)
        #expect(throws: Never.self) { _ = try earlier.root() }
    }
}

@Suite struct LogTilePathTests {
    /// Source: C2SP tlog-tiles, whose example is 1234067; the others follow its rules.
    @Test(arguments: [
        ("0/x001/x234/067", LogTilePath(.hashes(level: 0), number: 1_234_067)), ("0/000", LogTilePath(.hashes(level: 0), number: 0)),
        ("1/x001/000.p/255", LogTilePath(.hashes(level: 1), number: 1000, width: 255)), ("63/999", LogTilePath(.hashes(level: 63), number: 999)),
        ("entries/x001/x234/067", LogTilePath(.entries, number: 1_234_067)), ("entries/000.p/1", LogTilePath(.entries, number: 0, width: 1)),
    ]) func paths(text: String, path: LogTilePath) {
        #expect(LogTilePath(text) == path)
        #expect(path.text == text)
    }

    @Test(arguments: [
        "", "/", "0", "0/", "0/1", "0/01", "0/0001", "0/x000/001", "0/x001", "0/001/002", "0/x001/x002", "00/000", "64/000", "-1/000", "+1/000",
        "0/000.p", "0/000.p/", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/1/2", "0/000/.p/1", "data/000", "entries", "entries/abc",
        "0/x1234/567", "0/x12a/567", "0/000/", "x001/x234/067", "0/٠٠٠", "0/x001/x001/x001/x001/x001/001", "0/000.p/1\n", "0/..", "0/000 ",
    ]) func others(text: String) { #expect(LogTilePath(text) == nil) }

    @Test func bundlesHoldEntriesOfEveryLength() {
        let entries = [[], [1], Array(repeating: UInt8(7), count: 256), Array(repeating: UInt8(9), count: LogEntryBundle.entryBytesMax)]
        let bytes = LogEntryBundle.bytes(entries) ?? []
        #expect(bytes.prefix(7) == [0, 0, 0, 1, 1, 1, 0])
        #expect(LogEntryBundle.entries(bytes) == entries)
        #expect(LogEntryBundle.bytes([Array(repeating: 0, count: LogEntryBundle.entryBytesMax + 1)]) == nil)
        for cut in [1, 3, 4, 6, bytes.count - 1] { #expect(LogEntryBundle.entries(Array(bytes.prefix(cut))) == nil) }
        #expect(LogEntryBundle.entries([]) == [])
    }
}

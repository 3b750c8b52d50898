import Sigstore
import Storage

extension TransparencyLog {
    /// What a replay of the whole log found.
    public struct Verification: Sendable, Hashable {
        /// Entries that were checked.
        public let entries: Int
        /// Checkpoints that were checked: of each state that the log ever signed.
        public let checkpoints: Int
        /// The newest checkpoint: who keeps it elsewhere can later see that nothing before it was changed or taken out.
        public let checkpoint: String
        /// What is wrong, in words, the first ``faultsMax``; empty when all fits.
        public let faults: [String]
    }

    /// Faults that are named. Chosen: behind a wrong entry everything is wrong.
    static let faultsMax = 20
    private static let pageLength = 256

    /// Replays the log from nothing: the hash of every entry, its promise, every tile, and every checkpoint's signature and tree.
    ///
    /// Every checkpoint is compared with the tree made anew of the same entries, so each is also the beginning of all later ones.
    /// Entries that come while it runs are left out.
    ///
    /// - Parameter since: a checkpoint that was kept elsewhere; it must be this log's, and the beginning of what is there.
    /// - Throws: ``ServiceError`` `bad_checkpoint` when `since` cannot be read.
    public func verify(since: String? = nil) async throws -> Verification {
        let kept = try since.map(Self.parsed)
        guard let newest = try await database.read({ try $0.newestLogCheckpoint() }) else { throw Self.notBegun }
        var walk = LogWalk(signer: signer, kept: kept, size: newest.size)
        try await walk.checkCheckpoints(from: database.read { try $0.logCheckpoints(from: 0, limit: 1) })
        while walk.replay.size < newest.size, walk.faults.count < Self.faultsMax {
            let from = walk.replay.size
            let limit = min(Self.pageLength, newest.size - from)
            let (entries, checkpoints) = try await database.read { reader in
                (try reader.logEntries(from: from, limit: limit), try reader.logCheckpoints(from: from + 1, limit: limit))
            }
            let whole = walk.check(entries, checkpoints)
            try await compare(whole, &walk)
            if entries.count < limit { break }
        }
        if walk.replay.size == newest.size { try await compare(walk.replay.partial, &walk) }
        let counts = try await database.read { try ($0.newestLogCheckpoint()?.size ?? 0, $0.logCounts()) }
        if counts.1.entries != counts.0 { walk.note("There are \(counts.1.entries) entries, and the newest checkpoint speaks of \(counts.0).") }
        if counts.1.checkpoints != counts.0 + 1 { walk.note("There are \(counts.1.checkpoints) checkpoints, and not one for each size.") }
        if counts.1.tiles != Self.tiles(size: counts.0) { walk.note("There are \(counts.1.tiles) tiles, and the tree has others.") }
        walk.finish()
        return Verification(
            entries: walk.replay.size, checkpoints: walk.checkpoints, checkpoint: newest.note, faults: Array(walk.faults.prefix(Self.faultsMax)))
    }

    private static func parsed(_ since: String) throws -> Checkpoint {
        do throws(SignedNote.Malformed) { return try Checkpoint(parsing: Array(since.utf8)) } catch {
            throw ServiceError(.malformed, code: "bad_checkpoint", "The checkpoint that was kept cannot be read: \(error.message).")
        }
    }

    /// Compares tiles with those that are stored, which may have grown since.
    private func compare(_ tiles: [LogTile], _ walk: inout LogWalk) async throws {
        for tile in tiles {
            let (stored, size) = try await database.read { reader in
                (try reader.logTile(level: tile.place.level, number: tile.place.number), try reader.newestLogCheckpoint()?.size)
            }
            let bytes = tile.bytes
            guard let stored, size == walk.size ? stored == bytes : stored.starts(with: bytes), stored.count % MerkleTree.hashBytes == 0 else {
                walk.note("Tile \(tile.place.number) of level \(tile.place.level) is not that of the entries.")
                continue
            }
        }
    }

    /// How many tiles a tree has.
    private static func tiles(size: Int) -> Int {
        var (tiles, hashes) = (0, size)
        while hashes > 0 {
            tiles += (hashes + LogTilePlace.widthMax - 1) / LogTilePlace.widthMax
            hashes /= LogTilePlace.widthMax
        }
        return tiles
    }
}

/// Where a replay is, and what it found so far.
private struct LogWalk {
    let signer: LogSigner
    /// What was kept elsewhere, until the replay comes to its size.
    private var kept: Checkpoint?
    /// Entries that are checked.
    let size: Int
    var replay = LogReplay()
    var checkpoints = 0
    private(set) var faults: [String] = []

    init(signer: LogSigner, kept: Checkpoint?, size: Int) {
        self.signer = signer
        self.size = size
        guard let kept else { return }
        do throws(Refusal) {
            try signer.verify(kept)
            self.kept = kept
        } catch {
            note("The checkpoint that was kept is not the log's: \(error.message)")
        }
    }

    mutating func note(_ fault: String) { faults.append(fault) }

    /// Checks the state before the first entry.
    mutating func checkCheckpoints(from rows: [LogCheckpointRow]) {
        guard let first = rows.first, first.size == 0 else { return note("The checkpoint of the empty log is missing.") }
        check(first)
        checkKept()
    }

    /// Checks entries and the checkpoint behind each.
    ///
    /// - Returns: the tiles that became whole.
    mutating func check(_ entries: [LogEntryRow], _ rows: [LogCheckpointRow]) -> [LogTile] {
        let bySize = Dictionary(rows.map { ($0.size, $0) }) { first, _ in first }
        var whole: [LogTile] = []
        for row in entries {
            guard row.number == replay.size else {
                note("Entry \(replay.size) is missing.")
                break
            }
            if !signer.isPromise(row.promise, body: row.body, index: row.number, integratedTime: row.integratedAt) {
                note("The promise of entry \(row.number) is not signed by this log, or is of another entry.")
            }
            let added = replay.add(row.body)
            if Hexadecimal.text(added.leafHash) != row.leafHash { note("Entry \(row.number) has another hash than it had when it was taken.") }
            whole += added.whole
            if let checkpoint = bySize[replay.size] {
                check(checkpoint)
            } else {
                note("The checkpoint of size \(replay.size) is missing.")
            }
            checkKept()
        }
        return whole
    }

    private mutating func check(_ row: LogCheckpointRow) {
        checkpoints += 1
        do {
            let checkpoint = try Checkpoint(parsing: Array(row.note.utf8))
            try signer.verify(checkpoint)
            guard checkpoint.size == row.size, checkpoint.root == replay.root else {
                return note("The checkpoint of size \(row.size) is of another tree than the entries.")
            }
        } catch let error as SignedNote.Malformed {
            note("The checkpoint of size \(row.size) cannot be read: \(error.message).")
        } catch let error as Refusal {
            note("The checkpoint of size \(row.size) is not the log's: \(error.message)")
        } catch {
            note("The checkpoint of size \(row.size) cannot be checked.")
        }
    }

    private mutating func checkKept() {
        guard let checkpoint = kept, checkpoint.size == replay.size else { return }
        kept = nil
        if checkpoint.root != replay.root { note("The log was changed: at size \(checkpoint.size) it is another than the checkpoint that was kept.") }
    }

    /// What is left to say once all entries are replayed.
    mutating func finish() {
        if replay.size < size { note("The log ends at \(replay.size) entries, and its newest checkpoint speaks of \(size).") }
        if let kept { note("The log was cut: it has \(replay.size) entries, and the checkpoint that was kept speaks of \(kept.size).") }
    }
}

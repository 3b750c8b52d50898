import JSON
import Sigstore
import Storage

extension SQLReader {
    /// The log's tree when it had so many entries.
    func logTree(size: Int) -> LogTree {
        LogTree(size: size) { place in
            guard let bytes = try logTile(level: place.level, number: place.number) else { return [] }
            guard let hashes = LogTile.hashes(bytes) else {
                throw LogTree.Damaged(message: "tile \(place.number) of level \(place.level) is no whole number of hashes")
            }
            return hashes
        }
    }

    /// What the log says of itself in this view of the database.
    func logState() throws -> TransparencyLog.State {
        guard let row = try newestLogCheckpoint() else { throw TransparencyLog.notBegun }
        return TransparencyLog.State(size: row.size, root: try Checkpoint(parsing: Array(row.note.utf8)).root, checkpoint: row.note)
    }

    /// An entry with its proof in the tree of this view.
    func logged(_ row: LogEntryRow, _ signer: LogSigner) throws -> LoggedEntry {
        let state = try logState()
        var tree = logTree(size: state.size)
        let proof = LoggedEntry.Proof(
            treeSize: state.size, root: state.root, hashes: try tree.inclusionProof(index: row.number), checkpoint: state.checkpoint)
        return LoggedEntry(signer, body: row.body, index: row.number, integratedTime: row.integratedAt, promise: row.promise, proof: proof)
    }
}

extension SQLWriter {
    /// Adds an entry to the log, with its tiles and the log's new checkpoint.
    ///
    /// The tree's size is that of this transaction, in which others may have added before.
    ///
    /// - Parameter now: seconds since 1970 UTC; where the clock went back, the time of the entry before counts.
    func append(_ proposed: ProposedEntry, at now: Int, _ signer: LogSigner) throws -> LoggedEntry {
        let leafHash = MerkleTree.leafHash(proposed.body)
        let name = Hexadecimal.text(leafHash)
        guard try logEntry(leafHash: name) == nil else {
            let uuid = signer.treeIDHexadecimal + name
            throw ServiceError(
                .conflict, code: "entry_exists", "an equivalent entry already exists in the transparency log with UUID \(uuid)",
                context: ["uuid": .string(uuid)])
        }
        guard let newest = try newestLogCheckpoint() else { throw TransparencyLog.notBegun }
        let (index, time) = (newest.size, max(now, newest.at))
        var tree = logTree(size: index)
        let tiles = try tree.append(leafHash: leafHash)
        let root = try tree.root()
        let checkpoint = String(decoding: try signer.checkpoint(size: tree.size, root: root), as: UTF8.self)
        let promise = try signer.promise(body: proposed.body, index: index, integratedTime: time)
        let proof = LoggedEntry.Proof(
            treeSize: tree.size, root: root, hashes: try tree.inclusionProof(index: index), checkpoint: checkpoint)
        // Everything that can fail for a damaged log is behind us: what follows are writes alone.
        try insert(
            LogEntryRow(number: index, leafHash: name, body: proposed.body, integratedAt: time, promise: promise), digests: proposed.digests)
        for tile in tiles { try putLogTile(level: tile.place.level, number: tile.place.number, hashes: tile.bytes) }
        try insert(LogCheckpointRow(size: tree.size, note: checkpoint, at: time))
        return LoggedEntry(signer, body: proposed.body, index: index, integratedTime: time, promise: promise, proof: proof)
    }
}

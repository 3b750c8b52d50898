import JSON
import Sigstore

/// What came of checking a log.
struct LogFinding {
    let entries: Int
    /// Signed states that were checked beside the newest; `nil` where they are not at hand.
    let checkpoints: Int?
    let checkpoint: String
    let faults: [String]
}

/// A log that is read over the network, as a monitor does it.
struct RemoteLog {
    let client: APIClient
    /// Those that are believed.
    let logs: [TrustedRoot.Log]

    /// Makes the log's tree anew from its entries, and compares its tiles, its checkpoint, and one that was kept.
    func check(since kept: String?) async throws -> LogFinding {
        let note = String(decoding: try await client.document("/rekor/checkpoint"), as: UTF8.self)
        let checkpoint = try trusted(note, "The log's checkpoint")
        let earlier = try kept.map { try trusted($0, "The checkpoint that was kept") }
        var faults: [String] = []
        if let earlier, earlier.origin != checkpoint.origin { faults.append("The checkpoint that was kept is of the log \(earlier.origin).") }
        if let earlier, earlier.size > checkpoint.size {
            faults.append("The log was cut: it has \(checkpoint.size) entries, and the checkpoint that was kept speaks of \(earlier.size).")
        }
        var replay = LogReplay()
        func compareKept() {
            guard let earlier, earlier.size == replay.size, earlier.root != replay.root else { return }
            faults.append("The log was changed: at size \(replay.size) it is another than the checkpoint that was kept.")
        }
        compareKept()
        while replay.size < checkpoint.size {
            let number = replay.size / LogTilePlace.widthMax
            let path = LogTilePath(.entries, number: number, width: min(LogTilePlace.widthMax, checkpoint.size - replay.size))
            guard let entries = try await document(path).flatMap(LogEntryBundle.entries), entries.count == path.width else {
                faults.append("The entries from \(replay.size) on are not \(path.width).")
                break
            }
            for entry in entries {
                let whole = replay.add(entry).whole
                compareKept()
                for tile in whole { try await compare(tile, &faults) }
            }
        }
        if replay.size == checkpoint.size {
            for tile in replay.partial { try await compare(tile, &faults) }
            if replay.root != checkpoint.root { faults.append("The log's checkpoint is of another tree than its entries.") }
        }
        return LogFinding(entries: replay.size, checkpoints: nil, checkpoint: note, faults: faults)
    }

    /// A part of the log that its checkpoint speaks of; `nil` where the log does not have it.
    private func document(_ path: LogTilePath) async throws -> [UInt8]? {
        do { return try await client.document("/rekor/tile/\(path.text)") } catch let failure as CommandFailure where failure.exit == .notFound {
            return nil
        }
    }

    private func compare(_ tile: LogTile, _ faults: inout [String]) async throws {
        let path = LogTilePath(.hashes(level: tile.place.level), number: tile.place.number, width: tile.hashes.count)
        if try await document(path) != tile.bytes { faults.append("Tile \(path.text) is not that of the entries.") }
    }

    /// A checkpoint that a trusted log signed.
    private func trusted(_ note: String, _ what: String) throws -> Checkpoint {
        let checkpoint: Checkpoint
        do throws(SignedNote.Malformed) { checkpoint = try Checkpoint(parsing: Array(note.utf8)) } catch {
            throw CommandFailure(.failed, "\(what) cannot be read: \(error.message).")
        }
        guard logs.contains(where: { (log: TrustedRoot.Log) in (try? log.verify(checkpoint)) != nil }) else {
            throw CommandFailure(.failed, "\(what) is signed by no log of the trusted root.")
        }
        return checkpoint
    }
}

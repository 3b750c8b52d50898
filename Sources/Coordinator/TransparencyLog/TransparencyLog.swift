public import JSON
public import Sigstore
public import Storage

/// This network's own transparency log of signatures, as clients of Rekor version 1 and readers of C2SP tiles know it.
///
/// An entry, the tiles of the tree and what the log signs of its new state are one transaction: a process that dies at any moment leaves a
/// log that verifies and has all that was acknowledged.
public struct TransparencyLog: Sendable {
    let database: any Database
    let surroundings: Surroundings
    /// What the log signs with.
    public let signer: LogSigner

    /// The log of a database.
    public init(database: any Database, signer: LogSigner, surroundings: Surroundings) {
        self.database = database
        self.signer = signer
        self.surroundings = surroundings
    }

    /// The name in the log's signatures. Chosen: clients know a log by its key; the tree's number behind it tells logs apart.
    public static let name = "archipelago"

    /// Entries that one request can ask for. Source: sigstore/rekor, openapi.yaml, `SearchLogQuery`.
    public static let retrievedMax = 10
    /// Entries that a search by digest answers at most. Chosen: nobody signs one artifact so often in earnest.
    public static let foundMax = 1000

    /// Signs the empty log, once; call before anything is asked of it.
    ///
    /// - Throws: ``ServiceError`` `log_key_mismatch` when the log in the database was signed with another key.
    public func begin() async throws {
        let now = surroundings.now().milliseconds / 1000
        let signer = signer
        let newest = try await database.write { writer in
            if let newest = try writer.newestLogCheckpoint() { return newest }
            let first = LogCheckpointRow(
                size: 0, note: String(decoding: try signer.checkpoint(size: 0, root: MerkleTree.emptyRoot), as: UTF8.self), at: now)
            try writer.insert(first)
            return first
        }
        do {
            try signer.verify(Checkpoint(parsing: Array(newest.note.utf8)))
        } catch {
            throw ServiceError(
                .unavailable, code: "log_key_mismatch",
                "The transparency log in the database was signed with another key than the one in log.key; bring that file back from a backup.",
                cause: "\(error)")
        }
    }

    // MARK: Entries

    /// Takes an entry: verifies it, and answers once it is on disk.
    ///
    /// - Throws: ``ServiceError`` `malformed` with the code of ``ProposedEntry/Refused``; `conflict` (`entry_exists`, with `uuid`) for an entry
    ///   that is there.
    public func append(_ object: JSONObject) async throws -> LoggedEntry {
        let proposed = try Self.proposed(object)
        let now = surroundings.now().milliseconds / 1000
        let signer = signer
        return try await database.write { try $0.append(proposed, at: now, signer) }
    }

    private static func proposed(_ object: JSONObject) throws -> ProposedEntry {
        do throws(ProposedEntry.Refused) { return try ProposedEntry(object) } catch {
            throw ServiceError(.malformed, code: error.code.rawValue, error.message)
        }
    }

    /// The entry at a place, with a proof in the tree as it is now.
    public func entry(index: Int) async throws -> LoggedEntry {
        let signer = signer
        return try await database.read { reader in
            guard index >= 0, let row = try reader.logEntry(number: index) else { throw ServiceError.notFound("entry \(index) in the log") }
            return try reader.logged(row, signer)
        }
    }

    /// The entry with a UUID: its hash in 64 hexadecimal digits, which the tree's number in 16 may stand before.
    public func entry(uuid: String) async throws -> LoggedEntry {
        guard let hash = leafHash(uuid: uuid) else { throw ServiceError.notFound("entry '\(uuid.prefix(80))' in the log") }
        let signer = signer
        return try await database.read { reader in
            guard let row = try reader.logEntry(leafHash: hash) else { throw ServiceError.notFound("entry '\(uuid)' in the log") }
            return try reader.logged(row, signer)
        }
    }

    private func leafHash(uuid: String) -> String? {
        let text = uuid.lowercased()
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        switch text.utf8.count {
        case 64: return text
        case 80 where text.hasPrefix(signer.treeIDHexadecimal): return String(text.dropFirst(16))
        default: return nil
        }
    }

    /// Which entries are wanted: by UUID, by place, or as they were proposed.
    public struct Query: Sendable, Hashable {
        let uuids: [String]
        let indexes: [Int]
        let entries: [JSONObject]

        /// Reads a request body: `entryUUIDs`, `logIndexes`, `entries`, together at most ``TransparencyLog/retrievedMax``.
        public init(_ object: JSONObject) throws {
            func list<Element>(_ name: String, _ kind: String, _ convert: (JSONValue) -> Element?) throws -> [Element] {
                guard let value = object[name], !value.isNull else { return [] }
                guard let elements = value.array?.map(convert), !elements.contains(where: { $0 == nil }) else {
                    throw ServiceError(.malformed, code: "malformed_query", "\(name) must be an array of \(kind).")
                }
                return elements.compactMap(\.self)
            }
            uuids = try list("entryUUIDs", "texts", \.string)
            indexes = try list("logIndexes", "whole numbers", \.int)
            entries = try list("entries", "objects", \.object)
            guard (1...TransparencyLog.retrievedMax).contains(uuids.count + indexes.count + entries.count) else {
                throw ServiceError(.malformed, code: "malformed_query", "Ask for 1 to \(TransparencyLog.retrievedMax) entries.")
            }
        }
    }

    /// The wanted entries that there are, each with a proof in one and the same tree.
    public func retrieve(_ query: Query) async throws -> [LoggedEntry] {
        let proposed = try query.entries.map { Hexadecimal.text(MerkleTree.leafHash(try Self.proposed($0).body)) }
        let hashes = query.uuids.compactMap(leafHash) + proposed
        let signer = signer
        return try await database.read { reader in
            let rows = try query.indexes.compactMap { try reader.logEntry(number: $0) } + hashes.compactMap { try reader.logEntry(leafHash: $0) }
            return try rows.map { try reader.logged($0, signer) }
        }
    }

    /// The UUIDs of entries about an artifact, the oldest first, at most ``foundMax``.
    ///
    /// - Parameter digest: an algorithm's name, a colon and hexadecimal digits; without a name it is SHA-256.
    public func search(digest: String) async throws -> [String] {
        let text = digest.lowercased()
        guard text.utf8.allSatisfy({ (0x30...0x3A).contains($0) || (0x61...0x7A).contains($0) }) else { return [] }
        let wanted = text.contains(":") ? text : "sha256:" + text
        let found = try await database.read { try $0.logLeafHashes(digest: wanted, limit: Self.foundMax) }
        return found.map { signer.treeIDHexadecimal + $0 }
    }

    // MARK: The tree

    /// The log's state.
    public struct State: Sendable, Hashable {
        /// Entries.
        public let size: Int
        /// The tree's hash.
        public let root: [UInt8]
        /// The signed note that says so.
        public let checkpoint: String
    }

    /// What the log says of itself now.
    public func state() async throws -> State { try await database.read { try $0.logState() } }

    /// That the log as it was is the beginning of the log as it became: the hash of the later tree, and the proof.
    ///
    /// - Throws: ``ServiceError`` `malformed` for sizes that are not `1 <= firstSize <= lastSize <=` the log's.
    public func consistency(firstSize: Int, lastSize: Int) async throws -> (root: [UInt8], hashes: [[UInt8]]) {
        try await database.read { reader in
            let size = try reader.logState().size
            guard firstSize >= 1, firstSize <= lastSize, lastSize <= size else {
                throw ServiceError(
                    .malformed, code: "bad_sizes", "firstSize must be at least 1 and at most lastSize, and that at most \(size), the log's size.")
            }
            var tree = reader.logTree(size: lastSize)
            return (try tree.root(), try tree.consistencyProof(from: firstSize))
        }
    }

    /// The bytes that a path below `tile/` names: hashes one after the other, or entries each behind its length.
    public func tile(_ path: LogTilePath) async throws -> [UInt8] {
        let missing = ServiceError.notFound("tile '\(path.text)'")
        return try await database.read { reader in
            switch path.kind {
            case .hashes(let level):
                let wanted = path.width * MerkleTree.hashBytes
                guard let hashes = try reader.logTile(level: level, number: path.number), hashes.count >= wanted else { throw missing }
                return Array(hashes.prefix(wanted))
            case .entries:
                let rows = try reader.logEntries(from: path.number * LogTilePlace.widthMax, limit: path.width)
                guard rows.count == path.width, let bytes = LogEntryBundle.bytes(rows.map(\.body)) else { throw missing }
                return bytes
            }
        }
    }

    // MARK: Trust

    /// The trusted root of this network, a document of Sigstore.
    ///
    /// - Parameter baseURL: the log's address, without a slash at its end.
    public func trustedRoot(baseURL: String) async throws -> JSONObject {
        guard let first = try await database.read({ try $0.logCheckpoint(size: 0) }) else { throw Self.notBegun }
        return TrustedRoot.document(of: signer, baseURL: baseURL, start: Timestamp(milliseconds: first.at * 1000).description)
    }

    static let notBegun = ServiceError(.unavailable, code: "log_not_begun", "The transparency log has not begun yet.")
}

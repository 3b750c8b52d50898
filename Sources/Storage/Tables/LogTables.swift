/// A row of `log_entries`: what the transparency log has at one place. It is never changed.
public struct LogEntryRow: Sendable, Hashable {
    /// Its place, from 0, without gaps.
    public let number: Int
    /// The hash of the entry in the tree: 64 lower-case hexadecimal digits.
    public let leafHash: String
    /// The entry.
    public let body: [UInt8]
    /// When it was taken, in seconds since 1970 UTC.
    public let integratedAt: Int
    /// The log's signature over entry, time and place.
    public let promise: [UInt8]

    /// A row to store.
    public init(number: Int, leafHash: String, body: [UInt8], integratedAt: Int, promise: [UInt8]) {
        self.number = number
        self.leafHash = leafHash
        self.body = body
        self.integratedAt = integratedAt
        self.promise = promise
    }

    init(_ row: SQLRow) throws {
        number = try row.int("number")
        leafHash = try row.text("leaf_hash")
        body = try row.blob("body")
        integratedAt = try row.int("integrated_at")
        promise = try row.blob("promise")
    }
}

/// A row of `log_checkpoints`: what the log once said of itself. It is never changed.
public struct LogCheckpointRow: Sendable, Hashable {
    /// Entries that the log had.
    public let size: Int
    /// The signed note.
    public let note: String
    /// When it was signed, in seconds since 1970 UTC.
    public let at: Int

    /// A row to store.
    public init(size: Int, note: String, at: Int) {
        self.size = size
        self.note = note
        self.at = at
    }

    init(_ row: SQLRow) throws {
        size = try row.int("size")
        note = try row.text("note")
        at = try row.int("at")
    }
}

extension SQLReader {
    /// The entry at a place.
    public func logEntry(number: Int) throws -> LogEntryRow? {
        try first("SELECT * FROM log_entries WHERE number = ?", [.integer(number)]).map(LogEntryRow.init)
    }

    /// The entry with a hash.
    public func logEntry(leafHash: String) throws -> LogEntryRow? {
        try first("SELECT * FROM log_entries WHERE leaf_hash = ?", [.text(leafHash)]).map(LogEntryRow.init)
    }

    /// Entries from a place on, in their order.
    public func logEntries(from number: Int, limit: Int) throws -> [LogEntryRow] {
        try query("SELECT * FROM log_entries WHERE number >= ? ORDER BY number LIMIT ?", [.integer(number), .integer(limit)]).map(LogEntryRow.init)
    }

    /// The hashes of a tile, one after the other; `nil` for one that is not there.
    public func logTile(level: Int, number: Int) throws -> [UInt8]? {
        try first("SELECT hashes FROM log_tiles WHERE level = ? AND number = ?", [.integer(level), .integer(number)])?.blob("hashes")
    }

    /// What the log says of itself now; `nil` before it began.
    public func newestLogCheckpoint() throws -> LogCheckpointRow? {
        try first("SELECT * FROM log_checkpoints ORDER BY size DESC LIMIT 1", []).map(LogCheckpointRow.init)
    }

    /// What the log said of itself when it had so many entries.
    public func logCheckpoint(size: Int) throws -> LogCheckpointRow? {
        try first("SELECT * FROM log_checkpoints WHERE size = ?", [.integer(size)]).map(LogCheckpointRow.init)
    }

    /// What the log said of itself from a size on, in the order of sizes.
    public func logCheckpoints(from size: Int, limit: Int) throws -> [LogCheckpointRow] {
        try query("SELECT * FROM log_checkpoints WHERE size >= ? ORDER BY size LIMIT ?", [.integer(size), .integer(limit)]).map(LogCheckpointRow.init)
    }

    /// How many tiles, entries and checkpoints there are.
    public func logCounts() throws -> (tiles: Int, entries: Int, checkpoints: Int) {
        (
            try count("SELECT count(*) AS n FROM log_tiles", []), try count("SELECT count(*) AS n FROM log_entries", []),
            try count("SELECT count(*) AS n FROM log_checkpoints", [])
        )
    }

    /// The hashes of entries that are found by a digest, the oldest first.
    public func logLeafHashes(digest: String, limit: Int) throws -> [String] {
        try query(
            """
            SELECT e.leaf_hash FROM log_digests d JOIN log_entries e ON e.number = d.number WHERE d.digest = ? ORDER BY d.number LIMIT ?
            """, [.text(digest), .integer(limit)]
        ).map { try $0.text("leaf_hash") }
    }
}

extension SQLWriter {
    /// Stores the next entry, and by which digests it is found; each once.
    ///
    /// - Throws: `alreadyExists` when the place or the entry is taken.
    public func insert(_ row: LogEntryRow, digests: [String]) throws {
        try execute(
            "INSERT INTO log_entries (number, leaf_hash, body, integrated_at, promise) VALUES (?, ?, ?, ?, ?)",
            [.integer(row.number), .text(row.leafHash), .blob(row.body), .integer(row.integratedAt), .blob(row.promise)])
        for digest in digests {
            try execute("INSERT INTO log_digests (digest, number) VALUES (?, ?)", [.text(digest), .integer(row.number)])
        }
    }

    /// Stores a tile with one hash more than before.
    public func putLogTile(level: Int, number: Int, hashes: [UInt8]) throws {
        try execute(
            """
            INSERT INTO log_tiles (level, number, hashes) VALUES (?, ?, ?)
            ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
            """, [.integer(level), .integer(number), .blob(hashes)])
    }

    /// Stores what the log says of itself.
    ///
    /// - Throws: `alreadyExists` when it said so before.
    public func insert(_ row: LogCheckpointRow) throws {
        try execute(
            "INSERT INTO log_checkpoints (size, note, at) VALUES (?, ?, ?)", [.integer(row.size), .text(row.note), .integer(row.at)])
    }
}

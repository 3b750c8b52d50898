/// A row of `islands`.
public struct IslandRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The account whose machine it is.
    public let ownerID: String
    /// Its name for people.
    public let name: String
    /// Whether it takes no new jobs.
    public let drained: Bool
    /// What it said it can do, as JSON text; `nil` before its first hello.
    public let capabilities: String?
    /// Milliseconds since 1970 UTC.
    public let lastSeenAt: Int?
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        ownerID = try row.text("owner_id")
        name = try row.text("name")
        drained = try row.flag("drained")
        capabilities = try row.optionalText("capabilities")
        lastSeenAt = try row.optionalInt("last_seen_at")
        createdAt = try row.int("created_at")
    }
}

extension SQLReader {
    /// The Island of an id.
    public func island(id: String) throws -> IslandRow? {
        try first("SELECT * FROM islands WHERE id = ?", [.text(id)]).map(IslandRow.init)
    }

    /// The Island of a token's hash.
    public func island(tokenHash: String) throws -> IslandRow? {
        try first("SELECT * FROM islands WHERE token_hash = ?", [.text(tokenHash)]).map(IslandRow.init)
    }

    /// Islands of an owner (of all owners when `nil`), oldest first, and how many there are.
    public func islands(ownerID: String?, limit: Int, offset: Int) throws -> (rows: [IslandRow], total: Int) {
        let filter = ownerID == nil ? "" : " WHERE owner_id = ?"
        let arguments = ownerID.map { [SQLValue.text($0)] } ?? []
        let total = try count("SELECT count(*) AS n FROM islands\(filter)", arguments)
        let rows = try query("SELECT * FROM islands\(filter) ORDER BY id LIMIT ? OFFSET ?", arguments + [.integer(limit), .integer(offset)])
        return (try rows.map(IslandRow.init), total)
    }
}

extension SQLWriter {
    /// Stores a new Island.
    public func insertIsland(id: String, ownerID: String, name: String, tokenHash: String, at now: Int) throws {
        try execute(
            "INSERT INTO islands (id, owner_id, name, token_hash, drained, created_at) VALUES (?, ?, ?, ?, 0, ?)",
            [.text(id), .text(ownerID), .text(name), .text(tokenHash), .integer(now)])
    }

    /// Stores what an Island said of itself.
    public func noteIslandSeen(id: String, capabilities: String, at now: Int) throws {
        try execute(
            "UPDATE islands SET capabilities = ?, last_seen_at = ? WHERE id = ?", [.text(capabilities), .integer(now), .text(id)])
    }

    /// Stores whether an Island takes new jobs.
    public func setIslandDrained(_ drained: Bool, id: String) throws {
        try execute("UPDATE islands SET drained = ? WHERE id = ?", [.flag(drained), .text(id)])
    }
}

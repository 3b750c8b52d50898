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
    /// Its karma.
    public let karma: Int
    /// Good work since the last point of karma, in milliseconds.
    public let workMilliseconds: Int
    /// When karma last came back by itself, or was lost; milliseconds since 1970 UTC.
    public let karmaAt: Int

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        ownerID = try row.text("owner_id")
        name = try row.text("name")
        drained = try row.flag("drained")
        capabilities = try row.optionalText("capabilities")
        lastSeenAt = try row.optionalInt("last_seen_at")
        createdAt = try row.int("created_at")
        karma = try row.int("karma")
        workMilliseconds = try row.int("work_ms")
        karmaAt = try row.int("karma_at")
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

/// A row of `karma_events`: one change of an Island's karma.
public struct KarmaEventRow: Sendable, Hashable {
    /// Milliseconds since 1970 UTC.
    public let at: Int
    /// Points that came, or went where it is negative.
    public let change: Int
    /// The karma after it.
    public let karma: Int
    /// `work`, `recovery` or the code of a fault.
    public let reason: String
    /// The job that it is about.
    public let jobID: String?

    init(_ row: SQLRow) throws {
        at = try row.int("at")
        change = try row.int("change")
        karma = try row.int("karma")
        reason = try row.text("reason")
        jobID = try row.optionalText("job_id")
    }
}

extension SQLReader {
    /// The newest change of an Island's karma for one of some reasons.
    public func newestKarmaEvent(islandID: String, reasons: [String]) throws -> KarmaEventRow? {
        let marks = reasons.map { _ in "?" }.joined(separator: ", ")
        return try first(
            "SELECT * FROM karma_events WHERE island_id = ? AND reason IN (\(marks)) ORDER BY id DESC LIMIT 1",
            [.text(islandID)] + reasons.map { .text($0) }
        ).map(KarmaEventRow.init)
    }

    /// Changes of an Island's karma, newest first, and how many there are.
    public func karmaEvents(islandID: String, limit: Int, offset: Int) throws -> (rows: [KarmaEventRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM karma_events WHERE island_id = ?", [.text(islandID)])
        let rows = try query(
            "SELECT * FROM karma_events WHERE island_id = ? ORDER BY id DESC LIMIT ? OFFSET ?", [.text(islandID), .integer(limit), .integer(offset)])
        return (try rows.map(KarmaEventRow.init), total)
    }
}

extension SQLWriter {
    /// Stores an Island's karma.
    public func setKarma(_ karma: Int, workMilliseconds: Int, at karmaAt: Int, islandID: String) throws {
        try execute(
            "UPDATE islands SET karma = ?, work_ms = ?, karma_at = ? WHERE id = ?",
            [.integer(karma), .integer(workMilliseconds), .integer(karmaAt), .text(islandID)])
    }

    /// Keeps a change of an Island's karma.
    public func insertKarmaEvent(islandID: String, change: Int, karma: Int, reason: String, jobID: String?, at now: Int) throws {
        try execute(
            "INSERT INTO karma_events (island_id, at, change, karma, reason, job_id) VALUES (?, ?, ?, ?, ?, ?)",
            [.text(islandID), .integer(now), .integer(change), .integer(karma), .text(reason), .optional(jobID)])
    }

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

    /// Stores when an Island was last connected.
    public func noteIslandSeen(id: String, at now: Int) throws {
        try execute("UPDATE islands SET last_seen_at = ? WHERE id = ?", [.integer(now), .text(id)])
    }

    /// Stores whether an Island takes new jobs.
    public func setIslandDrained(_ drained: Bool, id: String) throws {
        try execute("UPDATE islands SET drained = ? WHERE id = ?", [.flag(drained), .text(id)])
    }
}

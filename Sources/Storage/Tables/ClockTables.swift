extension SQLReader {
    /// Until when a coordinator counted the time of what runs, milliseconds since 1970 UTC; `nil` before the first time.
    public func clockSeen() throws -> Int? { try first("SELECT seen_at FROM coordinator_clock", []).map { try $0.int("seen_at") } }
}

extension SQLWriter {
    /// Notes until when time was counted.
    public func noteClock(at now: Int) throws {
        try execute(
            "INSERT INTO coordinator_clock (id, seen_at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at", [.integer(now)])
    }

    /// Moves the beginning of a running attempt, so that a time that nobody counted is not in it.
    public func moveStart(of jobID: String, to startedAt: Int) throws {
        try execute("UPDATE jobs SET started_at = ? WHERE id = ?", [.integer(startedAt), .text(jobID)])
    }
}

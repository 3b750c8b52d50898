extension Migration {
    /// Until when a coordinator counted the time of what runs: one row.
    static let clock = Migration(
        number: 11, statements: ["CREATE TABLE coordinator_clock (id BIGINT PRIMARY KEY CHECK (id = 1), seen_at BIGINT NOT NULL)"])
}

extension Migration {
    /// The transparency log: entries, the tiles of its tree, every state that it signed, and by which digests entries are found.
    static let log = Migration(
        number: 8,
        statements: [
            """
            CREATE TABLE log_entries (
                number BIGINT PRIMARY KEY, leaf_hash TEXT NOT NULL UNIQUE, body {bytes} NOT NULL, integrated_at BIGINT NOT NULL,
                promise {bytes} NOT NULL)
            """,
            "CREATE TABLE log_tiles (level BIGINT NOT NULL, number BIGINT NOT NULL, hashes {bytes} NOT NULL, PRIMARY KEY (level, number))",
            "CREATE TABLE log_checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL, at BIGINT NOT NULL)",
            """
            CREATE TABLE log_digests (
                digest TEXT NOT NULL, number BIGINT NOT NULL REFERENCES log_entries (number), PRIMARY KEY (digest, number)){clustered}
            """,
        ])
}

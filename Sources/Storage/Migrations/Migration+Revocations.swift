extension Migration {
    /// Images that nobody may run any more. Those of every publisher have no account, which is the empty text here.
    static let revocations = Migration(
        number: 10,
        statements: [
            """
            CREATE TABLE digest_revocations (
                digest TEXT NOT NULL, account_id TEXT NOT NULL, revoked_by TEXT NOT NULL REFERENCES accounts (id), reason TEXT NOT NULL,
                revoked_at BIGINT NOT NULL, PRIMARY KEY (digest, account_id))
            """,
            "CREATE INDEX digest_revocations_time ON digest_revocations (revoked_at, digest)",
            "CREATE INDEX submissions_digest ON submissions (image_digest)",
        ])
}

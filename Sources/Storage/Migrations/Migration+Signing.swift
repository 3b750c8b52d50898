extension Migration {
    /// By what publishers sign, and the texts that they have to sign first.
    static let signing = Migration(
        number: 9,
        statements: [
            """
            CREATE TABLE signing_identities (
                id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), kind TEXT NOT NULL, name TEXT NOT NULL,
                claim TEXT NOT NULL, public_key TEXT, issuer TEXT, identity TEXT, created_at BIGINT NOT NULL, revoked_at BIGINT)
            """,
            "CREATE INDEX signing_identities_account ON signing_identities (account_id, id)",
            "CREATE INDEX signing_identities_claim ON signing_identities (claim)",
            // Whatever code asks for it, nobody signs for two accounts.
            "CREATE UNIQUE INDEX signing_identities_active ON signing_identities (claim) WHERE revoked_at IS NULL",
            """
            CREATE TABLE signing_challenges (
                challenge TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX signing_challenges_account ON signing_challenges (account_id, created_at)",
        ])
}

extension Migration {
    /// By what publishers sign, the texts that they have to sign first, the signatures of images that were found
    /// valid, and certifications.
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
            """
            CREATE TABLE submission_signatures (
                submission_id BIGINT PRIMARY KEY REFERENCES submissions (id), digest TEXT NOT NULL, layout TEXT NOT NULL,
                signing_identity_id TEXT NOT NULL REFERENCES signing_identities (id), kind TEXT NOT NULL, signer TEXT NOT NULL, issuer TEXT,
                public_key TEXT, log_id TEXT NOT NULL, log_index BIGINT NOT NULL, signed_at BIGINT, verified_at BIGINT NOT NULL,
                annotations TEXT NOT NULL, content {bytes} NOT NULL)
            """,
            "CREATE INDEX submission_signatures_identity ON submission_signatures (signing_identity_id)",
            "ALTER TABLE submissions ADD COLUMN signature TEXT",
            """
            CREATE TABLE certifications (
                id {identity}, workload_id BIGINT NOT NULL REFERENCES workloads (id), submission_id BIGINT NOT NULL REFERENCES submissions (id),
                level BIGINT NOT NULL, state TEXT NOT NULL, requested_by TEXT NOT NULL, requested_at BIGINT NOT NULL, decided_by TEXT,
                decided_at BIGINT, note TEXT NOT NULL, ended_at BIGINT, ended_because TEXT)
            """,
            "CREATE INDEX certifications_workload ON certifications (workload_id, id)",
            "CREATE INDEX certifications_state ON certifications (state, id)",
        ])
}

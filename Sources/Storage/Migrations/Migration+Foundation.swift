extension Migration {
    /// Accounts, publishing, scans, Islands, jobs and transcripts. Times are milliseconds since 1970 UTC.
    static let foundation = Migration(
        number: 1,
        statements: [
            """
            CREATE TABLE accounts (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, standing TEXT NOT NULL, created_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE api_keys (
                id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), name TEXT NOT NULL, prefix TEXT NOT NULL,
                hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, created_at BIGINT NOT NULL, revoked_at BIGINT)
            """,
            "CREATE INDEX api_keys_account ON api_keys (account_id)",
            """
            CREATE TABLE workloads (
                id {identity}, slug TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL REFERENCES accounts (id),
                published_submission_id BIGINT, created_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE submissions (
                id {identity}, workload_id BIGINT NOT NULL REFERENCES workloads (id),
                publisher_id TEXT NOT NULL REFERENCES accounts (id), state TEXT NOT NULL, fields TEXT NOT NULL, search_text TEXT NOT NULL,
                version TEXT NOT NULL, image_digest TEXT, platforms TEXT NOT NULL, trust_level BIGINT,
                reviewer_id TEXT REFERENCES accounts (id), review_note TEXT, rejection_reason TEXT, rejection_rule TEXT,
                created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, submitted_at BIGINT, reviewed_at BIGINT,
                published_at BIGINT)
            """,
            "CREATE INDEX submissions_publisher ON submissions (publisher_id, state)",
            "CREATE INDEX submissions_state ON submissions (state, submitted_at)",
            "CREATE INDEX submissions_workload ON submissions (workload_id, state)",
            """
            CREATE TABLE submission_events (
                id {identity}, submission_id BIGINT NOT NULL REFERENCES submissions (id), at BIGINT NOT NULL,
                actor_id TEXT NOT NULL, action TEXT NOT NULL, to_state TEXT NOT NULL, note TEXT NOT NULL)
            """,
            "CREATE INDEX submission_events_submission ON submission_events (submission_id, id)",
            """
            CREATE TABLE scans (
                id {identity}, submission_id BIGINT NOT NULL REFERENCES submissions (id), digest TEXT NOT NULL,
                state TEXT NOT NULL, verdict TEXT, findings TEXT NOT NULL, reports TEXT NOT NULL, failure TEXT,
                tries BIGINT NOT NULL, due_at BIGINT NOT NULL, created_at BIGINT NOT NULL, finished_at BIGINT)
            """,
            "CREATE INDEX scans_submission ON scans (submission_id, id)",
            "CREATE INDEX scans_due ON scans (state, due_at)",
            """
            CREATE TABLE islands (
                id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES accounts (id), name TEXT NOT NULL,
                token_hash TEXT NOT NULL UNIQUE, drained BIGINT NOT NULL, capabilities TEXT, last_seen_at BIGINT,
                created_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE jobs (
                id TEXT PRIMARY KEY, workload_id BIGINT NOT NULL REFERENCES workloads (id),
                submission_id BIGINT NOT NULL REFERENCES submissions (id), consumer_id TEXT NOT NULL REFERENCES accounts (id),
                state TEXT NOT NULL, attempt BIGINT NOT NULL, island_id TEXT, failed_islands TEXT NOT NULL, first_cause TEXT, failure TEXT,
                input TEXT NOT NULL, priority BIGINT NOT NULL, max_credits BIGINT, timeout_ms BIGINT NOT NULL,
                records BIGINT NOT NULL, stored_up_to BIGINT NOT NULL, frame_bytes BIGINT NOT NULL, tokens BIGINT NOT NULL,
                credits_used BIGINT,
                created_at BIGINT NOT NULL, started_at BIGINT, completed_at BIGINT, run_ms BIGINT)
            """,
            "CREATE INDEX jobs_consumer ON jobs (consumer_id, id)",
            "CREATE INDEX jobs_state ON jobs (state, priority, id)",
            "CREATE INDEX jobs_workload ON jobs (workload_id, state)",
            """
            CREATE TABLE records (
                job_id TEXT NOT NULL REFERENCES jobs (id), seq BIGINT NOT NULL, attempt BIGINT NOT NULL,
                kind TEXT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (job_id, seq)){clustered}
            """,
            """
            CREATE TABLE late_results (
                id {identity}, job_id TEXT NOT NULL REFERENCES jobs (id), attempt BIGINT NOT NULL, island_id TEXT NOT NULL,
                at BIGINT NOT NULL, what TEXT NOT NULL)
            """,
            "CREATE INDEX late_results_job ON late_results (job_id)",
        ])
}

extension Migration {
    /// Credits: a double-entry ledger, and what is held for jobs. Keys by which a repeated request is known; jobs that are sent together; the
    /// queue of jobs that wait; what came of jobs, for reputation; karma of Islands.
    static let ledger = Migration(
        number: 5,
        statements: [
            // Whatever code asks for it, no balance but that of the source goes below zero.
            """
            CREATE TABLE ledger_balances (
                account TEXT PRIMARY KEY, balance BIGINT NOT NULL, CHECK (balance >= 0 OR account = 'issued'))
            """,
            """
            CREATE TABLE ledger_transfers (
                id {identity}, kind TEXT NOT NULL, job_id TEXT REFERENCES jobs (id), actor_id TEXT NOT NULL, note TEXT NOT NULL,
                at BIGINT NOT NULL)
            """,
            // A job is held for once and settled once.
            "CREATE UNIQUE INDEX ledger_transfers_job ON ledger_transfers (job_id, kind)",
            """
            CREATE TABLE ledger_entries (
                account TEXT NOT NULL, transfer_id BIGINT NOT NULL REFERENCES ledger_transfers (id), amount BIGINT NOT NULL,
                balance BIGINT NOT NULL, PRIMARY KEY (account, transfer_id)){clustered}
            """,
            "CREATE INDEX jobs_consumer_state ON jobs (consumer_id, state, id)",
            "ALTER TABLE jobs ADD COLUMN held BIGINT NOT NULL DEFAULT 0",
            // Jobs that are not over were sent for nothing, and are settled for nothing.
            """
            INSERT INTO ledger_transfers (kind, job_id, actor_id, note, at)
            SELECT 'hold', id, consumer_id, 'sent before there were credits', created_at FROM jobs WHERE completed_at IS NULL
            """,
            """
            CREATE TABLE idempotency_keys (
                account_id TEXT NOT NULL, name TEXT NOT NULL, request_hash TEXT NOT NULL, subject_id TEXT NOT NULL,
                created_at BIGINT NOT NULL, PRIMARY KEY (account_id, name)){clustered}
            """,
            "CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)",
            """
            CREATE TABLE batches (
                id TEXT PRIMARY KEY, consumer_id TEXT NOT NULL REFERENCES accounts (id), workload_id BIGINT NOT NULL REFERENCES workloads (id),
                jobs BIGINT NOT NULL, created_at BIGINT NOT NULL)
            """,
            "CREATE INDEX batches_consumer ON batches (consumer_id, id)",
            "ALTER TABLE jobs ADD COLUMN batch_id TEXT",
            "ALTER TABLE jobs ADD COLUMN batch_index BIGINT",
            "CREATE INDEX jobs_batch ON jobs (batch_id, batch_index)",
            "ALTER TABLE jobs ADD COLUMN regions TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE jobs ADD COLUMN placement TEXT",
            "ALTER TABLE jobs ADD COLUMN retention_hours BIGINT NOT NULL DEFAULT 168",
            "ALTER TABLE jobs ADD COLUMN keep_until BIGINT",
            "ALTER TABLE jobs ADD COLUMN erased_at BIGINT",
            "UPDATE jobs SET keep_until = completed_at + 604800000 WHERE completed_at IS NOT NULL",
            "CREATE INDEX jobs_keep_until ON jobs (keep_until)",
            """
            CREATE TABLE job_queue (
                number {identity}, job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id), consumer_id TEXT NOT NULL, priority BIGINT NOT NULL,
                submission_id BIGINT NOT NULL, regions TEXT NOT NULL, attempt BIGINT NOT NULL, failed_islands TEXT NOT NULL)
            """,
            """
            INSERT INTO job_queue (job_id, consumer_id, priority, submission_id, regions, attempt, failed_islands)
            SELECT id, consumer_id, priority, submission_id, '', attempt, failed_islands FROM jobs WHERE state = 'pending' ORDER BY id
            """,
            """
            CREATE TABLE job_outcomes (
                job_id TEXT PRIMARY KEY REFERENCES jobs (id), workload_id BIGINT NOT NULL, submission_id BIGINT NOT NULL, island_id TEXT,
                attempt BIGINT NOT NULL, succeeded BIGINT NOT NULL, fault TEXT, code TEXT, run_ms BIGINT, at BIGINT NOT NULL)
            """,
            "CREATE INDEX job_outcomes_workload ON job_outcomes (workload_id, at)",
            "ALTER TABLE islands ADD COLUMN karma BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE islands ADD COLUMN work_ms BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE islands ADD COLUMN karma_at BIGINT NOT NULL DEFAULT 0",
            """
            CREATE TABLE karma_events (
                id {identity}, island_id TEXT NOT NULL REFERENCES islands (id), at BIGINT NOT NULL, change BIGINT NOT NULL, karma BIGINT NOT NULL,
                reason TEXT NOT NULL, job_id TEXT)
            """,
            "CREATE INDEX karma_events_island ON karma_events (island_id, id)",
        ])
}

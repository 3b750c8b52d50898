extension Migration {
    /// Fewer indexes on what changes with every step of every job.
    static let jobs = Migration(
        number: 6,
        statements: [
            "DROP INDEX jobs_state",
            "DROP INDEX jobs_workload",
            "CREATE INDEX jobs_open ON jobs (id) WHERE completed_at IS NULL",
            "DROP INDEX jobs_keep_until",
            "CREATE INDEX jobs_keep_until ON jobs (keep_until) WHERE keep_until IS NOT NULL",
            "DROP INDEX jobs_batch",
            "CREATE INDEX jobs_batch ON jobs (batch_id, batch_index) WHERE batch_id IS NOT NULL",
        ])
}

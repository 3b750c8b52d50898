extension Migration {
    /// Jobs that are not over and jobs that are have indexes of their own, which only sending and ending change. The one they replace changed
    /// with each state of each job.
    static let openJobs = Migration(
        number: 7,
        statements: [
            "DROP INDEX jobs_consumer_state",
            "DROP INDEX jobs_open",
            "CREATE INDEX jobs_open ON jobs (completed_at, consumer_id, id) WHERE completed_at IS NULL",
            "CREATE INDEX jobs_over ON jobs (consumer_id, state, id) WHERE completed_at IS NOT NULL",
        ])
}

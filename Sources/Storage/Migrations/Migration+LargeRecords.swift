extension Migration {
    /// Large records lie in files beside the database; those of erased jobs are remembered until they are gone.
    static let largeRecords = Migration(
        number: 12,
        statements: [
            "ALTER TABLE records ADD COLUMN file_bytes BIGINT",
            "CREATE TABLE erased_files (job_id TEXT PRIMARY KEY)",
        ])
}

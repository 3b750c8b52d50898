extension Migration {
    /// The newest record of a running job says how far its attempt has come, so that frames are stored without touching the job's row.
    static let recordProgress = Migration(
        number: 14,
        statements: [
            "ALTER TABLE records ADD COLUMN stored_up_to BIGINT",
            "ALTER TABLE records ADD COLUMN frame_bytes BIGINT",
            "ALTER TABLE records ADD COLUMN tokens BIGINT",
        ])
}

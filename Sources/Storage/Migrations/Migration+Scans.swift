extension Migration {
    /// Why a scan was made, the documents that came of it, justifications of findings, rescans and the grace before a suspension.
    static let scans = Migration(
        number: 4,
        statements: [
            "ALTER TABLE scans ADD COLUMN purpose TEXT NOT NULL DEFAULT 'review'",
            "ALTER TABLE scans ADD COLUMN notes TEXT NOT NULL DEFAULT '{}'",
            """
            CREATE TABLE scan_documents (
                id {identity}, submission_id BIGINT NOT NULL REFERENCES submissions (id), scan_id BIGINT NOT NULL,
                digest TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, platform TEXT NOT NULL, media_type TEXT NOT NULL,
                body_bytes BIGINT NOT NULL, body {bytes} NOT NULL)
            """,
            "CREATE INDEX scan_documents_submission ON scan_documents (submission_id, kind, id)",
            """
            CREATE TABLE justifications (
                id {identity}, submission_id BIGINT NOT NULL REFERENCES submissions (id), digest TEXT NOT NULL, finding TEXT NOT NULL,
                package TEXT NOT NULL, severity TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, statement TEXT NOT NULL,
                author_id TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, countersigned_by TEXT,
                countersigned_at BIGINT, ended_at BIGINT, ended_because TEXT)
            """,
            "CREATE INDEX justifications_submission ON justifications (submission_id, id)",
            "CREATE TABLE rescans (submission_id BIGINT PRIMARY KEY REFERENCES submissions (id), due_at BIGINT NOT NULL, last_at BIGINT)",
            "CREATE INDEX rescans_due ON rescans (due_at)",
            """
            CREATE TABLE graces (
                submission_id BIGINT PRIMARY KEY REFERENCES submissions (id), severity TEXT NOT NULL, began_at BIGINT NOT NULL,
                ends_at BIGINT NOT NULL, suspended_at BIGINT, told TEXT NOT NULL DEFAULT '[]')
            """,
            "CREATE INDEX graces_end ON graces (suspended_at, ends_at)",
        ])
}

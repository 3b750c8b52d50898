/// A row of `scans`: the scan of one pinned digest.
public struct ScanRow: Sendable, Hashable {
    /// Given by the database, from 1.
    public let id: Int
    /// The submission that it judges.
    public let submissionID: Int
    /// Why it is made: `review` or `rescan`.
    public let purpose: String
    /// The image's digest.
    public let digest: String
    /// The state's name.
    public let state: String
    /// The verdict's name, once finished.
    public let verdict: String?
    /// JSON array of findings.
    public let findings: String
    /// JSON array of what each scanner said of itself.
    public let reports: String
    /// JSON object of why it could not scan.
    public let failure: String?
    /// JSON object of what an operator should know.
    public let notes: String
    /// How often it was tried.
    public let tries: Int
    /// When it is to be tried next, milliseconds since 1970 UTC.
    public let dueAt: Int
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int
    /// Milliseconds since 1970 UTC.
    public let finishedAt: Int?

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        submissionID = try row.int("submission_id")
        purpose = try row.text("purpose")
        notes = try row.text("notes")
        digest = try row.text("digest")
        state = try row.text("state")
        verdict = try row.optionalText("verdict")
        findings = try row.text("findings")
        reports = try row.text("reports")
        failure = try row.optionalText("failure")
        tries = try row.int("tries")
        dueAt = try row.int("due_at")
        createdAt = try row.int("created_at")
        finishedAt = try row.optionalInt("finished_at")
    }
}

/// What a scan came to.
public struct ScanResult: Sendable, Hashable {
    /// The state's name.
    public let state: String
    /// The verdict's name, once finished.
    public let verdict: String?
    /// JSON array of findings.
    public let findings: String
    /// JSON array of what each scanner said of itself.
    public let reports: String
    /// JSON object of why it could not scan.
    public let failure: String?
    /// JSON object of what an operator should know.
    public let notes: String
    /// When it is to be tried next, milliseconds since 1970 UTC.
    public let dueAt: Int
    /// Milliseconds since 1970 UTC; `nil` while it will be tried again.
    public let finishedAt: Int?

    /// A result to store.
    public init(
        state: String, verdict: String?, findings: String, reports: String, failure: String?, notes: String = "{}", dueAt: Int,
        finishedAt: Int?
    ) {
        self.state = state
        self.verdict = verdict
        self.findings = findings
        self.reports = reports
        self.failure = failure
        self.notes = notes
        self.dueAt = dueAt
        self.finishedAt = finishedAt
    }
}

extension SQLReader {
    /// The newest scan of a submission; a rescan counts once it has come to something: one that could not scan changes nothing.
    public func newestScan(submissionID: Int) throws -> ScanRow? {
        try first(
            """
            SELECT * FROM scans WHERE submission_id = ? AND NOT (purpose = 'rescan' AND state IN ('queued', 'running', 'could_not_scan'))
            ORDER BY id DESC LIMIT 1
            """, [.integer(submissionID)]
        ).map(ScanRow.init)
    }

    /// A scan by its id.
    public func scan(id: Int) throws -> ScanRow? { try first("SELECT * FROM scans WHERE id = ?", [.integer(id)]).map(ScanRow.init) }

    /// What operators should know of every scan of a submission that finished, JSON objects, the newest first.
    public func finishedScanNotes(submissionID: Int) throws -> [String] {
        try query("SELECT notes FROM scans WHERE submission_id = ? AND state = 'finished' ORDER BY id DESC", [.integer(submissionID)])
            .map { try $0.text("notes") }
    }

    /// The time at which the next scan is due, milliseconds since 1970 UTC, or `nil` when none waits.
    public func nextScanDue() throws -> Int? {
        try first("SELECT min(due_at) AS due FROM scans WHERE state IN ('queued', 'could_not_scan')", [])?.optionalInt("due")
    }
}

extension SQLWriter {
    /// Stores a scan that waits.
    public func insertScan(submissionID: Int, digest: String, purpose: String, at now: Int) throws {
        try execute(
            """
            INSERT INTO scans (submission_id, digest, purpose, state, findings, reports, tries, due_at, created_at)
            VALUES (?, ?, ?, 'queued', '[]', '[]', 0, ?, ?)
            """, [.integer(submissionID), .text(digest), .text(purpose), .integer(now), .integer(now)])
    }

    /// Takes the scan that has been due longest, one for a review before rescans, marks it running, and returns it.
    public func takeDueScan(at now: Int) throws -> ScanRow? {
        let rows = try query(
            """
            UPDATE scans SET state = 'running', tries = tries + 1 WHERE id = (
                SELECT id FROM scans WHERE state IN ('queued', 'could_not_scan') AND due_at <= ? ORDER BY purpose DESC, due_at, id LIMIT 1)
            RETURNING *
            """, [.integer(now)])
        return try rows.first.map(ScanRow.init)
    }

    /// Stores what a scan came to.
    public func finishScan(id: Int, _ result: ScanResult) throws {
        try execute(
            """
            UPDATE scans SET state = ?, verdict = ?, findings = ?, reports = ?, failure = ?, notes = ?, due_at = ?, finished_at = ? WHERE id = ?
            """,
            [
                .text(result.state), .optional(result.verdict), .text(result.findings), .text(result.reports), .optional(result.failure),
                .text(result.notes), .integer(result.dueAt), .optional(result.finishedAt), .integer(id),
            ])
    }

    /// Stores what an operator should know of a scan.
    public func noteScan(id: Int, _ notes: String) throws {
        try execute("UPDATE scans SET notes = ? WHERE id = ?", [.text(notes), .integer(id)])
    }

    /// Puts scans that a stopped process left running back into the queue; returns how many.
    public func requeueRunningScans(at now: Int) throws -> Int {
        try execute("UPDATE scans SET state = 'queued', due_at = ? WHERE state = 'running'", [.integer(now)])
    }

    /// Ends the retries of a submission's scans, because it left the review.
    public func stopScans(submissionID: Int, notDueBefore never: Int) throws {
        try execute(
            "UPDATE scans SET due_at = ? WHERE submission_id = ? AND state IN ('queued', 'could_not_scan')",
            [.integer(never), .integer(submissionID)])
    }
}

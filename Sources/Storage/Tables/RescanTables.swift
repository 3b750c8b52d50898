/// A row of `rescans`: when a published version is scanned again.
public struct RescanRow: Sendable, Hashable {
    /// The published version.
    public let submissionID: Int
    /// When it is due, milliseconds since 1970 UTC.
    public let dueAt: Int
    /// When it was scanned again last.
    public let lastAt: Int?

    init(_ row: SQLRow) throws {
        submissionID = try row.int("submission_id")
        dueAt = try row.int("due_at")
        lastAt = try row.optionalInt("last_at")
    }
}

/// A row of `graces`: a published version in which a rescan found what blocks.
public struct GraceRow: Sendable, Hashable {
    /// The published version.
    public let submissionID: Int
    /// The worst severity found.
    public let severity: String
    /// When it was found, milliseconds since 1970 UTC.
    public let beganAt: Int
    /// When the version is suspended unless it is mended; `Int.max` when somebody else suspended it already.
    public let endsAt: Int
    /// When it was suspended for it.
    public let suspendedAt: Int?
    /// What people were told of: a JSON array, sorted, of a pair for each finding: its key, and its own end or `null`.
    public let told: String

    /// A grace to store.
    public init(submissionID: Int, severity: String, beganAt: Int, endsAt: Int, suspendedAt: Int? = nil, told: String = "[]") {
        self.told = told
        self.submissionID = submissionID
        self.severity = severity
        self.beganAt = beganAt
        self.endsAt = endsAt
        self.suspendedAt = suspendedAt
    }

    init(_ row: SQLRow) throws {
        submissionID = try row.int("submission_id")
        severity = try row.text("severity")
        beganAt = try row.int("began_at")
        endsAt = try row.int("ends_at")
        suspendedAt = try row.optionalInt("suspended_at")
        told = try row.text("told")
    }
}

extension SQLReader {
    /// Versions in the registry, suspended ones too, that no rescan is planned for, oldest published first.
    public func submissionsWithoutRescan(limit: Int) throws -> [SubmissionRow] {
        try query(
            """
            SELECT s.* FROM workloads w JOIN submissions s ON s.id = w.published_submission_id
            WHERE s.state IN ('published', 'suspended') AND NOT EXISTS (SELECT 1 FROM rescans r WHERE r.submission_id = s.id)
            ORDER BY s.published_at, s.id LIMIT ?
            """, [.integer(limit)]
        ).map(SubmissionRow.init)
    }

    /// Rescans that are due, the longest due first.
    public func dueRescans(at now: Int, limit: Int) throws -> [RescanRow] {
        try query("SELECT * FROM rescans WHERE due_at <= ? ORDER BY due_at, submission_id LIMIT ?", [.integer(now), .integer(limit)])
            .map(RescanRow.init)
    }

    /// Rescans planned later than a moment.
    public func rescansBeyond(_ moment: Int, limit: Int) throws -> [RescanRow] {
        try query("SELECT * FROM rescans WHERE due_at > ? ORDER BY due_at DESC LIMIT ?", [.integer(moment), .integer(limit)])
            .map(RescanRow.init)
    }

    /// Whether a rescan of a version waits, runs or is to be tried again.
    public func hasOpenRescan(submissionID: Int) throws -> Bool {
        try count(
            """
            SELECT count(*) AS n FROM scans WHERE submission_id = ? AND purpose = 'rescan'
            AND state IN ('queued', 'running', 'could_not_scan') AND due_at < ?
            """, [.integer(submissionID), .integer(Int.max)]) > 0
    }

    /// How many versions are to be scanned again, and the time of the earliest.
    public func rescanOutlook() throws -> (count: Int, nextDue: Int?) {
        let row = try first("SELECT count(*) AS n, min(due_at) AS due FROM rescans", [])
        return (try row?.int("n") ?? 0, try row?.optionalInt("due"))
    }

    /// The grace of a version.
    public func grace(submissionID: Int) throws -> GraceRow? {
        try first("SELECT * FROM graces WHERE submission_id = ?", [.integer(submissionID)]).map(GraceRow.init)
    }

    /// Graces that have ended with nothing done yet.
    public func endedGraces(at now: Int) throws -> [GraceRow] {
        try query("SELECT * FROM graces WHERE suspended_at IS NULL AND ends_at <= ? ORDER BY ends_at", [.integer(now)]).map(GraceRow.init)
    }

    /// When the next grace ends.
    public func nextGraceEnd() throws -> Int? {
        try first("SELECT min(ends_at) AS ends FROM graces WHERE suspended_at IS NULL AND ends_at < ?", [.integer(Int.max)])?
            .optionalInt("ends")
    }

    /// Digests of versions whose content is still needed: in review, approved, published or suspended.
    public func neededDigests() throws -> [String] {
        try query(
            """
            SELECT DISTINCT image_digest FROM submissions
            WHERE image_digest IS NOT NULL AND state IN ('pending_review', 'approved', 'published', 'suspended')
            """, []
        ).map { try $0.text("image_digest") }
    }
}

extension SQLWriter {
    /// Plans a version's next rescan.
    public func planRescan(submissionID: Int, dueAt: Int, lastAt: Int?) throws {
        try execute(
            """
            INSERT INTO rescans (submission_id, due_at, last_at) VALUES (?, ?, ?)
            ON CONFLICT (submission_id) DO UPDATE SET due_at = excluded.due_at, last_at = coalesce(excluded.last_at, rescans.last_at)
            """, [.integer(submissionID), .integer(dueAt), .optional(lastAt)])
    }

    /// Makes every planned rescan due at once; returns how many.
    public func makeAllRescansDue(at now: Int) throws -> Int {
        try execute("UPDATE rescans SET due_at = ? WHERE due_at > ?", [.integer(now), .integer(now)])
    }

    /// Forgets the rescans and graces of versions that are not in the registry any more.
    public func forgetRescansOfReplaced() throws {
        let gone = "submission_id NOT IN (SELECT published_submission_id FROM workloads WHERE published_submission_id IS NOT NULL)"
        try execute("DELETE FROM rescans WHERE \(gone)", [])
        try execute("DELETE FROM graces WHERE \(gone)", [])
    }

    /// Stores a grace, in place of an earlier one of the version.
    public func store(_ grace: GraceRow) throws {
        try execute(
            """
            INSERT INTO graces (submission_id, severity, began_at, ends_at, suspended_at, told) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (submission_id) DO UPDATE SET severity = excluded.severity, began_at = excluded.began_at,
                ends_at = excluded.ends_at, suspended_at = excluded.suspended_at, told = excluded.told
            """,
            [
                .integer(grace.submissionID), .text(grace.severity), .integer(grace.beganAt), .integer(grace.endsAt),
                .optional(grace.suspendedAt), .text(grace.told),
            ])
    }

    /// Ends a version's grace: it was mended.
    public func removeGrace(submissionID: Int) throws {
        try execute("DELETE FROM graces WHERE submission_id = ?", [.integer(submissionID)])
    }
}

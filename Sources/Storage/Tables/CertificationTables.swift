/// A row of `certifications`: a wish for a higher trust level, and what became of it.
public struct CertificationRow: Sendable, Hashable {
    /// Given by the database, from 1; 0 before the row is stored.
    public var id = 0
    /// The Cargo.
    public let workloadID: Int
    /// The version that was published then.
    public let submissionID: Int
    /// 2 by certification, 3 by an audit.
    public let level: Int
    /// `requested`, `granted`, `rejected` or `ended`.
    public var state: String
    /// The account that asked.
    public let requestedBy: String
    /// Milliseconds since 1970 UTC, as are the times below.
    public let requestedAt: Int
    /// The account that decided.
    public var decidedBy: String?
    /// When it decided.
    public var decidedAt: Int?
    /// The words to the decision, or the report of an audit.
    public var note = ""
    /// When it ended; `nil` while it counts or waits.
    public var endedAt: Int?
    /// Why it ended, in words.
    public var endedBecause: String?

    /// A row to store.
    public init(workloadID: Int, submissionID: Int, level: Int, state: String, requestedBy: String, requestedAt: Int) {
        self.workloadID = workloadID
        self.submissionID = submissionID
        self.level = level
        self.state = state
        self.requestedBy = requestedBy
        self.requestedAt = requestedAt
    }

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        workloadID = try row.int("workload_id")
        submissionID = try row.int("submission_id")
        level = try row.int("level")
        state = try row.text("state")
        requestedBy = try row.text("requested_by")
        requestedAt = try row.int("requested_at")
        decidedBy = try row.optionalText("decided_by")
        decidedAt = try row.optionalInt("decided_at")
        note = try row.text("note")
        endedAt = try row.optionalInt("ended_at")
        endedBecause = try row.optionalText("ended_because")
    }
}

extension SQLReader {
    /// The newest wish of a Cargo, whatever became of it.
    public func newestCertification(workloadID: Int) throws -> CertificationRow? {
        try first("SELECT * FROM certifications WHERE workload_id = ? ORDER BY id DESC LIMIT 1", [.integer(workloadID)]).map(CertificationRow.init)
    }

    /// Wishes in a state, oldest first, and how many there are.
    public func certifications(inState state: String, limit: Int, offset: Int) throws -> (rows: [CertificationRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM certifications WHERE state = ?", [.text(state)])
        let rows = try query(
            "SELECT * FROM certifications WHERE state = ? ORDER BY id LIMIT ? OFFSET ?", [.text(state), .integer(limit), .integer(offset)])
        return (try rows.map(CertificationRow.init), total)
    }

    /// The newest outcomes of a Cargo that count for its reputation: successes, and failures by the Cargo's own fault.
    public func countedOutcomes(workloadID: Int, limit: Int) throws -> [(succeeded: Bool, milliseconds: Int)] {
        try query(
            """
            SELECT succeeded, run_ms FROM job_outcomes WHERE workload_id = ? AND (succeeded = 1 OR fault = 'cargo') ORDER BY at DESC LIMIT ?
            """, [.integer(workloadID), .integer(limit)]
        ).map { (try $0.flag("succeeded"), try $0.optionalInt("run_ms") ?? 0) }
    }

    /// How many jobs of a Cargo succeeded while it was not certified.
    public func countCommunitySuccesses(workloadID: Int) throws -> Int {
        try count(
            """
            SELECT count(*) AS n FROM job_outcomes o WHERE o.workload_id = ? AND o.succeeded = 1 AND NOT EXISTS (
                SELECT 1 FROM certifications c WHERE c.workload_id = o.workload_id AND c.state IN ('granted', 'ended')
                    AND c.decided_at IS NOT NULL AND c.decided_at <= o.at AND (c.ended_at IS NULL OR c.ended_at > o.at))
            """, [.integer(workloadID)])
    }
}

extension SQLWriter {
    /// Stores a new wish.
    public func insert(_ row: CertificationRow) throws {
        try execute(
            """
            INSERT INTO certifications (workload_id, submission_id, level, state, requested_by, requested_at, decided_by, decided_at, note)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(row.workloadID), .integer(row.submissionID), .integer(row.level), .text(row.state), .text(row.requestedBy),
                .integer(row.requestedAt), .optional(row.decidedBy), .optional(row.decidedAt), .text(row.note),
            ])
    }

    /// Stores what became of a wish.
    public func update(_ row: CertificationRow) throws {
        try execute(
            "UPDATE certifications SET state = ?, decided_by = ?, decided_at = ?, note = ?, ended_at = ? WHERE id = ?",
            [
                .text(row.state), .optional(row.decidedBy), .optional(row.decidedAt), .text(row.note), .optional(row.endedAt), .integer(row.id),
            ])
    }

    /// Ends what a Cargo has in a state, with the reason.
    public func endCertifications(workloadID: Int, inState state: String, at now: Int, because words: String) throws {
        try execute(
            "UPDATE certifications SET state = 'ended', ended_at = ?, ended_because = ? WHERE workload_id = ? AND state = ?",
            [.integer(now), .text(words), .integer(workloadID), .text(state)])
    }
}

/// A row of `justifications`: what a publisher says of one finding in one digest.
public struct JustificationRow: Sendable, Hashable {
    /// Given by the database, from 1; 0 before the row is stored.
    public var id = 0
    /// The submission.
    public let submissionID: Int
    /// The digest that it speaks of.
    public let digest: String
    /// The advisory's id.
    public let finding: String
    /// The package's key.
    public let package: String
    /// The severity that the finding had.
    public let severity: String
    /// `not_affected` or `affected`.
    public let status: String
    /// Why it does no harm.
    public let reason: String?
    /// The impact or the mitigation, in words.
    public let statement: String
    /// The publisher.
    public let authorID: String
    /// Milliseconds since 1970 UTC, as are the times below.
    public let createdAt: Int
    /// From when on it counts no more.
    public let expiresAt: Int
    /// The reviewer who agreed.
    public var countersignedBy: String?
    /// When.
    public var countersignedAt: Int?
    /// When it was ended before its time.
    public var endedAt: Int?
    /// Why: `withdrawn`, `replaced`, `severity_rose`.
    public var endedBecause: String?

    /// A justification to store.
    public init(
        submissionID: Int, digest: String, finding: String, package: String, severity: String, status: String, reason: String?,
        statement: String, authorID: String, createdAt: Int, expiresAt: Int
    ) {
        self.submissionID = submissionID
        self.digest = digest
        self.finding = finding
        self.package = package
        self.severity = severity
        self.status = status
        self.reason = reason
        self.statement = statement
        self.authorID = authorID
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    init(_ row: SQLRow) throws {
        self.init(
            submissionID: try row.int("submission_id"), digest: try row.text("digest"), finding: try row.text("finding"),
            package: try row.text("package"), severity: try row.text("severity"), status: try row.text("status"),
            reason: try row.optionalText("reason"), statement: try row.text("statement"), authorID: try row.text("author_id"),
            createdAt: try row.int("created_at"), expiresAt: try row.int("expires_at"))
        id = try row.int("id")
        countersignedBy = try row.optionalText("countersigned_by")
        countersignedAt = try row.optionalInt("countersigned_at")
        endedAt = try row.optionalInt("ended_at")
        endedBecause = try row.optionalText("ended_because")
    }

    /// Whether it counts at a moment.
    public func counts(at now: Int) -> Bool { endedAt == nil && now < expiresAt }
}

extension SQLReader {
    /// The justifications of a submission, oldest first.
    public func justifications(submissionID: Int) throws -> [JustificationRow] {
        try query("SELECT * FROM justifications WHERE submission_id = ? ORDER BY id", [.integer(submissionID)]).map(JustificationRow.init)
    }
}

extension SQLWriter {
    /// Stores a justification and returns it with its id.
    public func insert(_ row: JustificationRow) throws -> JustificationRow {
        let rows = try query(
            """
            INSERT INTO justifications (submission_id, digest, finding, package, severity, status, reason, statement, author_id, created_at,
                expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
            """,
            [
                .integer(row.submissionID), .text(row.digest), .text(row.finding), .text(row.package), .text(row.severity), .text(row.status),
                .optional(row.reason), .text(row.statement), .text(row.authorID), .integer(row.createdAt), .integer(row.expiresAt),
            ])
        guard let stored = rows.first else { throw StorageError(.unexpectedShape, "no row returned") }
        return try JustificationRow(stored)
    }

    /// Stores that a reviewer agreed, or that a justification was ended.
    public func update(_ row: JustificationRow) throws {
        try execute(
            "UPDATE justifications SET countersigned_by = ?, countersigned_at = ?, ended_at = ?, ended_because = ? WHERE id = ?",
            [
                .optional(row.countersignedBy), .optional(row.countersignedAt), .optional(row.endedAt), .optional(row.endedBecause),
                .integer(row.id),
            ])
    }
}

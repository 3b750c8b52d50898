public import Domain
import JSON
public import Storage

/// What reviewers do.
public struct Review: Sendable {
    private let database: any Database
    private let surroundings: Surroundings

    /// The use cases over a database.
    public init(database: any Database, surroundings: Surroundings) {
        self.database = database
        self.surroundings = surroundings
    }

    /// A submission in the queue with its newest scan.
    public struct Entry: Sendable, Hashable {
        /// The submission.
        public let submission: Submission
        /// Its newest scan.
        public let scan: Scan?
    }

    /// Submissions that wait for review, oldest first.
    public func queue(page: Page, for principal: Principal) async throws -> Listing<Entry> {
        try principal.require(.review)
        return try await database.read { reader in
            let found = try reader.submissions(
                inState: SubmissionState.pendingReview.rawValue, limit: page.limit, offset: page.offset)
            let entries = try found.rows.map { row in
                Entry(submission: try Submission.find(row.id, in: reader), scan: try reader.newestScan(submissionID: row.id).map(Scan.init))
            }
            return Listing(rows: entries, total: found.total, page: page)
        }
    }

    /// Approves a submission that its scan lets through.
    ///
    /// - Throws: `invalid` for an incomplete checklist or a level that review cannot give; `forbidden` (`own_submission`);
    ///   `conflict`: `state_conflict`, or one of ``ScanRefusal`` with the findings that stand in the way.
    public func approve(_ id: Int, _ request: ApprovalRequest, by principal: Principal) async throws -> Submission {
        try principal.require(.review)
        let now = surroundings.now()
        return try await database.write { writer in
            let (submission, state) = try Self.reviewable(id, .approve, by: principal, in: writer)
            let problems = request.problems()
            guard problems.isEmpty else { throw ServiceError.invalid(problems) }
            try Self.requirePassingScan(of: submission, request, in: writer)
            try writer.move(submission, .approve, to: state, by: principal.accountID, at: now, note: request.note) { row in
                row.trustLevel = request.trustLevel.rawValue
                row.reviewerID = principal.accountID
                row.reviewNote = request.note
                row.reviewedAt = now.milliseconds
            }
            return try Submission.find(id, in: writer)
        }
    }

    /// Rejects a submission with a reason and the rule that it rests on.
    public func reject(_ id: Int, reason: String, rule: String, by principal: Principal) async throws -> Submission {
        try principal.require(.review)
        let now = surroundings.now()
        return try await database.write { writer in
            let (submission, state) = try Self.reviewable(id, .reject, by: principal, in: writer)
            try writer.move(submission, .reject, to: state, by: principal.accountID, at: now, note: reason) { row in
                row.rejectionReason = reason
                row.rejectionRule = rule
                row.reviewerID = principal.accountID
                row.reviewedAt = now.milliseconds
            }
            try writer.stopScans(submissionID: id, notDueBefore: Int.max)
            return try Submission.find(id, in: writer)
        }
    }

    private static func reviewable(
        _ id: Int, _ action: SubmissionAction, by principal: Principal, in reader: any SQLReader
    ) throws -> (Submission, SubmissionState) {
        let submission = try Submission.find(id, in: reader)
        guard submission.row.publisherID != principal.accountID else {
            throw ServiceError(.forbidden, code: "own_submission", "Nobody reviews their own submission; another reviewer has to.")
        }
        return (submission, try submission.state(after: action))
    }

    private static func requirePassingScan(of submission: Submission, _ request: ApprovalRequest, in reader: any SQLReader) throws {
        let scan = try reader.newestScan(submissionID: submission.row.id).map(Scan.init)
        // A scan of another digest says nothing of this one.
        let state = scan?.digest == submission.row.imageDigest ? scan?.state ?? .queued : .queued
        guard let refusal = ScanRefusal(state: state, verdict: scan?.verdict, acceptsMedium: request.acceptsMedium) else { return }
        let findings = (scan?.findings ?? []).filter { $0.severity.impact != .informs }
        var message = refusal.message
        if let words = scan?.failure?["message"]?.string { message += " (\(words))" }
        throw ServiceError(
            .conflict, code: refusal.rawValue, message,
            details: findings.enumerated().map { Problem("/findings/\($0.offset)", $0.element.summary) },
            context: ["findings": .array(findings.map(\.json))])
    }
}

public import Domain
import JSON
import Storage

/// What reviewers do.
public struct Review: Sendable {
    let database: any Database
    let moves: SubmissionMoves
    let images: any ImageSource
    let gate: SignatureGate
    let surroundings: Surroundings

    /// The use cases over a database's submissions.
    public init(moves: SubmissionMoves, images: any ImageSource, gate: SignatureGate, surroundings: Surroundings) {
        database = moves.database
        self.moves = moves
        self.images = images
        self.gate = gate
        self.surroundings = surroundings
    }

    /// A submission in the queue with its newest scan.
    public struct Entry: Sendable, Hashable {
        /// The submission.
        public let submission: Submission
        /// Its newest scan.
        public let scan: Scan?
        /// Whole seconds since it was handed in.
        public let waitingSeconds: Int
    }

    /// The queue and how long its submissions wait.
    public struct Queue: Sendable {
        /// The page, oldest first.
        public let listing: Listing<Entry>
        /// Over the whole queue.
        public let waiting: WaitingTimes
    }

    /// Submissions that wait for review, oldest first.
    public func queue(page: Page, for principal: Principal) async throws -> Queue {
        try principal.require(.review)
        let now = surroundings.now().milliseconds
        return try await database.read { reader in
            let state = SubmissionState.pendingReview.rawValue
            let found = try reader.submissions(inState: state, limit: page.limit, offset: page.offset)
            let entries = try found.rows.map { row in
                Entry(
                    submission: try Submission.find(row.id, in: reader), scan: try Scan.newest(of: row.id, in: reader),
                    waitingSeconds: max(0, now - (row.submittedAt ?? now)) / 1000)
            }
            let waited = try reader.waitingTimes(inState: state, at: now).map { $0 / 1000 }
            return Queue(listing: Listing(rows: entries, total: found.total, page: page), waiting: WaitingTimes(seconds: waited))
        }
    }

    /// Approves a submission that its scan lets through.
    ///
    /// - Throws: `invalid` for an incomplete checklist or a level that review cannot give; `forbidden` (`own_submission`);
    ///   `conflict`: `state_conflict`, one of ``ScanRefusal`` with the findings that stand in the way, or for levels above 1
    ///   `signature_required` or `signature_invalid`.
    public func approve(_ id: Int, _ request: ApprovalRequest, by principal: Principal) async throws -> Submission {
        try principal.require(.review)
        let act = SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: request.note)
        let signature = try await signature(id, request, by: principal)
        return try await moves.commit { writer in
            var submission = try Self.acceptable(id, request, by: principal, in: writer)
            if request.trustLevel.requiresSignature {
                guard let signature else { throw StorageError(.unexpectedShape, "no signature was looked for at level \(request.trustLevel)") }
                submission = try SignatureGate.accept(signature, for: submission, by: act.actorID, in: writer)
            }
            try Self.requirePassingScan(of: submission, request, at: act.at, in: writer)
            try Justifications.countersignAll(
                of: submission, seen: request.justifications, by: principal.accountID, at: act.at, in: writer)
            return try moves.move(submission, .approve, act, in: writer) { row in
                row.trustLevel = request.trustLevel.rawValue
                row.reviewerID = principal.accountID
                row.reviewNote = request.note
                row.reviewedAt = act.at.milliseconds
            }
        }
    }

    /// The signature that a level asks for; `nil` where it asks for none.
    private func signature(_ id: Int, _ request: ApprovalRequest, by principal: Principal) async throws -> SignatureGate.Found? {
        guard request.trustLevel.requiresSignature else { return nil }
        let submission = try await database.read { try Self.acceptable(id, request, by: principal, in: $0) }
        return try await gate.signature(of: submission)
    }

    /// A submission that the asker may approve as they wish, its scan and signature aside.
    private static func acceptable(_ id: Int, _ request: ApprovalRequest, by principal: Principal, in reader: any SQLReader) throws -> Submission {
        let submission = try reviewable(id, .approve, by: principal, in: reader)
        let published = try reader.workload(id: submission.row.workloadID)?.publishedSubmissionID
        let replaced = try published.flatMap { try Submission.find($0, in: reader).trustLevel }
        let problems = request.problems(replacing: replaced)
        guard problems.isEmpty else { throw ServiceError.invalid(problems) }
        return submission
    }

    /// Rejects a submission with a reason and the rule that it rests on.
    public func reject(_ id: Int, reason: String, rule: String, by principal: Principal) async throws -> Submission {
        try principal.require(.review)
        let act = SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: reason)
        return try await moves.commit { writer in
            let submission = try Self.reviewable(id, .reject, by: principal, in: writer)
            let rejected = try moves.move(submission, .reject, act, in: writer) { row in
                row.rejectionReason = reason
                row.rejectionRule = rule
                row.reviewerID = principal.accountID
                row.reviewedAt = act.at.milliseconds
            }
            try writer.stopScans(submissionID: id, notDueBefore: Int.max)
            return rejected
        }
    }

    private static func reviewable(
        _ id: Int, _ action: SubmissionAction, by principal: Principal, in reader: any SQLReader
    ) throws -> Submission {
        let submission = try Submission.find(id, in: reader)
        guard submission.row.publisherID != principal.accountID else {
            throw ServiceError(.forbidden, code: "own_submission", "Nobody reviews their own submission; another reviewer has to.")
        }
        _ = try submission.state(after: action)
        return submission
    }

    /// Findings named in a refusal. Chosen: more than anybody reads; the scan has all.
    private static let findingsToldMax = 100

    private static func requirePassingScan(
        of submission: Submission, _ request: ApprovalRequest, at now: Timestamp, in reader: any SQLReader
    ) throws {
        let scan = try Scan.newest(of: submission.row.id, in: reader)
        // A scan of another digest says nothing of this one.
        let state = scan?.digest == submission.row.imageDigest ? scan?.state ?? .queued : .queued
        let open = try Justifications.open(scan?.findings ?? [], of: submission, at: now, in: reader)
        let isAccepted = request.acceptsMedium || open.isEmpty
        guard let refusal = ScanRefusal(state: state, verdict: scan?.verdict, acceptsMedium: isAccepted) else { return }
        let all = (scan?.findings ?? []).filter { $0.severity.impact == .blocks } + open
        let findings = all.prefix(findingsToldMax)
        var message = refusal.message
        if let words = scan?.failure?["message"]?.string { message += " (\(words))" }
        throw ServiceError(
            .conflict, code: refusal.rawValue, message,
            details: findings.enumerated().map { Problem("/findings/\($0.offset)", $0.element.summary) },
            context: ["findings": .array(findings.map(\.json)), "findings_total": .int(all.count)])
    }
}

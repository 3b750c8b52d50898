import Domain
import JSON
public import Storage

/// The one place where a submission changes: its row, its history, the audit log, what its publisher is told, and what the registry
/// shows change together, in one transaction.
public struct SubmissionMoves: Sendable {
    let database: any Database
    private let announcer: Announcer

    /// The moves of a database's submissions.
    public init(database: any Database, announcer: Announcer) {
        self.database = database
        self.announcer = announcer
    }

    /// Who moves a submission, when, and with what words.
    struct Act: Sendable {
        let actorID: String
        let at: Timestamp
        var note = ""
    }

    /// Runs a transaction that moves submissions; what it announces goes out once it is on disk.
    func commit<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value {
        try await announcer.commit(database, body)
    }

    /// Stores what a draft became, or a new one.
    func create(_ row: SubmissionRow, slug: String, action: String, _ act: Act, in writer: any SQLWriter) throws -> Submission {
        let submission = try Submission(row: try writer.insert(row), slug: slug)
        try writer.insert(event(of: submission, action, to: submission.state, act))
        try writer.audit("submission.\(action)", submission.subject, by: act.actorID, at: act.at, after: submission.audited)
        return submission
    }

    /// Moves a submission by an action that its state allows.
    ///
    /// - Throws: `conflict`: `state_conflict` when it does not; `digest_revoked` when the action leads to use and the image was revoked.
    @discardableResult
    func move(
        _ submission: Submission, _ action: SubmissionAction, _ act: Act, in writer: any SQLWriter, change: (inout SubmissionRow) -> Void = { _ in }
    ) throws -> Submission {
        let state = try submission.state(after: action)
        var row = submission.row
        row.state = state.rawValue
        row.updatedAt = act.at.milliseconds
        change(&row)
        if action.leadsToUse, let revocation = try row.imageDigest.flatMap({ try writer.digestRevocation(digest: $0, publisherID: row.publisherID) })
        {
            throw ServiceError(
                .conflict, code: "digest_revoked",
                "The image \(revocation.digest) was revoked (\(revocation.reason)), and nobody may run it any more; hand in another image.")
        }
        try writer.update(row)
        let moved = try Submission.find(row.id, in: writer)
        try writer.insert(event(of: moved, action.rawValue, to: state, act))
        try writer.audit(
            "submission.\(action.rawValue)", submission.subject, by: act.actorID, at: act.at, before: submission.audited, after: moved.audited)
        if let kind = EventKind(action) { try tell(kind, of: moved, act, in: writer) }
        return moved
    }

    /// Gives a version another trust level; what the registry shows changes with it. Jobs that run go on at the level that they began with.
    ///
    /// - Parameter action: what was done, for the history and the audit log.
    @discardableResult
    func setLevel(
        _ submission: Submission, to level: TrustLevel, action: String, _ act: Act, in writer: any SQLWriter
    ) throws -> Submission {
        var row = submission.row
        row.trustLevel = level.rawValue
        row.updatedAt = act.at.milliseconds
        try writer.update(row)
        let changed = try Submission.find(row.id, in: writer)
        try writer.insert(event(of: changed, action, to: changed.state, act))
        try writer.audit(
            "submission.\(action)", changed.subject, by: act.actorID, at: act.at, before: submission.audited, after: changed.audited)
        if changed.state == .published || changed.state == .suspended { try Registry.show(changed, in: writer) }
        if changed.state == .suspended { try Registry.hide(changed, in: writer) }
        return changed
    }

    /// Lets a version's signature count no more; a level that it would not have without one is lost.
    func loseSignature(_ submission: Submission, _ act: Act, in writer: any SQLWriter) throws {
        var row = submission.row
        var summary = submission.signature
        summary?.isVerified = false
        row.signature = summary?.stored
        try writer.update(row)
        guard submission.reliesOnSignature else { return }
        try loseCertification(try Submission.find(row.id, in: writer), act, in: writer)
    }

    /// Takes a Cargo's certification away: its version in the registry goes back to level 1, and so do those that wait to be published.
    func loseCertification(_ submission: Submission, _ act: Act, in writer: any SQLWriter) throws {
        var ids = [submission.row.id]
        let published = try writer.workload(id: submission.row.workloadID)?.publishedSubmissionID
        if submission.row.id == published {
            ids += try writer.submissionIDs(workloadID: submission.row.workloadID, inState: SubmissionState.approved.rawValue)
            try writer.endCertifications(
                workloadID: submission.row.workloadID, inState: CertificationState.granted.rawValue, at: act.at.milliseconds, because: act.note)
        }
        for id in ids {
            let version = try Submission.find(id, in: writer)
            guard let level = version.trustLevel, level.requiresSignature else { continue }
            let changed = try setLevel(version, to: .basic, action: "decertify", act, in: writer)
            try tell(.certificationLost, of: changed, act, facts: ["trust_level_before": .int(level.rawValue)], in: writer)
        }
    }

    /// Removes a draft and all that hangs on it.
    func delete(_ submission: Submission, _ act: Act, in writer: any SQLWriter) throws {
        guard submission.state.allows(.delete) else { throw submission.stateConflict(.delete) }
        try writer.deleteSubmission(id: submission.row.id)
        try writer.deleteWorkloadIfEmpty(id: submission.row.workloadID)
        try writer.audit("submission.delete", submission.subject, by: act.actorID, at: act.at, before: submission.audited)
    }

    /// Writes down that a submission's tag points to another digest than the pinned one; once for each other digest.
    func noteTag(of submission: Submission, pointsTo digest: String, at now: Timestamp, in writer: any SQLWriter) throws {
        let movedTo = digest == submission.row.imageDigest ? nil : digest
        guard movedTo != submission.row.tagMovedTo else { return }
        var row = submission.row
        row.tagMovedTo = movedTo
        try writer.update(row)
        guard let movedTo else { return }
        let act = Act(actorID: "system", at: now, note: "the image's tag now points to \(movedTo)")
        try writer.insert(event(of: submission, "tag_moved", to: submission.state, act))
        try tell(.submissionTagMoved, of: submission, act, in: writer)
    }

    /// Tells the publisher, or another account, what became of a submission.
    func tell(
        _ kind: EventKind, of submission: Submission, _ act: Act, facts: JSONObject = JSONObject(), to accountID: String? = nil,
        in writer: any SQLWriter
    ) throws {
        var facts = facts
        facts["state"] = .string(submission.state.rawValue)
        if let level = submission.trustLevel { facts["trust_level"] = .int(level.rawValue) }
        if let rule = submission.row.rejectionRule, kind == .submissionRejected { facts["rule"] = .string(rule) }
        try announcer.tell(
            Announcement(
                kind: kind, accountID: accountID ?? submission.row.publisherID, submission: submission,
                title: "\(submission.slug) \(submission.row.version) \(Self.words(kind, submission))", message: act.note, facts: facts),
            at: act.at, in: writer)
    }

    private static func words(_ kind: EventKind, _ submission: Submission) -> String {
        switch kind {
        case .submissionPendingReview: "is in review"
        case .submissionScanned: "was scanned"
        case .submissionApproved: "was approved at trust level \(submission.trustLevel?.rawValue ?? 0)"
        case .submissionRejected: "was rejected"
        case .submissionPublished: "is published"
        case .submissionSuperseded: "was replaced by a newer version"
        case .submissionSuspended: "was suspended"
        case .submissionUnsuspended: "is published again"
        case .submissionTagMoved: "has a tag that points elsewhere now"
        case .submissionFlagged: "was flagged by a rescan"
        case .submissionCleared: "was cleared by a rescan"
        case .submissionJustificationReopened: "has a finding whose justification is over"
        case .certificationGranted: "is at trust level \(submission.trustLevel?.rawValue ?? 0) now"
        case .certificationRejected: "was not certified"
        case .certificationLost: "is back at trust level 1"
        case .identityVerified, .identityRevoked: "changed"
        }
    }

    private func event(of submission: Submission, _ action: String, to state: SubmissionState, _ act: Act) -> SubmissionEventRow {
        SubmissionEventRow(
            submissionID: submission.row.id, at: act.at.milliseconds, actorID: act.actorID, action: action, toState: state.rawValue, note: act.note)
    }
}

extension Submission {
    /// Whether it has a level that it would not have without its signature.
    var reliesOnSignature: Bool {
        guard trustLevel?.requiresSignature == true else { return false }
        switch state {
        case .approved, .published, .suspended: return true
        case .draft, .pendingReview, .rejected, .superseded: return false
        }
    }

    /// The submission's name in the audit log.
    var subject: String { "submission/\(row.id)" }

    /// What the audit log keeps of a submission.
    var audited: JSONValue {
        var object: JSONObject = [
            "slug": .string(slug), "state": .string(state.rawValue), "version": .string(row.version), "image_digest": .optional(row.imageDigest),
            "trust_level": .optional(trustLevel?.rawValue),
        ]
        if let signature { object["signature"] = signature.json }
        // What can change only in a draft is told only there, so that the log does not repeat schemas at every step.
        if state == .draft { object["fields"] = .object(fields.json) }
        if let reason = row.rejectionReason { object["rejection_reason"] = .string(reason) }
        return .object(object)
    }
}

import Domain
import JSON
import Storage

/// What a rescan of a published version leads to, in the transaction that stores it.
struct RescanConsequences: Sendable {
    private let moves: SubmissionMoves
    private let policy: RescanPolicy

    init(moves: SubmissionMoves, policy: RescanPolicy) {
        self.moves = moves
        self.policy = policy
    }

    /// Flags a version in which something blocks, or clears one that was flagged.
    ///
    /// People are told of each finding once. A finding that was not there before has a grace of its own, also where an administrator has
    /// brought the Cargo back in spite of the others; the earliest end of what is still there counts.
    func apply(_ findings: [Finding], to submission: Submission, at now: Timestamp, in writer: any SQLWriter) throws {
        let grace = try writer.grace(submissionID: submission.row.id)
        // Sorted worst first.
        guard let worst = findings.first(where: { $0.severity.impact == .blocks }) else {
            if let grace { try clear(submission, grace, at: now, in: writer) }
            return
        }
        var deadlines = try Self.deadlines(of: grace)
        // Suspended for what was known, and brought back by an administrator since: only what is new counts.
        let isForgiven = grace?.suspendedAt != nil && submission.state == .published
        if isForgiven { deadlines.forgive() }
        let fresh = deadlines.replace(with: findings, policy: policy, now: now.milliseconds)
        let flagged = GraceRow(
            submissionID: submission.row.id, severity: worst.severity.rawValue, beganAt: grace?.beganAt ?? now.milliseconds,
            endsAt: deadlines.first ?? Int.max, suspendedAt: isForgiven && !fresh.isEmpty ? nil : grace?.suspendedAt,
            told: Self.text(of: deadlines))
        try writer.store(flagged)
        let loss = SubmissionMoves.Act(
            actorID: "system", at: now, note: "a rescan found \(worst.summary), and a certified Cargo has nothing that blocks")
        try moves.loseCertification(submission, loss, in: writer)
        let submission = try Submission.find(submission.row.id, in: writer)
        if !fresh.isEmpty { try tell(.submissionFlagged, submission, Self.words(fresh, end: flagged.endsAt, now: now), fresh, at: now, in: writer) }
        if flagged.endsAt <= now.milliseconds { try suspend(flagged, at: now, in: writer) }
    }

    private static func deadlines(of grace: GraceRow?) throws -> FindingDeadlines {
        guard let grace else { return FindingDeadlines() }
        let pairs = (try JSONValue(parsing: grace.told).array ?? []).compactMap { entry -> (String, Int?)? in
            // A text alone was written before each finding had an end of its own.
            if let key = entry.string { return (key, grace.endsAt) }
            return entry.array?.first?.string.map { ($0, entry.array?.last?.int) }
        }
        return FindingDeadlines(ends: Dictionary(pairs) { $1 })
    }

    private static func text(of deadlines: FindingDeadlines) -> String {
        JSONValue.array(deadlines.ends.sorted { $0.key < $1.key }.map { [.string($0.key), .optional($0.value)] }).text
    }

    /// Suspends a version whose grace has ended.
    func suspend(_ grace: GraceRow, at now: Timestamp, in writer: any SQLWriter) throws {
        guard grace.suspendedAt == nil else { return }
        let submission = try Submission.find(grace.submissionID, in: writer)
        // Suspended by an administrator meanwhile: then it is not ours to bring back either.
        let isOurs = submission.state == .published
        var deadlines = try Self.deadlines(of: grace)
        if !isOurs { deadlines.forgive() }
        try writer.store(
            GraceRow(
                submissionID: grace.submissionID, severity: grace.severity, beganAt: grace.beganAt, endsAt: isOurs ? grace.endsAt : Int.max,
                suspendedAt: isOurs ? now.milliseconds : nil, told: Self.text(of: deadlines)))
        guard isOurs else { return }
        let note = "a rescan found what is \(grace.severity), and the time to mend it is over; publish a version without it"
        let moved = try moves.move(submission, .suspend, .init(actorID: "system", at: now, note: note), in: writer)
        try Registry.hide(moved, in: writer)
        try tellReviewers(.submissionSuspended, moved, note, at: now, in: writer)
    }

    private func clear(_ submission: Submission, _ grace: GraceRow, at now: Timestamp, in writer: any SQLWriter) throws {
        try writer.removeGrace(submissionID: submission.row.id)
        try tell(.submissionCleared, submission, "a rescan found nothing critical or high any more", [], at: now, in: writer)
        // What an administrator suspended stays suspended.
        guard grace.suspendedAt != nil, submission.state == .suspended else { return }
        // Nor does an image come back that was revoked.
        let digest = submission.row.imageDigest ?? ""
        guard try writer.digestRevocation(digest: digest, publisherID: submission.row.publisherID) == nil else { return }
        let act = SubmissionMoves.Act(actorID: "system", at: now, note: "a rescan found nothing critical or high any more")
        try Registry.show(try moves.move(submission, .unsuspend, act, in: writer), in: writer)
    }

    private func tell(
        _ kind: EventKind, _ submission: Submission, _ words: String, _ findings: [Finding], at now: Timestamp, in writer: any SQLWriter
    ) throws {
        try moves.tell(
            kind, of: submission, .init(actorID: "system", at: now, note: words),
            facts: ["findings": .array(findings.prefix(Self.toldFindingsMax).map(\.json))], in: writer)
        try tellReviewers(kind, submission, words, at: now, in: writer)
    }

    private func tellReviewers(
        _ kind: EventKind, _ submission: Submission, _ words: String, at now: Timestamp, in writer: any SQLWriter
    ) throws {
        for account in try writer.accountIDs(withRole: Role.reviewer.rawValue) where account != submission.row.publisherID {
            try moves.tell(kind, of: submission, .init(actorID: "system", at: now, note: words), to: account, in: writer)
        }
    }

    /// Findings named in one notification. Chosen: a webhook's body stays small.
    private static let toldFindingsMax = 20

    private static func words(_ findings: [Finding], end: Int, now: Timestamp) -> String {
        let more = findings.count > 1 ? " and \(findings.count - 1) more" : ""
        let what = (findings.first?.summary ?? "") + more
        if end == Int.max { return what }
        if end <= now.milliseconds { return "\(what); it is suspended until a version without it is published" }
        return "\(what); it is suspended at \(Timestamp(milliseconds: end)) unless a version without it is published"
    }
}

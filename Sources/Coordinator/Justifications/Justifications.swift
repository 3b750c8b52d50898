public import Domain
public import JSON
public import Storage

/// What publishers say of findings, countersigned by reviewers.
///
/// A justification speaks of one finding in one digest, holds until its end date, and is over when the finding's severity rises.
public struct Justifications: Sendable {
    let database: any Database
    private let moves: SubmissionMoves
    let surroundings: Surroundings

    /// The use cases over a database's submissions.
    public init(moves: SubmissionMoves, surroundings: Surroundings) {
        database = moves.database
        self.moves = moves
        self.surroundings = surroundings
    }

    private static let daySeconds = 86_400

    /// Every justification of a submission, oldest first, ended ones too.
    public func list(of id: Int, for principal: Principal) async throws -> [JustificationRow] {
        try principal.require(.read)
        return try await database.read { reader in
            _ = try Publishing.find(id, for: principal, in: reader)
            return try reader.justifications(submissionID: id)
        }
    }

    /// Justifies a finding of the submission's newest scan. One that was there for the same finding is replaced.
    public func add(_ request: JustificationRequest, to id: Int, by principal: Principal) async throws -> JustificationRow {
        try principal.require(.write)
        let problems = request.problems()
        guard problems.isEmpty else { throw ServiceError.invalid(problems) }
        let now = surroundings.now()
        return try await moves.commit { writer in
            let submission = try Publishing.owned(id, by: principal, in: writer)
            guard let digest = submission.row.imageDigest, let row = try writer.newestScan(submissionID: id), row.digest == digest else {
                throw ServiceError(.conflict, code: "not_scanned", "Nothing is known of the image yet; justify what a finished scan found.")
            }
            let finding = try Self.finding(request, in: try Scan(row).findings)
            for var old in try writer.justifications(submissionID: id)
            where old.endedAt == nil && old.finding == finding.id && old.package == finding.packageKey {
                old.endedAt = now.milliseconds
                old.endedBecause = "replaced"
                try writer.update(old)
            }
            let stored = try writer.insert(
                JustificationRow(
                    submissionID: id, digest: digest, finding: finding.id, package: finding.packageKey, severity: finding.severity.rawValue,
                    status: request.status.rawValue, reason: request.reason?.rawValue, statement: request.statement,
                    authorID: principal.accountID, createdAt: now.milliseconds,
                    expiresAt: (now + .seconds(request.validDays * Self.daySeconds)).milliseconds))
            try writer.audit("justification.add", submission.subject, by: principal.accountID, at: now, after: stored.json)
            return stored
        }
    }

    /// Takes a justification back.
    public func withdraw(_ justificationID: Int, of id: Int, by principal: Principal) async throws -> JustificationRow {
        try principal.require(.write)
        let now = surroundings.now()
        return try await moves.commit { writer in
            let submission = try Publishing.owned(id, by: principal, in: writer)
            var row = try Self.find(justificationID, of: id, in: writer)
            guard row.endedAt == nil else { throw ServiceError(.conflict, code: "already_ended", "The justification is over already.") }
            let before = row.json
            row.endedAt = now.milliseconds
            row.endedBecause = "withdrawn"
            try writer.update(row)
            try writer.audit("justification.withdraw", submission.subject, by: principal.accountID, at: now, before: before, after: row.json)
            return row
        }
    }

    /// A reviewer agrees to a justification.
    public func countersign(_ justificationID: Int, of id: Int, by principal: Principal) async throws -> JustificationRow {
        try principal.require(.review)
        let now = surroundings.now()
        return try await moves.commit { writer in
            let submission = try Submission.find(id, in: writer)
            guard submission.row.publisherID != principal.accountID else {
                throw ServiceError(.forbidden, code: "own_submission", "Nobody reviews their own submission; another reviewer has to.")
            }
            let row = try Self.find(justificationID, of: id, in: writer)
            guard row.counts(at: now.milliseconds) else {
                throw ServiceError(.conflict, code: "already_ended", "The justification is over; the publisher has to make a new one.")
            }
            return try Self.countersign(row, of: submission, by: principal.accountID, at: now, in: writer)
        }
    }

    private static func countersign(
        _ row: JustificationRow, of submission: Submission, by accountID: String, at now: Timestamp, in writer: any SQLWriter
    ) throws -> JustificationRow {
        guard row.countersignedBy == nil else { return row }
        var row = row
        let before = row.json
        row.countersignedBy = accountID
        row.countersignedAt = now.milliseconds
        try writer.update(row)
        try writer.audit("justification.countersign", submission.subject, by: accountID, at: now, before: before, after: row.json)
        return row
    }

    private static func find(_ justificationID: Int, of id: Int, in reader: any SQLReader) throws -> JustificationRow {
        guard let row = try reader.justifications(submissionID: id).first(where: { $0.id == justificationID }) else {
            throw ServiceError.notFound("justification \(justificationID)")
        }
        return row
    }

    /// The one finding that a request means.
    private static func finding(_ request: JustificationRequest, in findings: [Finding]) throws -> Finding {
        let named = findings.filter { $0.id == request.finding || $0.aliases.contains(request.finding) }
        guard !named.isEmpty else { throw ServiceError.invalid([Problem("/finding", "is not among the findings of the newest scan")]) }
        let meant = named.filter { request.package.map($0.isOf) ?? true }
        guard let finding = meant.first, meant.count == 1 else {
            let packages = named.map(\.packageKey).joined(separator: ", ")
            throw ServiceError.invalid([Problem("/package", "must name one of: \(packages)")])
        }
        guard finding.severity.impact != .blocks else {
            throw ServiceError.invalid([
                Problem("/finding", "is \(finding.severity.rawValue); critical and high findings must be fixed and cannot be justified")
            ])
        }
        return finding
    }
}

extension Justifications {
    /// The findings that need a word and have none that counts.
    static func open(_ findings: [Finding], of submission: Submission, at now: Timestamp, in reader: any SQLReader) throws -> [Finding] {
        let rows = try reader.justifications(submissionID: submission.row.id).filter {
            $0.counts(at: now.milliseconds) && $0.digest == submission.row.imageDigest
        }
        return findings.filter { finding in
            finding.severity.impact == .needsJustification
                && !rows.contains { $0.finding == finding.id && $0.package == finding.packageKey }
        }
    }

    /// A reviewer who approves agrees to every justification that counts.
    ///
    /// - Parameter seen: those that the reviewer has read; when they are not the ones that count now, nothing is approved.
    static func countersignAll(
        of submission: Submission, seen: Set<Int>?, by accountID: String, at now: Timestamp, in writer: any SQLWriter
    ) throws {
        let rows = try writer.justifications(submissionID: submission.row.id).filter {
            $0.counts(at: now.milliseconds) && $0.digest == submission.row.imageDigest
        }
        if let seen, seen != Set(rows.map(\.id)) {
            throw ServiceError(
                .conflict, code: "justifications_changed",
                "The justifications that count are \(rows.map { String($0.id) }.joined(separator: ", ")); read them and approve with these.",
                context: ["justifications": .array(rows.map(\.json))])
        }
        for row in rows { _ = try countersign(row, of: submission, by: accountID, at: now, in: writer) }
    }

    /// Ends the justifications of findings that are worse now than when they were justified, and tells the publisher.
    static func reopen(
        of submission: Submission, where findings: [Finding], at now: Timestamp, moves: SubmissionMoves, in writer: any SQLWriter
    ) throws {
        for var row in try writer.justifications(submissionID: submission.row.id) where row.endedAt == nil {
            guard let finding = findings.first(where: { $0.id == row.finding && $0.packageKey == row.package }),
                let justified = Severity(rawValue: row.severity), finding.severity > justified
            else { continue }
            let before = row.json
            row.endedAt = now.milliseconds
            row.endedBecause = "severity_rose"
            try writer.update(row)
            try writer.audit("justification.reopen", submission.subject, by: "system", at: now, before: before, after: row.json)
            let words = "\(finding.summary); it was \(justified.rawValue) when it was justified."
            try moves.tell(
                .submissionJustificationReopened, of: submission, .init(actorID: "system", at: now, note: words),
                facts: ["finding": finding.json], in: writer)
        }
    }
}

extension JustificationRow {
    /// The justification as an object of the API.
    public var json: JSONValue {
        func time(_ milliseconds: Int?) -> JSONValue { .optional(milliseconds.map { Timestamp(milliseconds: $0).description }) }
        return [
            "id": .int(id), "digest": .string(digest), "finding": .string(finding), "package": .string(package),
            "severity": .string(severity), "status": .string(status), "reason": .optional(reason), "statement": .string(statement),
            "author_id": .string(authorID), "created_at": time(createdAt), "expires_at": time(expiresAt),
            "countersigned_by": .optional(countersignedBy), "countersigned_at": time(countersignedAt), "ended_at": time(endedAt),
            "ended_because": .optional(endedBecause),
        ]
    }
}

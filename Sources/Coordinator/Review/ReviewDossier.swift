public import Domain
import JSON
import OCI
public import Storage

/// Everything that a reviewer needs to judge one submission.
public struct ReviewDossier: Sendable {
    /// What is to be judged.
    public let submission: Submission
    /// Who submits it.
    public let publisher: Account
    /// Cargos of the publisher that count against the limit, at least 0.
    public let activeCargos: Int
    /// The newest scan of the submission.
    public let scan: Scan?
    /// The version that this one would replace.
    public let previous: Submission?
    /// What is different from it; `nil` where there is none.
    public let difference: SubmissionDifference?
    /// What is wrong with the schemas; places are pointers into the submission.
    public let schemaProblems: [Problem]
    /// What the publisher says of findings, oldest first, ended ones too.
    public let justifications: [JustificationRow]
    /// What happened so far, oldest first.
    public let events: [SubmissionEventRow]
    /// Whole seconds since it was handed in; 0 outside the queue.
    public let waitingSeconds: Int
}

/// What changed between the published version of a Cargo and a new one.
public struct SubmissionDifference: Sendable {
    /// Fields that differ, with both values as JSON; names are those of the API.
    public let fields: [(name: String, from: JSONText, to: JSONText)]
    /// Findings that the published version did not have.
    public let addedFindings: [Finding]
    /// Findings that are gone.
    public let removedFindings: [Finding]

    /// A value as JSON text, `null` for a field that is missing.
    public typealias JSONText = String

    init(from old: Submission, _ oldFindings: [Finding], to new: Submission, _ newFindings: [Finding]) {
        let (before, after) = (old.fields.json, new.fields.json)
        let names = after.members.map(\.name) + before.members.map(\.name).filter { after[$0] == nil }
        fields = names.filter { before[$0] != after[$0] }.map { ($0, (before[$0] ?? .null).text, (after[$0] ?? .null).text) }
        func key(_ finding: Finding) -> String { "\(finding.id) \(finding.package)" }
        let (oldKeys, newKeys) = (Set(oldFindings.map(key)), Set(newFindings.map(key)))
        addedFindings = newFindings.filter { !oldKeys.contains(key($0)) }
        removedFindings = oldFindings.filter { !newKeys.contains(key($0)) }
    }
}

extension Review {
    /// Everything about a submission at once; looks where the image's tag points now, and notes when it has moved.
    public func dossier(of id: Int, for principal: Principal) async throws -> ReviewDossier {
        try principal.require(.review)
        let submission = try await database.read { try Submission.find(id, in: $0) }
        try await noticeMovedTag(of: submission)
        let now = surroundings.now().milliseconds
        return try await database.read { reader in
            let submission = try Submission.find(id, in: reader)
            let scan = try Scan.newest(of: id, in: reader)
            let previous = try Self.previous(of: submission, in: reader)
            let previousScan = try previous.flatMap { try Scan.newest(of: $0.row.id, in: reader) }
            let isWaiting = submission.state == .pendingReview
            return ReviewDossier(
                submission: submission, publisher: try Account.find(submission.row.publisherID, in: reader),
                activeCargos: try reader.countWorkloads(
                    publisherID: submission.row.publisherID, inStates: SubmissionState.allCases.filter(\.isActive).map(\.rawValue), otherThan: 0),
                scan: scan, previous: previous,
                difference: previous.map {
                    SubmissionDifference(from: $0, previousScan?.findings ?? [], to: submission, scan?.findings ?? [])
                }, schemaProblems: SubmittedSchemas.problems(of: submission.fields),
                justifications: try reader.justifications(submissionID: id), events: try reader.submissionEvents(submissionID: id),
                waitingSeconds: isWaiting ? max(0, now - (submission.row.submittedAt ?? now)) / 1000 : 0)
        }
    }

    /// The published version that a submission would replace.
    private static func previous(of submission: Submission, in reader: any SQLReader) throws -> Submission? {
        guard let id = try reader.workload(id: submission.row.workloadID)?.publishedSubmissionID, id != submission.row.id else { return nil }
        return try Submission.find(id, in: reader)
    }

    private func noticeMovedTag(of submission: Submission) async throws {
        guard submission.row.imageDigest != nil, let text = submission.fields.containerImage, let reference = try? ImageReference(parsing: text),
            // The pinned digest stands whatever the registry says now; not to know costs only the notice.
            let digest = try? await images.resolve(reference).description
        else { return }
        guard digest != submission.row.imageDigest || submission.row.tagMovedTo != nil else { return }
        let now = surroundings.now()
        try await moves.commit { writer in
            let current = try Submission.find(submission.row.id, in: writer)
            guard current.row.imageDigest == submission.row.imageDigest else { return }
            try moves.noteTag(of: current, pointsTo: digest, at: now, in: writer)
        }
    }
}

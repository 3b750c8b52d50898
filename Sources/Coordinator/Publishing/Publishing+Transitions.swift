public import Domain
import Fabric
import OCI
import Storage

/// Names of the topics that services listen on.
enum Topics {
    /// A scan waits.
    static let scans = "scans"
    /// A job waits, or an Island has become free.
    static let placement = "placement"

    /// A job's transcript grew.
    static func job(_ id: String) -> String { "job/\(id)" }
}

extension Publishing {
    /// Moves a submission to a state that its publisher may ask for: `pending_review`, `draft` (withdraw) or `published`.
    public func transition(_ id: Int, to state: SubmissionState, by principal: Principal) async throws -> Submission {
        try principal.require(.write)
        guard let action = SubmissionAction(publisherAsksFor: state) else {
            throw ServiceError.invalid([Problem("/to", "a publisher can ask for pending_review, draft or published")])
        }
        switch action {
        case .submit: return try await submit(id, by: principal)
        case .publish: return try await publish(id, by: principal)
        case .withdraw: return try await withdraw(id, by: principal)
        case .edit, .delete, .approve, .reject, .resubmit, .supersede, .suspend, .unsuspend:
            preconditionFailure("no publisher's wish leads to \(action)")
        }
    }

    /// Hands a draft in: the tag is resolved to a digest, and everything after speaks of that digest.
    private func submit(_ id: Int, by principal: Principal) async throws -> Submission {
        let draft = try await database.read { reader in
            let submission = try Self.owned(id, by: principal, in: reader)
            _ = try submission.state(after: .submit)
            return submission
        }
        let digest = try await pinnedDigest(of: draft)
        let now = surroundings.now()
        let submitted = try await database.write { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            let state = try submission.state(after: .submit)
            guard submission.fields == draft.fields else {
                throw ServiceError(.conflict, code: "edited_meanwhile", "Submission \(id) was edited while its image was looked up; submit it again.")
            }
            try Self.requireRisingVersion(submission, in: writer)
            try Self.requireFreePlace(for: submission, in: writer)
            try writer.move(submission, .submit, to: state, by: principal.accountID, at: now) { row in
                row.imageDigest = digest.description
                row.submittedAt = now.milliseconds
            }
            try writer.insertScan(submissionID: id, digest: digest.description, at: now.milliseconds)
            return try Submission.find(id, in: writer)
        }
        bus.signal(Topics.scans)
        return submitted
    }

    private func pinnedDigest(of draft: Submission) async throws -> Digest {
        guard let text = draft.fields.containerImage else { throw ServiceError.invalid([Problem("/container_image", "is required")]) }
        let reference = try ImageReference(parsing: text)
        guard approved.contains(imageName: reference.name) else {
            throw ServiceError(
                .invalid, code: "registry_not_approved", approved.refusal(of: reference.name),
                details: [Problem("/container_image", approved.refusal(of: reference.name))])
        }
        let digest: Digest
        do {
            digest = try await images.resolve(reference)
        } catch let error as OCIError {
            throw ServiceError(image: reference, error: error)
        }
        if let wanted = draft.fields.imageDigest, wanted != digest.description {
            throw ServiceError(
                .invalid, code: "digest_mismatch", "\(reference) points to \(digest), not to the image_digest of the submission.",
                details: [Problem("/image_digest", "is not what the tag points to: \(digest)")])
        }
        return digest
    }

    private static func requireRisingVersion(_ submission: Submission, in reader: any SQLReader) throws {
        guard let workload = try reader.workload(id: submission.row.workloadID), let publishedID = workload.publishedSubmissionID else { return }
        let published = try Submission.find(publishedID, in: reader)
        guard let old = SemanticVersion(published.row.version), let new = SemanticVersion(submission.row.version), new <= old else { return }
        throw ServiceError.invalid([Problem("/version", "must be greater than the published \(old)")])
    }

    private static func requireFreePlace(for submission: Submission, in reader: any SQLReader) throws {
        let account = try reader.account(id: submission.row.publisherID)
        let standing = account.flatMap { PublisherStanding(rawValue: $0.standing) } ?? .community
        guard let most = standing.activeCargosMax else { return }
        let active = SubmissionState.allCases.filter(\.isActive).map(\.rawValue)
        let others = try reader.countWorkloads(
            publisherID: submission.row.publisherID, inStates: active, otherThan: submission.row.workloadID)
        guard others >= most else { return }
        throw ServiceError(
            .conflict, code: "active_cargo_limit",
            "You already have \(others) active Cargos and may have \(most); withdraw one, or verify your identity for \(PublisherStanding.verified.activeCargosMax ?? most)."
        )
    }

    private func withdraw(_ id: Int, by principal: Principal) async throws -> Submission {
        let now = surroundings.now()
        return try await database.write { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            let state = try submission.state(after: .withdraw)
            try writer.move(submission, .withdraw, to: state, by: principal.accountID, at: now) { row in
                row.imageDigest = nil
                row.submittedAt = nil
            }
            try writer.stopScans(submissionID: id, notDueBefore: Int.max)
            return try Submission.find(id, in: writer)
        }
    }

    /// Puts an approved submission into the registry; the version that was there is superseded.
    private func publish(_ id: Int, by principal: Principal) async throws -> Submission {
        let now = surroundings.now()
        return try await database.write { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            let state = try submission.state(after: .publish)
            try Self.requireRisingVersion(submission, in: writer)
            if submission.trustLevel?.requiresSignature != false {
                throw ServiceError(
                    .conflict, code: "signature_required",
                    "Publishing at this trust level needs a cosign signature, which this version cannot verify yet.")
            }
            if let workload = try writer.workload(id: submission.row.workloadID), let oldID = workload.publishedSubmissionID {
                let old = try Submission.find(oldID, in: writer)
                let oldState = try old.state(after: .supersede)
                try writer.move(old, .supersede, to: oldState, by: principal.accountID, at: now, note: "by submission \(id)")
            }
            try writer.move(submission, .publish, to: state, by: principal.accountID, at: now) { $0.publishedAt = now.milliseconds }
            try writer.setPublishedSubmission(id, workloadID: submission.row.workloadID)
            return try Submission.find(id, in: writer)
        }
    }
}

public import Domain
import Fabric
import OCI
import Storage

/// Names of the topics that services listen on.
enum Topics {
    /// A scan waits.
    static let scans = "scans"
    /// An event waits to be brought to a webhook or mailbox.
    static let deliveries = "deliveries"
    /// A job waits, or an Island has become free.
    static let placement = "placement"
    /// The plan of rescans has changed.
    static let rescans = "rescans"

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
        let act = act(of: principal)
        let submitted = try await moves.commit { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            _ = try submission.state(after: .submit)
            guard submission.fields == draft.fields else {
                throw ServiceError(.conflict, code: "edited_meanwhile", "Submission \(id) was edited while its image was looked up; submit it again.")
            }
            try Self.requireRisingVersion(submission, in: writer)
            try Self.requireFreePlace(for: submission, in: writer)
            let moved = try moves.move(submission, .submit, act, in: writer) { row in
                row.imageDigest = digest.description
                row.submittedAt = act.at.milliseconds
            }
            try writer.insertScan(submissionID: id, digest: digest.description, purpose: ScanPurpose.review.rawValue, at: act.at.milliseconds)
            return moved
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
        let act = act(of: principal)
        return try await moves.commit { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            let moved = try moves.move(submission, .withdraw, act, in: writer) { row in
                row.imageDigest = nil
                row.submittedAt = nil
                row.tagMovedTo = nil
            }
            try writer.stopScans(submissionID: id, notDueBefore: Int.max)
            return moved
        }
    }

    /// Puts an approved submission into the registry; the version that was there is superseded. A tag that no longer points to the
    /// pinned digest is noticed and told, and changes nothing: what was reviewed is the digest.
    ///
    /// At levels above 1 the digest must be signed by one of the publisher's signing identities now; the signature is stored with the version.
    private func publish(_ id: Int, by principal: Principal) async throws -> Submission {
        let approved = try await database.read { reader in
            let submission = try Self.owned(id, by: principal, in: reader)
            _ = try submission.state(after: .publish)
            return submission
        }
        let signature = approved.trustLevel?.requiresSignature == true ? try await gate.signature(of: approved) : nil
        let tagDigest = await currentDigest(of: approved)
        let act = act(of: principal)
        let published = try await moves.commit { writer in
            var submission = try Self.owned(id, by: principal, in: writer)
            _ = try submission.state(after: .publish)
            try Self.requireRisingVersion(submission, in: writer)
            if submission.trustLevel?.requiresSignature != false {
                guard let signature else {
                    throw ServiceError(
                        .conflict, code: "signature_required",
                        "The trust level of submission \(id) was raised while it was published, and its signature was not looked for; try again.")
                }
                submission = try SignatureGate.accept(signature, for: submission, by: act.actorID, in: writer)
            }
            if let workload = try writer.workload(id: submission.row.workloadID), let oldID = workload.publishedSubmissionID {
                let replaced = SubmissionMoves.Act(actorID: act.actorID, at: act.at, note: "by submission \(id)")
                try moves.move(try Submission.find(oldID, in: writer), .supersede, replaced, in: writer)
            }
            try Certifications.follow(submission, at: act.at, in: writer)
            let published = try moves.move(submission, .publish, act, in: writer) { $0.publishedAt = act.at.milliseconds }
            try writer.setPublishedSubmission(id, workloadID: submission.row.workloadID)
            try Registry.show(published, in: writer)
            if let tagDigest { try moves.noteTag(of: published, pointsTo: tagDigest, at: act.at, in: writer) }
            return try Submission.find(id, in: writer)
        }
        bus.signal(Topics.rescans)
        return published
    }

    /// Where a submission's tag points now; `nil` when its registry does not say.
    private func currentDigest(of submission: Submission) async -> String? {
        guard let text = submission.fields.containerImage, let reference = try? ImageReference(parsing: text) else { return nil }
        // The pinned digest stands whatever the registry says now; not to know costs only the notice.
        return try? await images.resolve(reference).description
    }

    /// Makes a new draft with the fields of a rejected submission, which it names as its ancestor.
    ///
    /// The fields are stored as they were, even where a rule has changed since; handing the draft in checks them again.
    public func resubmit(_ id: Int, by principal: Principal) async throws -> Submission {
        try principal.require(.write)
        let act = act(of: principal)
        return try await moves.commit { writer in
            let rejected = try Self.owned(id, by: principal, in: writer)
            guard rejected.state.allows(.resubmit) else { throw rejected.stateConflict(.resubmit) }
            var draft = SubmissionRow(
                workloadID: rejected.row.workloadID, publisherID: rejected.row.publisherID, state: SubmissionState.draft.rawValue,
                fields: rejected.row.fields, version: rejected.row.version, createdAt: act.at.milliseconds)
            draft.searchText = rejected.row.searchText
            draft.resubmittedFrom = id
            return try moves.create(draft, slug: rejected.slug, action: "resubmit", act, in: writer)
        }
    }
}

public import Domain
public import Fabric
import JSON
import OCI
public import Storage

/// What publishers do: write drafts, hand them in, publish what was approved.
public struct Publishing: Sendable {
    let database: any Database
    let moves: SubmissionMoves
    let images: any ImageSource
    let approved: ApprovedRegistries
    let gate: SignatureGate
    let bus: any SignalBus
    let surroundings: Surroundings

    /// The use cases over a database and the registries that are approved.
    public init(
        moves: SubmissionMoves, images: any ImageSource, approved: ApprovedRegistries, gate: SignatureGate, bus: any SignalBus,
        surroundings: Surroundings
    ) {
        database = moves.database
        self.moves = moves
        self.images = images
        self.approved = approved
        self.gate = gate
        self.bus = bus
        self.surroundings = surroundings
    }

    /// An act of the asker, now.
    func act(of principal: Principal, note: String = "") -> SubmissionMoves.Act {
        SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: note)
    }

    /// Stores a new draft and takes its slug for the publisher.
    ///
    /// - Parameter problems: what was wrong with the request's types; reported together with what the rules find.
    /// - Throws: `invalid` with every problem; `conflict` (`slug_taken`) when the slug is another publisher's.
    public func create(_ fields: SubmissionFields, problems: [Problem], by principal: Principal) async throws -> Submission {
        try principal.require(.write)
        let (complete, version) = try validated(fields, problems)
        guard let slug = complete.slug else { throw ServiceError.invalid([Problem("/slug", "is required")]) }
        let act = act(of: principal)
        let now = act.at.milliseconds
        return try await moves.commit { writer in
            let workload = try writer.workload(slug: slug) ?? writer.insertWorkload(slug: slug, ownerID: principal.accountID, at: now)
            guard workload.ownerID == principal.accountID else {
                throw ServiceError(
                    .conflict, code: "slug_taken", "The slug '\(slug)' belongs to another publisher; choose another one.",
                    details: [Problem("/slug", "is taken")])
            }
            var draft = SubmissionRow(
                workloadID: workload.id, publisherID: principal.accountID, state: SubmissionState.draft.rawValue, fields: complete.json.text,
                version: version, createdAt: now)
            draft.searchText = complete.searchText
            return try moves.create(draft, slug: slug, action: "create", act, in: writer)
        }
    }

    /// A submission, for its publisher, reviewers and administrators.
    public func submission(_ id: Int, for principal: Principal) async throws -> Submission {
        try principal.require(.read)
        return try await database.read { try Self.find(id, for: principal, in: $0) }
    }

    /// The publisher's own submissions, newest first.
    public func list(state: SubmissionState?, page: Page, for principal: Principal) async throws -> Listing<Submission> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.submissions(
                publisherID: principal.accountID, state: state?.rawValue, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map { try Submission.find($0.id, in: reader) }, total: found.total, page: page)
        }
    }

    /// Changes fields of a draft.
    public func edit(_ id: Int, _ patch: SubmissionFields, problems: [Problem], by principal: Principal) async throws -> Submission {
        try principal.require(.write)
        let act = act(of: principal)
        return try await moves.commit { writer in
            let submission = try Self.owned(id, by: principal, in: writer)
            _ = try submission.state(after: .edit)
            let (merged, version) = try validated(submission.fields.merging(patch), problems)
            guard merged.slug == submission.slug else {
                throw ServiceError.invalid([Problem("/slug", "cannot change; make a new submission under the other slug")])
            }
            return try moves.move(submission, .edit, act, in: writer) { row in
                row.fields = merged.json.text
                row.searchText = merged.searchText
                row.version = version
            }
        }
    }

    /// Deletes a draft; a slug that nothing else uses becomes free.
    public func delete(_ id: Int, by principal: Principal) async throws {
        try principal.require(.write)
        let act = act(of: principal)
        try await moves.commit { try moves.delete(try Self.owned(id, by: principal, in: $0), act, in: $0) }
    }

    /// What happened to a submission, oldest first.
    public func events(of id: Int, for principal: Principal) async throws -> [SubmissionEventRow] {
        try principal.require(.read)
        return try await database.read { reader in
            _ = try Self.find(id, for: principal, in: reader)
            return try reader.submissionEvents(submissionID: id)
        }
    }

    /// The newest scan of a submission, or `nil` before it entered review.
    public func scan(of id: Int, for principal: Principal) async throws -> Scan? {
        try principal.require(.read)
        return try await database.read { reader in
            _ = try Self.find(id, for: principal, in: reader)
            return try Scan.newest(of: id, in: reader)
        }
    }

    /// The submission, if the asker may see it; strangers are told that there is none.
    static func find(_ id: Int, for principal: Principal, in reader: any SQLReader) throws -> Submission {
        let submission = try Submission.find(id, in: reader)
        let isInsider = !principal.scopes.isDisjoint(with: [.review, .admin])
        guard submission.row.publisherID == principal.accountID || isInsider else { throw ServiceError.notFound("submission \(id)") }
        return submission
    }

    /// The submission, if it is the asker's own.
    static func owned(_ id: Int, by principal: Principal, in reader: any SQLReader) throws -> Submission {
        let submission = try find(id, for: principal, in: reader)
        guard submission.row.publisherID == principal.accountID else {
            throw ServiceError(.forbidden, code: "not_owner", "Submission \(id) belongs to another publisher.")
        }
        return submission
    }

    /// The fields with their defaults filled in and the version (the publisher's word, else the tag), or every problem at once.
    private func validated(_ fields: SubmissionFields, _ problems: [Problem]) throws -> (SubmissionFields, version: String) {
        let wrongTypes = Set(problems.map(\.pointer))
        var all = problems + fields.problems().filter { !wrongTypes.contains($0.pointer) }
        var complete = fields
        var tag: String?
        if let image = fields.containerImage {
            let reference = referenceProblems(image)
            all += reference.problems
            tag = reference.tag
        }
        all += SubmittedSchemas.problems(of: fields)
        if let digest = fields.imageDigest {
            do { _ = try Digest(digest) } catch { all.append(Problem("/image_digest", error.message)) }
        }
        guard all.isEmpty, let version = fields.version ?? tag else { throw ServiceError.invalid(all) }
        complete.requiredVRAMMegabytes = fields.requiredVRAMMegabytes ?? SubmissionDefaults.requiredVRAMMegabytes
        complete.requiredCPUCores = fields.requiredCPUCores ?? SubmissionDefaults.requiredCPUCores
        complete.requiredRAMMegabytes = fields.requiredRAMMegabytes ?? SubmissionDefaults.requiredRAMMegabytes
        complete.revenueShare = fields.revenueShare ?? SubmissionDefaults.revenueShare
        return (complete, version)
    }

    private func referenceProblems(_ text: String) -> (problems: [Problem], tag: String?) {
        let pointer = "/container_image"
        do {
            let reference = try ImageReference(parsing: text)
            var problems: [Problem] = []
            if !approved.contains(imageName: reference.name) { problems.append(Problem(pointer, approved.refusal(of: reference.name))) }
            if reference.digest != nil {
                problems.append(Problem(pointer, "must name a tag, not a digest; say the digest in image_digest"))
            } else if reference.tag.flatMap(SemanticVersion.init) == nil {
                problems.append(Problem(pointer, "needs a tag that is a semantic version, such as :v1.0.0 (never latest)"))
            }
            return (problems, reference.tag)
        } catch {
            return ([Problem(pointer, error.message)], nil)
        }
    }
}

public import Domain
public import JSON
public import Storage

/// How a wish for a higher trust level stands.
public enum CertificationState: String, Sendable, Hashable, CaseIterable {
    case requested, granted, rejected, ended
}

/// Trust level 2 by a checklist and a reviewer, level 3 by an administrator's audit.
public struct Certifications: Sendable {
    private let database: any Database
    private let moves: SubmissionMoves
    private let gate: SignatureGate
    private let surroundings: Surroundings

    /// The use cases over a database's Cargos.
    public init(moves: SubmissionMoves, gate: SignatureGate, surroundings: Surroundings) {
        database = moves.database
        self.moves = moves
        self.gate = gate
        self.surroundings = surroundings
    }

    private static let wordsLengthMax = 10_000

    /// How a Cargo stands to its certification.
    public struct Standing: Sendable {
        /// The Cargo.
        public let cargo: PublishedCargo
        /// Every condition.
        public let checks: [CertificationCheck]
        /// The newest wish.
        public let newest: CertificationRow?

        /// Whether a wish would be taken now.
        public var isEligible: Bool { unmet.isEmpty && cargo.submission.state == .published && cargo.submission.trustLevel == .basic }
        var unmet: [CertificationCheck] { checks.filter { !$0.isMet } }
    }

    /// The live checklist, for the Cargo's publisher, reviewers and administrators.
    public func standing(slug: String, for principal: Principal) async throws -> Standing {
        try principal.require(.read)
        let cargo = try await database.read { try Self.visible(slug, to: principal, in: $0) }
        let (_, obstacle) = try await signature(of: cargo)
        return try await database.read { try Self.standing(slug, obstacle, in: $0) }
    }

    /// The image's signature now, or why there is none.
    private func signature(of cargo: PublishedCargo) async throws -> (found: SignatureGate.Found?, obstacle: String?) {
        do { return (try await gate.signature(of: cargo.submission), nil) } catch let error as ServiceError { return (nil, error.message) }
    }

    private static func visible(_ slug: String, to principal: Principal, in reader: any SQLReader) throws -> PublishedCargo {
        let cargo = try Registry.cargo(slug: slug, in: reader)
        let isInsider = !principal.scopes.isDisjoint(with: [.review, .admin])
        guard cargo.publisher.id == principal.accountID || isInsider else {
            throw ServiceError(.forbidden, code: "not_owner", "The Cargo '\(slug)' belongs to another publisher.")
        }
        return cargo
    }

    private static func standing(_ slug: String, _ obstacle: String?, in reader: any SQLReader) throws -> Standing {
        let cargo = try Registry.cargo(slug: slug, in: reader)
        let scan = try Scan.newest(of: cargo.submission.row.id, in: reader)
        let isOfThis = scan?.digest == cargo.submission.row.imageDigest
        let timeout = (cargo.submission.trustLevel ?? .untrusted).limits.timeout.milliseconds
        let facts = CertificationFacts(
            scan: isOfThis ? scan?.state : nil, blockingFindings: scan?.findings.filter { $0.severity.impact == .blocks }.count ?? 0,
            isIdentityVerified: cargo.publisher.isVerified, signatureObstacle: obstacle,
            successfulJobs: try reader.countCommunitySuccesses(workloadID: cargo.workload.id),
            reputation: Reputation(
                runs: try reader.countedOutcomes(workloadID: cargo.workload.id, limit: Reputation.jobsMax), timeoutMilliseconds: timeout,
                complaints: 0))
        return Standing(cargo: cargo, checks: facts.checks, newest: try reader.newestCertification(workloadID: cargo.workload.id))
    }

    /// Insists that every condition is met, inside the transaction that relies on it.
    ///
    /// - Throws: `conflict`: `already_certified`, `level_too_low`, `cargo_suspended`, `certification_conditions_unmet` with what is missing.
    private static func require(_ standing: Standing) throws {
        let (slug, level) = (standing.cargo.submission.slug, standing.cargo.submission.trustLevel ?? .untrusted)
        guard level < .verified else { throw ServiceError(.conflict, code: "already_certified", "'\(slug)' is at trust level \(level.rawValue).") }
        guard level == .basic else {
            throw ServiceError(.conflict, code: "level_too_low", "'\(slug)' is at trust level 0; certification begins at level 1.")
        }
        guard standing.cargo.submission.state == .published else {
            throw ServiceError(.conflict, code: "cargo_suspended", "'\(slug)' is suspended.")
        }
        guard standing.unmet.isEmpty else {
            throw ServiceError(
                .conflict, code: "certification_conditions_unmet", "'\(slug)' cannot be certified yet; see details.",
                details: standing.unmet.map { Problem("/conditions/\($0.condition.rawValue)", $0.message) },
                context: ["conditions": .array(standing.unmet.map { .string($0.condition.rawValue) })])
        }
    }

    /// Asks for level 2, for the Cargo's publisher.
    ///
    /// - Throws: `forbidden` (`not_owner`); `conflict`: as the conditions say, or `certification_pending`.
    public func request(slug: String, by principal: Principal) async throws -> Standing {
        try principal.require(.write)
        let cargo = try await database.read { try Self.owned(slug, by: principal, in: $0) }
        let (_, obstacle) = try await signature(of: cargo)
        let now = surroundings.now()
        return try await moves.commit { writer in
            _ = try Self.owned(slug, by: principal, in: writer)
            let standing = try Self.standing(slug, obstacle, in: writer)
            guard standing.newest?.state != CertificationState.requested.rawValue else {
                throw ServiceError(.conflict, code: "certification_pending", "The certification of '\(slug)' waits for a reviewer already.")
            }
            try Self.require(standing)
            let row = CertificationRow(
                workloadID: cargo.workload.id, submissionID: standing.cargo.submission.row.id, level: TrustLevel.verified.rawValue,
                state: CertificationState.requested.rawValue, requestedBy: principal.accountID, requestedAt: now.milliseconds)
            try writer.insert(row)
            try writer.audit("certification.request", "workload/\(slug)", by: principal.accountID, at: now)
            return try Self.standing(slug, obstacle, in: writer)
        }
    }

    private static func owned(_ slug: String, by principal: Principal, in reader: any SQLReader) throws -> PublishedCargo {
        let cargo = try visible(slug, to: principal, in: reader)
        guard cargo.publisher.id == principal.accountID else {
            throw ServiceError(.forbidden, code: "not_owner", "The Cargo '\(slug)' belongs to another publisher.")
        }
        return cargo
    }

    /// What waits for a reviewer, oldest first.
    public func queue(page: Page, for principal: Principal) async throws -> Listing<(row: CertificationRow, submission: Submission)> {
        try principal.require(.review)
        return try await database.read { reader in
            let found = try reader.certifications(inState: CertificationState.requested.rawValue, limit: page.limit, offset: page.offset)
            let rows = try found.rows.map { (row: $0, submission: try Submission.find($0.submissionID, in: reader)) }
            return Listing(rows: rows, total: found.total, page: page)
        }
    }

    /// Grants a wish: the Cargo is at level 2 from now on. From a request body with an optional `note`.
    ///
    /// - Throws: `forbidden` (`own_submission`); `conflict`: `no_certification_request`, or as the conditions say.
    public func approve(_ object: JSONObject, slug: String, by principal: Principal) async throws -> Standing {
        try principal.require(.review)
        let note = try Self.words("note", isRequired: false, of: object)
        let cargo = try await database.read { try Self.decidable(slug, by: principal, in: $0) }
        let (found, obstacle) = try await signature(of: cargo)
        let act = SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: note)
        return try await moves.commit { writer in
            _ = try Self.decidable(slug, by: principal, in: writer)
            let standing = try Self.standing(slug, obstacle, in: writer)
            try Self.require(standing)
            guard let found, let wish = standing.newest else { throw StorageError(.unexpectedShape, "a certification without signature or wish") }
            try decide(wish, .granted, act, in: writer)
            try raise(standing.cargo.submission, to: .verified, with: found, action: "certify", act, in: writer)
            return try Self.standing(slug, nil, in: writer)
        }
    }

    /// Refuses a wish, from a request body with `reason`.
    public func reject(_ object: JSONObject, slug: String, by principal: Principal) async throws -> Standing {
        try principal.require(.review)
        let act = SubmissionMoves.Act(
            actorID: principal.accountID, at: surroundings.now(), note: try Self.words("reason", isRequired: true, of: object))
        try await moves.commit { writer in
            let cargo = try Self.decidable(slug, by: principal, in: writer)
            guard let wish = try writer.newestCertification(workloadID: cargo.workload.id) else { throw ServiceError.notFound("certification") }
            try decide(wish, .rejected, act, in: writer)
            try writer.audit(
                "certification.reject", "workload/\(slug)", by: act.actorID, at: act.at, after: ["reason": .string(act.note)])
            try moves.tell(.certificationRejected, of: cargo.submission, act, in: writer)
        }
        return try await standing(slug: slug, for: principal)
    }

    private func decide(_ wish: CertificationRow, _ state: CertificationState, _ act: SubmissionMoves.Act, in writer: any SQLWriter) throws {
        var row = wish
        row.state = state.rawValue
        row.decidedBy = act.actorID
        row.decidedAt = act.at.milliseconds
        row.note = act.note
        try writer.update(row)
    }

    private func raise(
        _ submission: Submission, to level: TrustLevel, with found: SignatureGate.Found, action: String, _ act: SubmissionMoves.Act,
        in writer: any SQLWriter
    ) throws {
        let signed = try SignatureGate.accept(found, for: submission, by: act.actorID, in: writer)
        let raised = try moves.setLevel(signed, to: level, action: action, act, in: writer)
        try moves.tell(.certificationGranted, of: raised, act, in: writer)
    }

    /// A Cargo whose certification the asker may decide.
    private static func decidable(_ slug: String, by principal: Principal, in reader: any SQLReader) throws -> PublishedCargo {
        let cargo = try others(slug, by: principal, in: reader)
        let newest = try reader.newestCertification(workloadID: cargo.workload.id)
        guard newest?.state == CertificationState.requested.rawValue, newest?.submissionID == cargo.submission.row.id else {
            throw ServiceError(.conflict, code: "no_certification_request", "No certification of '\(slug)' waits for a decision.")
        }
        return cargo
    }

    private static func others(_ slug: String, by principal: Principal, in reader: any SQLReader) throws -> PublishedCargo {
        let cargo = try Registry.cargo(slug: slug, in: reader)
        guard cargo.publisher.id != principal.accountID else {
            throw ServiceError(.forbidden, code: "own_submission", "Nobody decides about their own Cargo; somebody else has to.")
        }
        return cargo
    }

    /// Puts a Cargo's version at level 3 after an audit, from a request body with `report`: what was audited, by whom, and what came of it.
    ///
    /// - Throws: `forbidden` (`own_submission`); `conflict`: `already_official`, `cargo_suspended`, `scan_blocked`, `signature_required`,
    ///   `signature_invalid`.
    public func makeOfficial(_ object: JSONObject, slug: String, by principal: Principal) async throws -> PublishedCargo {
        try principal.require(.admin)
        let report = try Self.words("report", isRequired: true, of: object)
        let cargo = try await database.read { try Self.auditable(slug, by: principal, in: $0) }
        let found = try await gate.signature(of: cargo.submission)
        let act = SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: report)
        return try await moves.commit { writer in
            let cargo = try Self.auditable(slug, by: principal, in: writer)
            for state in [CertificationState.requested, .granted] {
                try writer.endCertifications(workloadID: cargo.workload.id, inState: state.rawValue, at: act.at.milliseconds, because: "audited")
            }
            var row = CertificationRow(
                workloadID: cargo.workload.id, submissionID: cargo.submission.row.id, level: TrustLevel.official.rawValue,
                state: CertificationState.granted.rawValue, requestedBy: principal.accountID, requestedAt: act.at.milliseconds)
            row.decidedBy = principal.accountID
            row.decidedAt = act.at.milliseconds
            row.note = report
            try writer.insert(row)
            try writer.audit("certification.audit", "workload/\(slug)", by: act.actorID, at: act.at, after: ["report": .string(report)])
            try raise(cargo.submission, to: .official, with: found, action: "make_official", act, in: writer)
            return try Registry.cargo(slug: slug, in: writer)
        }
    }

    private static func auditable(_ slug: String, by principal: Principal, in reader: any SQLReader) throws -> PublishedCargo {
        let cargo = try others(slug, by: principal, in: reader)
        guard cargo.submission.trustLevel != .official else {
            throw ServiceError(.conflict, code: "already_official", "'\(slug)' is at trust level 3.")
        }
        guard cargo.submission.state == .published else { throw ServiceError(.conflict, code: "cargo_suspended", "'\(slug)' is suspended.") }
        let check = try standing(slug, nil, in: reader).checks.first { $0.condition == .cleanScan }
        guard let check, check.isMet else { throw ServiceError(.conflict, code: "scan_blocked", check?.message ?? "There is no scan.") }
        return cargo
    }

    /// Ends what a new version does not take over, in the transaction that publishes it: a wish is of one version, and a certification is
    /// kept only by a version above level 1.
    static func follow(_ submission: Submission, at now: Timestamp, in writer: any SQLWriter) throws {
        let words = "version \(submission.row.version) was published at level \(submission.trustLevel?.rawValue ?? 0)"
        let id = submission.row.workloadID
        try writer.endCertifications(workloadID: id, inState: CertificationState.requested.rawValue, at: now.milliseconds, because: words)
        guard submission.trustLevel?.requiresSignature != true else { return }
        try writer.endCertifications(workloadID: id, inState: CertificationState.granted.rawValue, at: now.milliseconds, because: words)
    }

    private static func words(_ name: String, isRequired: Bool, of object: JSONObject) throws -> String {
        var reader = FieldReader(object)
        let words = reader.text(name, lengthMax: wordsLengthMax)
        if isRequired { _ = reader.required(name, words) }
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        return words ?? ""
    }
}

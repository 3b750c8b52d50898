import Domain
public import JSON
import OCI
public import Storage

/// Images that nobody may run any more, by their digests: a publisher's own, or, by an administrator's word, everybody's.
///
/// Unlike a suspension a revocation is for ever, ends what runs and waits, and holds for every version of the image, also for one that is
/// handed in later.
public struct DigestRevocations: Sendable {
    private let moves: SubmissionMoves
    private let dispatcher: Dispatcher
    private let surroundings: Surroundings

    /// The use cases over a database's submissions.
    public init(moves: SubmissionMoves, dispatcher: Dispatcher, surroundings: Surroundings) {
        self.moves = moves
        self.dispatcher = dispatcher
        self.surroundings = surroundings
    }

    private static let reasonLengthMax = 2000

    /// Revokes an image of the asker's own versions, from a request body with `digest` and `reason`.
    ///
    /// - Throws: `invalid`; `not_found` when none of the asker's versions has the image; `conflict` (`already_revoked`).
    public func revoke(_ object: JSONObject, by principal: Principal) async throws -> DigestRevocationRow {
        try principal.require(.write)
        return try await revoke(object, of: principal.accountID, by: principal)
    }

    /// Revokes an image for every publisher, also one that nobody has handed in yet; the body is the same.
    ///
    /// - Throws: `invalid`; `conflict` (`already_revoked`).
    public func revokeForAll(_ object: JSONObject, by principal: Principal) async throws -> DigestRevocationRow {
        try principal.require(.admin)
        return try await revoke(object, of: nil, by: principal)
    }

    /// What is revoked of the asker's versions, by the asker or an administrator, newest first.
    public func list(page: Page, for principal: Principal) async throws -> Listing<DigestRevocationRow> {
        try principal.require(.read)
        return try await list(publisherID: principal.accountID, page)
    }

    /// All that is revoked, newest first.
    public func listAll(page: Page, for principal: Principal) async throws -> Listing<DigestRevocationRow> {
        try principal.require(.admin)
        return try await list(publisherID: nil, page)
    }

    private func list(publisherID: String?, _ page: Page) async throws -> Listing<DigestRevocationRow> {
        try await moves.database.read { reader in
            let found = try reader.digestRevocations(publisherID: publisherID, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    private func revoke(_ object: JSONObject, of publisherID: String?, by principal: Principal) async throws -> DigestRevocationRow {
        let (digest, reason) = try Self.read(object)
        let now = surroundings.now()
        let row = DigestRevocationRow(
            digest: digest.description, accountID: publisherID, revokedBy: principal.accountID, reason: reason, revokedAt: now.milliseconds)
        let submissions = try await moves.commit { writer in
            try Self.requireNew(row, in: writer)
            let submissions = try writer.submissionIDs(imageDigest: row.digest, publisherID: publisherID).map { try Submission.find($0, in: writer) }
            guard publisherID == nil || !submissions.isEmpty else { throw ServiceError.notFound("version of yours with the image \(row.digest)") }
            try writer.insert(row)
            try writer.audit("digest.revoke", "image/\(row.digest)", by: row.revokedBy, at: now, after: row.audited)
            for submission in submissions {
                // Read anew: what was done to another version may have changed this one.
                let version = try Submission.find(submission.row.id, in: writer)
                try takeOutOfUse(version, .init(actorID: row.revokedBy, at: now, note: "its image was revoked: \(row.reason)"), in: writer)
            }
            return submissions
        }
        // What stands on disk is true whether the Islands hear of it or not; one that does not is not asked to run it again.
        try await dispatcher.withdraw(submissions, .image)
        return row
    }

    private func takeOutOfUse(_ submission: Submission, _ act: SubmissionMoves.Act, in writer: any SQLWriter) throws {
        if submission.signature?.isVerified == true { try moves.loseSignature(submission, act, in: writer) }
        guard submission.state == .published else { return }
        try Registry.hide(try moves.move(try Submission.find(submission.row.id, in: writer), .suspend, act, in: writer), in: writer)
    }

    private static func requireNew(_ row: DigestRevocationRow, in reader: any SQLReader) throws {
        let isRevoked =
            if let publisherID = row.accountID {
                try reader.digestRevocation(digest: row.digest, publisherID: publisherID) != nil
            } else {
                try reader.isRevokedForAll(digest: row.digest)
            }
        guard !isRevoked else { throw ServiceError(.conflict, code: "already_revoked", "The image \(row.digest) was revoked already.") }
    }

    private static func read(_ object: JSONObject) throws -> (Digest, reason: String) {
        var reader = FieldReader(object)
        let text = reader.required("digest", reader.string("digest"))
        let digest = text.flatMap { try? Digest($0) }
        if text != nil, digest == nil { reader.note("digest", "must be sha256: and 64 hexadecimal digits") }
        let reason = reader.required("reason", reader.text("reason", lengthMax: reasonLengthMax))
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let digest, let reason else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        return (digest, reason)
    }
}

extension DigestRevocationRow {
    /// What the audit log keeps of a revocation.
    fileprivate var audited: JSONValue { ["for_all": .bool(accountID == nil), "reason": .string(reason)] }
}

import Domain
import Foundation
public import JSON
import Sigstore
import Storage

/// By what publishers sign: keys and names, each registered by whoever has shown that it is theirs.
public struct SigningIdentities: Sendable {
    private let database: any Database
    private let moves: SubmissionMoves
    private let gate: SignatureGate
    private let trust: NetworkTrust
    private let dispatcher: Dispatcher
    private let surroundings: Surroundings

    /// The use cases over a database's accounts.
    ///
    /// - Parameters:
    ///   - gate: finds the signature that takes the place of one whose identity is revoked.
    ///   - trust: whom to believe that a certificate is somebody's.
    public init(moves: SubmissionMoves, gate: SignatureGate, trust: NetworkTrust, dispatcher: Dispatcher, surroundings: Surroundings) {
        self.dispatcher = dispatcher
        database = moves.database
        self.moves = moves
        self.gate = gate
        self.trust = trust
        self.surroundings = surroundings
    }

    /// A text that has to be signed.
    public struct Challenge: Sendable, Hashable {
        /// The text; its bytes in UTF-8, without a line end, are what is signed.
        public let text: String
        /// When it ends.
        public let expiresAt: Timestamp
    }

    /// Makes a text that the asker has to sign next; it counts once, and for ten minutes.
    public func challenge(by principal: Principal) async throws -> Challenge {
        try principal.require(.write)
        let now = surroundings.now()
        let text = SigningIdentityTerms.challenge(accountID: principal.accountID, secret: surroundings.newSecret(prefix: ""))
        let end = now + SigningIdentityTerms.challengeLength
        try await database.write { writer in
            try writer.insertSigningChallenge(
                text, accountID: principal.accountID, at: now.milliseconds, expiresAt: end.milliseconds,
                keptMax: SigningIdentityTerms.challengesMax)
        }
        return Challenge(text: text, expiresAt: end)
    }

    /// What somebody says is theirs, and shows it by.
    private enum Proof {
        case key(PublicKey, signature: [UInt8])
        case name(String, issuer: String, bundle: [UInt8])

        var kind: SigningIdentityKind {
            switch self {
            case .key: .key
            case .name: .oidc
            }
        }

        var claim: String {
            switch self {
            case .key(let key, _): SigningIdentity.claim(of: key)
            case .name(let name, let issuer, _): SigningIdentityTerms.claim(issuer: issuer, identity: name)
            }
        }
    }

    /// Registers a key or a name for the asker, from a request body with `challenge`, `name` (optional), and either `public_key` (a PEM
    /// document) and `signature` (over the challenge, in base64), or `issuer`, `identity` and `bundle` (a Sigstore bundle of the challenge).
    ///
    /// - Throws: `invalid`; `conflict`: `no_challenge` for one that is not the asker's, has ended or was used; `possession_not_proven` with the
    ///   verifier's code as `refusal`; `no_certificate_authority` where nobody can vouch for names; one of ``SigningIdentityObstacle``;
    ///   `unavailable` (`trusted_root_unavailable`).
    public func register(_ object: JSONObject, by principal: Principal) async throws -> SigningIdentity {
        try principal.require(.write)
        let (challenge, name, proof) = try Self.read(object)
        let now = surroundings.now()
        try await database.read { try Self.require(challenge, of: principal, at: now, in: $0) }
        try await verify(proof, over: challenge, at: now)
        let row = row(proof, name: name ?? "", of: principal, at: now)
        return try await database.write { writer in
            // It counts once, also for two requests at the same instant.
            try Self.require(challenge, of: principal, at: now, in: writer)
            try writer.deleteSigningChallenge(challenge)
            let earlier = try writer.signingIdentities(claim: row.claim).map {
                (isOwn: $0.accountID == principal.accountID, isRevoked: $0.revokedAt != nil)
            }
            let active = try writer.activeSigningIdentities(accountID: principal.accountID).count
            if let obstacle = SigningIdentityObstacle(proof.kind, earlier: earlier, active: active) {
                throw ServiceError(.conflict, code: obstacle.rawValue, obstacle.message)
            }
            try writer.insert(row)
            let identity = try SigningIdentity(row)
            try writer.audit(
                "signing_identity.register", "signing-identity/\(row.id)", by: principal.accountID, at: now, after: identity.audited)
            return identity
        }
    }

    private func row(_ proof: Proof, name: String, of principal: Principal, at now: Timestamp) -> SigningIdentityRow {
        var (key, issuer, identity): (String?, String?, String?)
        switch proof {
        case .key(let publicKey, _): key = publicKey.pem
        case .name(let name, let address, _): (issuer, identity) = (address, name)
        }
        return SigningIdentityRow(
            id: surroundings.newIdentifier(), accountID: principal.accountID, kind: proof.kind.rawValue, name: name, claim: proof.claim,
            publicKey: key, issuer: issuer, identity: identity, createdAt: now.milliseconds)
    }

    /// The asker's signing identities, newest first, revoked ones too.
    public func list(page: Page, for principal: Principal) async throws -> Listing<SigningIdentity> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.signingIdentities(accountID: principal.accountID, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map(SigningIdentity.init), total: found.total, page: page)
        }
    }

    /// Ends a signing identity of the asker's at once; it stays in the list.
    ///
    /// What it signed counts as signed only where another signature by another of the asker's is found; a certified Cargo without one goes
    /// back to level 1 in the same transaction, and what runs by it ends. A registry that does not answer at once costs the level too: revoking
    /// does not wait.
    ///
    /// - Throws: `not_found`; `conflict` (`already_revoked`).
    public func revoke(_ id: String, by principal: Principal) async throws -> SigningIdentity {
        try principal.require(.write)
        let signed = try await database.read { reader in
            _ = try Self.active(id, of: principal, in: reader)
            return try reader.submissionIDs(signedBy: id).map { try Submission.find($0, in: reader) }
        }
        let found = await otherSignatures(of: signed.filter { $0.trustLevel?.requiresSignature == true }, than: id)
        let now = surroundings.now()
        let (revoked, lost) = try await moves.commit { writer in
            let identity = try Self.active(id, of: principal, in: writer)
            try writer.revokeSigningIdentity(id: id, at: now.milliseconds)
            try writer.audit(
                "signing_identity.revoke", "signing-identity/\(id)", by: principal.accountID, at: now, before: identity.audited)
            var lost: [Submission] = []
            // Each as it is now: it may have been published since it was read, or lost its level with the one before.
            for submissionID in try writer.submissionIDs(signedBy: id) {
                let submission = try Submission.find(submissionID, in: writer)
                let isReplaced = try replaceSignature(of: submission, with: found[submissionID], by: principal, at: now, in: writer)
                if !isReplaced { lost.append(submission) }
            }
            return (try Self.find(id, of: principal, in: writer), lost)
        }
        // What stands on disk is true whether the Islands hear of it or not; one that does not is not asked to run it again, and what is left
        // to end when this process dies is ended by the next.
        try await dispatcher.withdraw(lost, .signature)
        return revoked
    }

    /// Chosen: a registry that is well answers in less, and a stolen key does no harm for longer.
    private static let searchMax: Duration = .seconds(2)

    /// Other signatures of versions, by their number, as far as they are found at once. Without another one, whatever the reason, the level is lost;
    /// the notification says so.
    private func otherSignatures(of submissions: [Submission], than id: String) async -> [Int: SignatureGate.Found] {
        if submissions.isEmpty { return [:] }
        return await withTaskGroup(of: (id: Int, found: SignatureGate.Found?)?.self) { group in
            for submission in submissions { group.addTask { (submission.row.id, try? await gate.signature(of: submission, without: id)) } }
            group.addTask {
                // Cancelled once all others have ended.
                try? await surroundings.clock.sleep(for: Self.searchMax)
                return nil
            }
            var (found, left) = ([Int: SignatureGate.Found](), submissions.count)
            while left > 0, let next = await group.next(), let next {
                found[next.id] = next.found
                left -= 1
            }
            group.cancelAll()
            return found
        }
    }

    /// - Returns: whether another signature takes the place of the one that is lost.
    private func replaceSignature(
        of submission: Submission, with other: SignatureGate.Found?, by principal: Principal, at now: Timestamp, in writer: any SQLWriter
    ) throws -> Bool {
        // Another identity that was revoked meanwhile is none; the level is lost then.
        if let other, (try? SignatureGate.accept(other, for: submission, by: principal.accountID, in: writer)) != nil { return true }
        let note = "the signing identity of its signature was revoked; sign it again with another one"
        try moves.loseSignature(submission, .init(actorID: principal.accountID, at: now, note: note), in: writer)
        return false
    }

    private static func active(_ id: String, of principal: Principal, in reader: any SQLReader) throws -> SigningIdentity {
        let identity = try find(id, of: principal, in: reader)
        guard identity.row.revokedAt == nil else {
            throw ServiceError(.conflict, code: "already_revoked", "Signing identity \(id) was revoked already.")
        }
        return identity
    }

    private static func find(_ id: String, of principal: Principal, in reader: any SQLReader) throws -> SigningIdentity {
        guard let row = try reader.signingIdentity(id: id, accountID: principal.accountID) else {
            throw ServiceError.notFound("signing identity \(id)")
        }
        return try SigningIdentity(row)
    }

    private static func require(_ challenge: String, of principal: Principal, at now: Timestamp, in reader: any SQLReader) throws {
        guard try reader.hasSigningChallenge(challenge, accountID: principal.accountID, at: now.milliseconds) else {
            throw ServiceError(
                .conflict, code: "no_challenge", "This challenge is not yours, has ended or was used; ask for a new one and sign that.")
        }
    }

    // MARK: Reading

    private static func read(_ object: JSONObject) throws -> (challenge: String, name: String?, proof: Proof) {
        var reader = FieldReader(object)
        let challenge = reader.required("challenge", reader.string("challenge"))
        let name = reader.text("name", lengthMax: SigningIdentityTerms.nameLengthMax)
        let ofKeys = ["public_key", "signature"].filter { reader.value($0) != nil }
        let ofNames = ["issuer", "identity", "bundle"].filter { reader.value($0) != nil }
        for name in ofKeys where !ofNames.isEmpty { reader.note(name, "does not go with issuer, identity and bundle") }
        let proof = ofNames.isEmpty ? readKey(&reader) : readName(&reader)
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let challenge, let proof else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        return (challenge, name, proof)
    }

    private static func readKey(_ reader: inout FieldReader) -> Proof? {
        let pem = reader.required("public_key", reader.text("public_key", lengthMax: SigningIdentityTerms.keyLengthMax))
        let text = reader.required("signature", reader.text("signature", lengthMax: SigningIdentityTerms.signatureLengthMax))
        var key: PublicKey?
        if let pem {
            do throws(PublicKey.Unusable) { key = try PublicKey(pem: pem) } catch { reader.note("public_key", "cannot be used: \(error.message)") }
        }
        let signature = text.flatMap { Data(base64Encoded: String($0.filter { !$0.isWhitespace })) }
        if text != nil, signature == nil { reader.note("signature", "must be base64") }
        guard let key, let signature else { return nil }
        return .key(key, signature: Array(signature))
    }

    private static func readName(_ reader: inout FieldReader) -> Proof? {
        let issuer = reader.required("issuer", reader.text("issuer", lengthMax: SigningIdentityTerms.addressLengthMax))
        let identity = reader.required("identity", reader.text("identity", lengthMax: SigningIdentityTerms.addressLengthMax))
        let bundle = reader.required("bundle", reader.object("bundle"))
        guard let issuer, let identity else { return nil }
        for problem in SigningIdentityTerms.problems(issuer: issuer, identity: identity) {
            reader.note(String(problem.pointer.dropFirst()), problem.message)
        }
        return bundle.map { .name(identity, issuer: issuer, bundle: $0.bytes) }
    }

    // MARK: Proving

    private func verify(_ proof: Proof, over challenge: String, at now: Timestamp) async throws {
        let bytes = Array(challenge.utf8)
        switch proof {
        case .key(let key, let signature):
            // Tools sign with the hash of the key's own strength, or with SHA-256 whatever the key.
            guard Set([key.usualHash, .sha256]).contains(where: { key.isSignature(signature, over: bytes, hash: $0) }) else {
                throw Self.unproven("The signature is not this key's over the challenge: sign its bytes without a line end.", .signatureInvalid)
            }
        case .name(let name, let issuer, let bundle):
            let root = try await trust.root()
            guard !root.certificateAuthorities.isEmpty else {
                throw ServiceError(
                    .conflict, code: "no_certificate_authority",
                    "This network has no certificate authority, so nobody can vouch for a name; register a key instead.")
            }
            let verifier = try NetworkTrust.verifier(root)
            do throws(Refusal) {
                let parsed: Sigstore.Bundle
                do throws(Sigstore.Bundle.Malformed) { parsed = try Sigstore.Bundle(parsing: bundle) } catch { throw Refusal(error) }
                _ = try verifier.verify(
                    parsed, of: .bytes(bytes), VerificationPolicy(signer: .identity(name, issuer: issuer)),
                    now: Moment(milliseconds: now.milliseconds))
            } catch {
                throw Self.unproven("The bundle does not show that you are \(name): \(error.message)", error.code)
            }
        }
    }

    private static func unproven(_ message: String, _ code: Refusal.Code) -> ServiceError {
        ServiceError(.conflict, code: "possession_not_proven", message, context: ["refusal": .string(code.rawValue)])
    }
}

import Domain
import JSON
import OCI
import SignedImages
import Sigstore
public import Storage

/// Insists that a version's image is signed by its publisher, with the proof of a transparency log: the gate to the levels above 1.
public struct SignatureGate: Sendable {
    private let database: any Database
    private let source: any SignatureSource
    private let trust: NetworkTrust
    private let surroundings: Surroundings

    /// A gate.
    ///
    /// - Parameters:
    ///   - database: has the signing identities of publishers.
    ///   - source: where signatures are looked for.
    ///   - trust: whom to believe.
    public init(database: any Database, source: any SignatureSource, trust: NetworkTrust, surroundings: Surroundings) {
        self.database = database
        self.source = source
        self.trust = trust
        self.surroundings = surroundings
    }

    /// A valid signature that is not stored yet.
    struct Found: Sendable {
        /// The image's digest that was signed.
        let digest: String
        /// The publisher's own, that signed.
        let identity: SigningIdentity
        let accepted: ImageSignatures.Accepted
        /// When it was verified.
        let at: Timestamp
    }

    /// Looks beside a version's image for a signature of the pinned digest by one of its publisher's signing identities.
    ///
    /// Asks the image's registry, so not inside a transaction.
    ///
    /// - Parameter revoked: a signing identity that does not count any more.
    /// - Throws: `conflict`: `signature_required` where there is none, or nobody may sign; `signature_invalid` where none is valid; both with
    ///   the verifier's code as `refusal`; `unavailable`: `registry_unavailable`, `trusted_root_unavailable`.
    func signature(of submission: Submission, without revoked: String? = nil) async throws -> Found {
        guard let digest = submission.row.imageDigest, let image = submission.fields.containerImage,
            let reference = try? ImageReference(parsing: image)  // else it has never been in review
        else { throw Self.required(submission, "It has no pinned image yet.") }
        let identities = try await database.read { reader in
            if try reader.digestRevocation(digest: digest, publisherID: submission.row.publisherID) != nil {
                throw ServiceError(
                    .conflict, code: "signature_invalid", "\(reference.name)@\(digest) was revoked, and no signature of it counts any more.",
                    context: ["refusal": "revoked"])
            }
            return try reader.activeSigningIdentities(accountID: submission.row.publisherID).filter { $0.id != revoked }.map(SigningIdentity.init)
        }
        guard !identities.isEmpty else {
            throw Self.required(submission, "Its publisher has no signing identity: 'archipelago account signing-identity add' registers one.")
        }
        let verifier = try NetworkTrust.verifier(try await trust.root())
        let policy = VerificationPolicy(signer: .anyOf(try identities.map { try $0.policy() }))
        let now = surroundings.now()
        do {
            let accepted = try await ImageSignatures(verifier, policy).verify(
                digest: digest, inRegistry: source.signatures(beside: reference), now: Moment(milliseconds: now.milliseconds))
            guard let identity = identities.first(where: { $0.isThe(accepted.verified.signer) }), !accepted.verified.logEntries.isEmpty else {
                throw StorageError(.unexpectedShape, "the signature of submission \(submission.row.id) is accepted, but nobody's or not logged")
            }
            return Found(digest: digest, identity: identity, accepted: accepted, at: now)
        } catch let error as OCIError {
            throw ServiceError(image: reference, error: error)
        } catch let refusal as Refusal {
            if refusal.code == .unsigned {
                throw Self.required(submission, "Sign \(reference.name)@\(digest) with cosign and one of your signing identities.")
            }
            throw ServiceError(
                .conflict, code: "signature_invalid", "No signature of \(reference.name)@\(digest) is valid: \(refusal.message)",
                context: ["refusal": .string(refusal.code.rawValue)])
        }
    }

    private static func required(_ submission: Submission, _ remedy: String) -> ServiceError {
        ServiceError(
            .conflict, code: "signature_required",
            "\(submission.slug) \(submission.row.version) has no signature, which trust levels above 1 need. \(remedy)",
            context: ["refusal": .string(Refusal.Code.unsigned.rawValue)])
    }

    /// Stores a signature with its version, in the transaction that relies on it.
    ///
    /// - Throws: `conflict` (`signature_invalid`) when the version is of another image now, or the signing identity was revoked meanwhile.
    /// - Returns: the version with its signature.
    static func accept(_ found: Found, for submission: Submission, by actorID: String, in writer: any SQLWriter) throws -> Submission {
        let identity = try writer.signingIdentity(id: found.identity.row.id, accountID: submission.row.publisherID)
        guard submission.row.imageDigest == found.digest, let identity, identity.revokedAt == nil else {
            throw ServiceError(
                .conflict, code: "signature_invalid", "The image or the signing identity has changed while the signature was verified; try again.",
                context: ["refusal": .string(Refusal.Code.identityMismatch.rawValue)])
        }
        let (accepted, entry) = (found.accepted, found.accepted.verified.logEntries.first)
        var annotations = JSONObject()
        for (name, text) in accepted.annotations.sorted(by: { $0.key < $1.key }) { annotations[name] = .string(text) }
        let signature = SubmissionSignatureRow(
            submissionID: submission.row.id, digest: found.digest, layout: accepted.layout.rawValue, signer: identity,
            signerText: found.identity.signer, log: (entry?.logIDHexadecimal ?? "", entry?.logIndex ?? 0),
            signedAt: accepted.verified.times.first?.milliseconds, verifiedAt: found.at.milliseconds, annotations: annotations.text,
            content: accepted.content)
        try writer.put(signature)
        var row = submission.row
        row.signature = SignatureSummary(signature).stored
        try writer.update(row)
        let signed = try Submission.find(row.id, in: writer)
        if signed.signature != submission.signature {
            try writer.audit(
                "submission.sign", signed.subject, by: actorID, at: found.at, before: submission.signature?.json ?? .null,
                after: signed.signature?.json ?? .null)
        }
        return signed
    }
}

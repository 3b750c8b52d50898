/// A row of `submission_signatures`: a signature of a version's image that was found valid, with all that it takes to verify it again.
public struct SubmissionSignatureRow: Sendable, Hashable {
    /// The version.
    public let submissionID: Int
    /// The image's digest that was signed.
    public let digest: String
    /// `bundle` or `legacy`: how it is stored beside the image.
    public let layout: String
    /// The publisher's signing identity that signed.
    public let signingIdentityID: String
    /// `key` or `oidc`.
    public let kind: String
    /// The fingerprint of the key, or the name in the certificate.
    public let signer: String
    /// Who vouches for the name; `nil` for a key.
    public let issuer: String?
    /// The key as a PEM document; `nil` for a name.
    public let publicKey: String?
    /// The transparency log, in hexadecimal.
    public let logID: String
    /// The entry's place in the log, from 0.
    public let logIndex: Int
    /// When it was signed, as far as somebody trusted says so, milliseconds since 1970 UTC.
    public let signedAt: Int?
    /// When this network verified it, milliseconds since 1970 UTC.
    public let verifiedAt: Int
    /// What the older layout says beside its payload, a JSON object of texts; empty for a bundle.
    public let annotations: String
    /// The bundle, or in the older layout the payload, byte for byte.
    public let content: [UInt8]

    /// A row to store.
    public init(
        submissionID: Int, digest: String, layout: String, signer: SigningIdentityRow, signerText: String, log: (id: String, index: Int),
        signedAt: Int?, verifiedAt: Int, annotations: String, content: [UInt8]
    ) {
        self.submissionID = submissionID
        self.digest = digest
        self.layout = layout
        signingIdentityID = signer.id
        kind = signer.kind
        self.signer = signerText
        issuer = signer.issuer
        publicKey = signer.publicKey
        logID = log.id
        logIndex = log.index
        self.signedAt = signedAt
        self.verifiedAt = verifiedAt
        self.annotations = annotations
        self.content = content
    }

    init(_ row: SQLRow) throws {
        submissionID = try row.int("submission_id")
        digest = try row.text("digest")
        layout = try row.text("layout")
        signingIdentityID = try row.text("signing_identity_id")
        kind = try row.text("kind")
        signer = try row.text("signer")
        issuer = try row.optionalText("issuer")
        publicKey = try row.optionalText("public_key")
        logID = try row.text("log_id")
        logIndex = try row.int("log_index")
        signedAt = try row.optionalInt("signed_at")
        verifiedAt = try row.int("verified_at")
        annotations = try row.text("annotations")
        content = try row.blob("content")
    }
}

extension SQLReader {
    /// The signature of a version; `nil` where none was found valid.
    public func submissionSignature(submissionID: Int) throws -> SubmissionSignatureRow? {
        try first("SELECT * FROM submission_signatures WHERE submission_id = ?", [.integer(submissionID)]).map(SubmissionSignatureRow.init)
    }

    /// The versions whose stored signature is by a signing identity.
    public func submissionIDs(signedBy signingIdentityID: String) throws -> [Int] {
        try query(
            "SELECT submission_id FROM submission_signatures WHERE signing_identity_id = ? ORDER BY submission_id", [.text(signingIdentityID)]
        ).map { try $0.int("submission_id") }
    }

    /// The jobs that an Island has, at this trust level or a higher one, of versions whose signature is by a signing identity that was revoked.
    public func openJobsOfRevokedSignatures(from level: Int) throws -> [String] {
        try query(
            """
            SELECT jobs.id FROM jobs WHERE jobs.completed_at IS NULL AND jobs.state IN ('queued', 'running') AND jobs.level >= ? AND EXISTS
                (SELECT 1 FROM submission_signatures AS signature
                JOIN signing_identities AS identity ON identity.id = signature.signing_identity_id
                WHERE signature.submission_id = jobs.submission_id AND identity.revoked_at IS NOT NULL)
            ORDER BY jobs.id
            """, [.integer(level)]
        ).map { try $0.text("id") }
    }

    /// The trust levels of versions, by their number; versions without one are left out.
    public func trustLevels(of submissionIDs: some Collection<Int>) throws -> [Int: Int] {
        guard !submissionIDs.isEmpty else { return [:] }
        let marks = submissionIDs.map { _ in "?" }.joined(separator: ", ")
        let rows = try query(
            "SELECT id, trust_level FROM submissions WHERE trust_level IS NOT NULL AND id IN (\(marks))", submissionIDs.map { .integer($0) })
        return Dictionary(try rows.map { (try $0.int("id"), try $0.int("trust_level")) }) { $1 }
    }

    /// The versions of a Cargo in a state, oldest first.
    public func submissionIDs(workloadID: Int, inState state: String) throws -> [Int] {
        try query("SELECT id FROM submissions WHERE workload_id = ? AND state = ? ORDER BY id", [.integer(workloadID), .text(state)])
            .map { try $0.int("id") }
    }
}

extension SQLWriter {
    /// Stores the signature of a version, in place of the one before.
    public func put(_ row: SubmissionSignatureRow) throws {
        try deleteSubmissionSignature(submissionID: row.submissionID)
        try execute(
            """
            INSERT INTO submission_signatures (submission_id, digest, layout, signing_identity_id, kind, signer, issuer, public_key, log_id,
                log_index, signed_at, verified_at, annotations, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(row.submissionID), .text(row.digest), .text(row.layout), .text(row.signingIdentityID), .text(row.kind),
                .text(row.signer), .optional(row.issuer), .optional(row.publicKey), .text(row.logID), .integer(row.logIndex),
                .optional(row.signedAt), .integer(row.verifiedAt), .text(row.annotations), .blob(row.content),
            ])
    }

    /// Removes the signature of a version.
    public func deleteSubmissionSignature(submissionID: Int) throws {
        try execute("DELETE FROM submission_signatures WHERE submission_id = ?", [.integer(submissionID)])
    }
}

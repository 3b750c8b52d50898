/// What a signature is over.
enum SignedContent: Sendable {
    /// An artifact; and the hash that the signer says it used.
    case message(Artifact, PublicKey.HashAlgorithm?)
    /// A document.
    case envelope(DSSEEnvelope)

    /// The digest of the signed bytes.
    func digest(_ algorithm: PublicKey.HashAlgorithm) throws(Refusal) -> [UInt8] {
        switch self {
        case .message(let artifact, _): try artifact.digest(algorithm)
        case .envelope(let envelope): algorithm.hash(envelope.signedBytes)
        }
    }
}

/// A signature and all that came with it, whatever format it had.
struct SignedThing: Sendable {
    let material: Bundle.Material
    let signature: [UInt8]
    let content: SignedContent
    let logEntries: [Bundle.LogEntry]
    let timestamps: [[UInt8]]
    let proofRule: LogProofRule

    /// What the log keeps of each entry.
    func bodies() throws(Refusal) -> [LogEntryBody] {
        var bodies: [LogEntryBody] = []
        for entry in logEntries { bodies.append(try LogEntryBody(entry)) }
        return bodies
    }

    /// Insists that a key made the signature.
    func requireSignature(by key: PublicKey, _ bodies: [LogEntryBody]) throws(Refusal) {
        guard try isSigned(by: key, bodies) else { throw Refusal(.signatureInvalid, "The signature is wrong.") }
    }

    /// The one of several keys that made the signature.
    func signingKey(among keys: [PublicKey], _ bodies: [LogEntryBody]) throws(Refusal) -> PublicKey {
        for key in keys where try isSigned(by: key, bodies) { return key }
        throw Refusal(.signatureInvalid, "The signature is of none of the expected keys.")
    }

    private func isSigned(by key: PublicKey, _ bodies: [LogEntryBody]) throws(Refusal) -> Bool {
        if case .ed25519 = key { return try isSigned(byEd25519: key, bodies) }
        for algorithm in algorithms(key, bodies) where key.isSignature(signature, overDigest: try content.digest(algorithm), hash: algorithm) {
            return true
        }
        return false
    }

    /// Ed25519 signs the bytes themselves, which a digest alone cannot show. To a log that was shown their digest alone, in SHA-512, it is
    /// Ed25519ph. Source: sigstore/rekor, pkg/types/hashedrekord/v0.0.1.
    private func isSigned(byEd25519 key: PublicKey, _ bodies: [LogEntryBody]) throws(Refusal) -> Bool {
        let bytes: [UInt8]
        switch content {
        case .envelope(let envelope): bytes = envelope.signedBytes
        case .message(.bytes(let all), _): bytes = all
        case .message(.digest, _): throw Refusal(.digestAlgorithmMismatch, "An Ed25519 key signs a file and not its digest. Give the file.")
        }
        guard bodies.contains(where: { $0.algorithm == .sha512 }) else { return key.isSignature(signature, over: bytes, hash: .sha512) }
        return key.isPrehashedSignature(signature, over: bytes)
    }

    /// The hashes that may be under the signature: what the log or the signer says; where nobody says, any of SHA-2: signers take that of their
    /// key's strength, or as cosign does SHA-256 whatever the key.
    private func algorithms(_ key: PublicKey, _ bodies: [LogEntryBody]) -> [PublicKey.HashAlgorithm] {
        for body in bodies { if let said = body.algorithm { return [said] } }
        switch content {
        case .message(.digest(_, let algorithm), nil): return [algorithm]
        case .message(_, let said?): return [said]
        case .message(.bytes, nil), .envelope: return [key.usualHash] + PublicKey.HashAlgorithm.allCases.filter { $0 != key.usualHash }
        }
    }

    /// Insists that every log entry is of this signature.
    func requireEntries(_ bodies: [LogEntryBody], of signer: [UInt8]) throws(Refusal) {
        for body in bodies { try body.require(signature, signer: signer, content) }
    }
}

extension Bundle.MessageDigest {
    /// Insists that the digest, a mere hint, does not contradict the artifact.
    func require(_ artifact: Artifact) throws(Refusal) {
        let contradiction = Refusal(.artifactMismatch, "The bundle is of another artifact.")
        guard bytes.count == algorithm.byteCount else { throw contradiction }
        // Where the artifact is known by another digest alone, the hint says nothing.
        if case .digest(_, let other) = artifact, other != algorithm { return }
        guard try artifact.digest(algorithm) == bytes else { throw contradiction }
    }
}

extension InTotoStatement {
    /// Insists that an envelope holds a statement about an artifact.
    static func require(_ envelope: DSSEEnvelope, speaksOf artifact: Artifact) throws(Refusal) {
        guard envelope.payloadType == DSSEEnvelope.inTotoType else {
            throw Refusal(.statementMalformed, "The signed document is no in-toto statement.")
        }
        let statement: InTotoStatement
        do throws(Malformed) { statement = try InTotoStatement(parsing: envelope.payload) } catch {
            throw Refusal(.statementMalformed, "The signed statement cannot be read: \(error.message).")
        }
        for algorithm in PublicKey.HashAlgorithm.allCases {
            if let digest = try? artifact.digest(algorithm), statement.speaks(of: digest, algorithm) { return }
        }
        throw Refusal(.subjectMismatch, "The signed statement is about something else.")
    }
}

import JSON

/// What a verifier insists on.
public struct VerificationPolicy: Sendable {
    /// Who must have signed.
    public var signer: SignerPolicy
    /// An entry of a trusted transparency log.
    public var log: Requirement
    /// A proof that the certificate's issue was logged; of no concern to keys.
    public var certificateLog: Requirement

    /// Whether something must be there.
    public enum Requirement: String, Sendable, Hashable, CaseIterable {
        case required
        case notRequired = "not-required"
    }

    /// A policy; by default everything must be there.
    public init(signer: SignerPolicy, log: Requirement = .required, certificateLog: Requirement = .required) {
        self.signer = signer
        self.log = log
        self.certificateLog = certificateLog
    }
}

/// Who must have signed; policies compose.
public indirect enum SignerPolicy: Sendable {
    /// The holder of a certificate with exactly this name, for which exactly this issuer vouches: byte for byte in UTF-8.
    ///
    /// - Parameter issuer: the address of the OpenID Connect issuer; `nil` where it is of no concern, as in a private PKI.
    case identity(String, issuer: String?)
    /// The holder of a key.
    case key(PublicKey)
    /// One of several.
    case anyOf([SignerPolicy])

    /// Insists on the holder of a certificate.
    func check(_ certificate: SigningCertificate) throws(Refusal) {
        switch self {
        case .identity(let name, let issuer):
            guard certificate.names.contains(where: { $0.isSameText(as: name) }) else {
                throw Refusal(.identityMismatch, "Signed by \(certificate.names.joined(separator: ", ")), not by \(name).")
            }
            if let issuer, certificate.issuer?.isSameText(as: issuer) != true {
                throw Refusal(.issuerMismatch, "\(certificate.issuer ?? "Nobody") vouches for the signer, not \(issuer).")
            }
        case .key:
            throw Refusal(.keyExpected, "It is signed with a certificate, and a key is expected.")
        case .anyOf(let policies):
            var last = Refusal(.identityMismatch, "Nobody may sign.")
            for policy in policies {
                do throws(Refusal) { return try policy.check(certificate) } catch { last = error }
            }
            throw last
        }
    }

    /// The keys that may have signed.
    var keys: [PublicKey] {
        switch self {
        case .identity: []
        case .key(let key): [key]
        case .anyOf(let policies): policies.flatMap(\.keys)
        }
    }
}

/// What a signature must be of.
public enum Artifact: Sendable, Hashable {
    /// All of its bytes.
    case bytes([UInt8])
    /// Its digest alone.
    case digest([UInt8], PublicKey.HashAlgorithm)

    /// An artifact by the 64 hexadecimal digits of its SHA-256 digest; `nil` for any other text.
    public init?(sha256Hexadecimal text: String) {
        guard let digest = Hexadecimal.bytes(text), digest.count == PublicKey.HashAlgorithm.sha256.byteCount else { return nil }
        self = .digest(digest, .sha256)
    }

    /// Its digest in an algorithm.
    func digest(_ algorithm: PublicKey.HashAlgorithm) throws(Refusal) -> [UInt8] {
        switch self {
        case .bytes(let bytes): return algorithm.hash(bytes)
        case .digest(let digest, algorithm): return digest
        case .digest(_, let other):
            throw Refusal(
                .digestAlgorithmMismatch,
                "It was signed by its \(algorithm.rawValue) digest, and the \(other.rawValue) digest is given. Give the file.")
        }
    }
}

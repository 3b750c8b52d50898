import X509

/// An authority whose chain, up to the anchor, was verified once.
struct CertificateAuthority: Sendable {
    /// Whose signature is on signers' certificates.
    private let issuer: ChainCertificate
    /// SHA-256 of its key, by which certificate logs name an issuer.
    let issuerKeyHash: [UInt8]
    /// When all of the chain and the trust in it count.
    private let validities: [Validity]
    /// Whether its certificates must say that they are for signing code.
    let needsCodeSigning: Bool

    /// Why a chain is none.
    struct Broken: Error {
        let message: String
    }

    /// Checks a chain in the order of its issuing; the last is the anchor, which is believed as it is.
    init(chain: [[UInt8]], validity: Validity?, needsCodeSigning: Bool) throws(Broken) {
        var certificates: [ChainCertificate] = []
        for (depth, der) in chain.enumerated() {
            guard let certificate = ChainCertificate(der) else { throw Broken(message: "it has a certificate that cannot be read") }
            guard certificate.mayIssue(below: depth), certificate.allows(.codeSigning) else {
                throw Broken(message: "a certificate is not for issuing those of signers of code")
            }
            certificates.append(certificate)
        }
        guard let issuer = certificates.first else { throw Broken(message: "it has no certificate") }
        guard zip(certificates, certificates.dropFirst()).allSatisfy({ $1.issued($0) }) else {
            throw Broken(message: "a certificate is not issued by the next one")
        }
        self.issuer = issuer
        self.needsCodeSigning = needsCodeSigning
        issuerKeyHash = PublicKey.HashAlgorithm.sha256.hash(issuer.keyInfo)
        validities = certificates.map(\.validity) + (validity.map { [$0] } ?? [])
    }

    /// Whether it issued a certificate; a question of names and signatures alone.
    func hasIssued(_ leaf: SigningCertificate) -> Bool { issuer.issued(leaf.link) }

    /// Whether it counts at a time.
    func counts(at moment: Moment) -> Bool { validities.allSatisfy { $0.contains(moment) } }
}

extension CertificateAuthority {
    /// The authorities of a chain of a trusted root: whoever stands in it may have issued a signer's certificate.
    static func all(in chain: [[UInt8]], validity: Validity) throws(Broken) -> [CertificateAuthority] {
        guard !chain.isEmpty else { throw Broken(message: "it has no certificate") }
        var authorities: [CertificateAuthority] = []
        for start in chain.indices {
            authorities.append(try CertificateAuthority(chain: Array(chain[start...]), validity: validity, needsCodeSigning: true))
        }
        return authorities
    }

    /// Authorities of a private PKI: every chain that leads from an intermediate, or directly, to a root.
    ///
    /// - Throws: when there is none.
    static func chains(roots: [[UInt8]], intermediates: [[UInt8]]) throws(Broken) -> [CertificateAuthority] {
        var found: [CertificateAuthority] = []
        var open = roots.map { [$0] }
        // Each round puts one more intermediate below the chains of the last; none comes twice in one.
        for _ in 0...min(intermediates.count, Self.depthMax) {
            var next: [[[UInt8]]] = []
            for chain in open {
                guard let authority = try? CertificateAuthority(chain: chain, validity: nil, needsCodeSigning: false) else { continue }
                found.append(authority)
                guard found.count <= Self.chainsMax else { throw Broken(message: "it has too many chains") }
                next += intermediates.filter { !chain.contains($0) }.map { [$0] + chain }
            }
            open = next
        }
        guard !found.isEmpty else { throw Broken(message: "none of its roots may issue certificates of signers of code") }
        return found
    }

    /// Chosen: as deep as any PKI of today.
    private static let depthMax = 8
    /// Chosen: many more than an operator names.
    private static let chainsMax = 64
}

import X509

/// A stamping authority, with its chain read and checked once.
struct TimestampAuthority: Sendable {
    /// When it is believed.
    let validity: Validity
    private let chain: [ChainCertificate]

    /// Checks that each certificate of a chain issued the one before it.
    ///
    /// - Throws: `TrustedRoot.Malformed` when a certificate cannot be read, or the chain does not hold together.
    init(_ authority: TrustedRoot.Authority) throws(TrustedRoot.Malformed) {
        func malformed(_ index: Int, _ message: String) -> TrustedRoot.Malformed {
            TrustedRoot.Malformed(pointer: "/timestampAuthorities", message: "certificate \(index) of \(authority.uri) \(message)")
        }
        var chain: [ChainCertificate] = []
        for (index, bytes) in authority.certificates.enumerated() {
            guard let certificate = ChainCertificate(bytes) else { throw malformed(index, "is no certificate of a known kind") }
            chain.append(certificate)
        }
        guard let first = chain.first else { throw malformed(0, "is missing") }
        for (index, (certificate, issuer)) in zip(chain, chain.dropFirst()).enumerated() {
            // How many certificates of authorities stand between the issuer and a signer.
            guard issuer.mayIssue(below: first.isAuthority ? index + 1 : index) else { throw malformed(index + 1, "may not issue the one before") }
            guard issuer.issued(certificate) else { throw malformed(index + 1, "did not issue the one before") }
            // The anchor is believed for what it stands here for.
            guard index + 2 == chain.count || issuer.allows(.timeStamping) else { throw malformed(index + 1, "is not for time stamps") }
        }
        self.chain = chain
        validity = authority.validity
    }

    /// The authority's own certificate, when it is the one that a signer calls its own.
    func certificate(called name: SignerName) -> ChainCertificate? {
        chain.first.flatMap { $0.isCalled(name) ? $0 : nil }
    }

    /// The certificates from a signer's to the anchor; `nil` when none of the authority issued it, or the chain names another signer.
    func path(from certificate: ChainCertificate) -> [ChainCertificate]? {
        if certificate.bytes == chain.first?.bytes { return chain }
        // A chain that begins with a signer's own certificate believes that signer, and not all that its issuer makes.
        guard chain.first?.isAuthority == true else { return nil }
        guard let place = chain.firstIndex(where: { $0.mayIssue(below: 0) && $0.issued(certificate) }) else { return nil }
        guard place + 1 == chain.count || chain[place].allows(.timeStamping) else { return nil }
        return [certificate] + chain[place...]
    }
}

/// How a signer says which certificate is its own. Source: RFC 5652 §5.3.
enum SignerName: Sendable, Hashable {
    /// Names are compared by their bytes in DER.
    case certificate(issuer: [UInt8], serialNumber: [UInt8])
    case key([UInt8])

    /// The version of a SignerInfo that has such a name.
    var version: UInt8 {
        switch self {
        case .certificate: 1
        case .key: 3
        }
    }
}

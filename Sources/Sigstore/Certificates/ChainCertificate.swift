import SwiftASN1
import X509

/// A certificate as a link of a chain: who issued it to whom, and what for.
struct ChainCertificate: Sendable {
    /// DER.
    let bytes: [UInt8]
    let validity: Validity
    let key: PublicKey
    /// The key's SubjectPublicKeyInfo as it stands there.
    let keyInfo: [UInt8]
    let certificate: X509.Certificate
    private let signature: [UInt8]
    private let serialNumber: [UInt8]
    private let issuer: [UInt8]
    private let subject: [UInt8]

    /// Reads a certificate; `nil` when it is none, or one whose key is weak or of an unknown kind.
    init?(_ bytes: [UInt8]) {
        guard let certificate = try? X509.Certificate(derEncoded: bytes), let fields = try? Self.fields(bytes),
            let key = try? PublicKey(spki: fields.key), certificate.version == .v3 || certificate.extensions.isEmpty
        else { return nil }
        self.bytes = bytes
        self.certificate = certificate
        signature = fields.signature
        serialNumber = fields.serialNumber
        issuer = fields.issuer
        validity = fields.validity
        subject = fields.subject
        self.key = key
        keyInfo = fields.key
    }

    /// What must be had byte by byte. Source: RFC 5280 §4.1.
    private struct Fields {
        let signature: [UInt8]
        let serialNumber: [UInt8]
        let issuer: [UInt8]
        let validity: Validity
        let subject: [UInt8]
        let key: [UInt8]
    }

    private static func fields(_ bytes: [UInt8]) throws(DERReader.Mistake) -> Fields {
        var whole = try DERReader(parsing: bytes, name: "the certificate")
        let signedPart = try whole.need(.sequence, "signed part")
        let algorithm = try whole.need(.sequence, "signature algorithm")
        let signature = try whole.needBytes(.bitString, "signature")
        try whole.end()
        // Whole bytes: no bit of the last one is left out.
        guard signature.first == 0 else { throw DERReader.Mistake(message: "the certificate's signature ends within a byte") }

        var reader = try DERReader(signedPart, name: "the certificate")
        _ = reader.next(.context(0))
        let serialNumber = try reader.needBytes(.integer, "serial number")
        // RFC 5280 §4.1.1.2: only what is signed counts, so what stands outside must be the same.
        guard try reader.need(.sequence, "signature algorithm").encodedBytes == algorithm.encodedBytes else {
            throw DERReader.Mistake(message: "the certificate names two signature algorithms")
        }
        let issuer = try reader.need(.sequence, "issuer")
        var span = try reader.needReader("validity")
        let validity = Validity(start: try time(&span), end: try time(&span))
        let subject = try reader.need(.sequence, "subject")
        let key = try reader.need(.sequence, "public key")
        return Fields(
            signature: Array(signature.dropFirst()), serialNumber: serialNumber, issuer: Array(issuer.encodedBytes), validity: validity,
            subject: Array(subject.encodedBytes), key: Array(key.encodedBytes))
    }

    private static func time(_ reader: inout DERReader) throws(DERReader.Mistake) -> Moment {
        let node = reader.next()
        guard let node, case .primitive(let bytes) = node.content else { throw DERReader.Mistake(message: "the validity lacks a time") }
        let moment: Moment? =
            switch node.identifier {
            case .utcTime: Moment(utcTime: Array(bytes))
            case .generalizedTime: Moment(generalizedTime: Array(bytes))
            default: nil
            }
        guard let moment else { throw DERReader.Mistake(message: "the validity has a time that is none") }
        return moment
    }

    func isCalled(_ name: SignerName) -> Bool {
        switch name {
        case .certificate(let issuer, let serialNumber): self.issuer == issuer && self.serialNumber == serialNumber
        case .key(let identifier): (try? certificate.extensions.subjectKeyIdentifier)?.keyIdentifier.elementsEqual(identifier) == true
        }
    }

    // MARK: - As an issuer

    var isAuthority: Bool {
        if case .isCertificateAuthority = try? certificate.extensions.basicConstraints { true } else { false }
    }

    /// Whether it may issue certificates with so many certificates of other authorities between it and the signer's. Source: RFC 5280 §4.2.1.9.
    ///
    /// One that constrains the names below it (§4.2.1.10) may not, critical or not: what cannot be applied here must not be passed over.
    func mayIssue(below intermediates: Int) -> Bool {
        guard hasOnlyKnownCriticalExtensions, certificate.extensions[oid: .X509ExtensionID.nameConstraints] == nil,
            case .isCertificateAuthority(let lengthMax) = try? certificate.extensions.basicConstraints,
            lengthMax.map({ intermediates <= $0 }) != false, let usage = try? (certificate.extensions.keyUsage ?? KeyUsage(keyCertSign: true))
        else { return false }
        return usage.keyCertSign
    }

    /// Whether its extended key usage, if it has one, leaves room for signers with a purpose. Source: RFC 5280 §4.2.1.12, which speaks of the
    /// certificate alone, and what implementations make of it for those below.
    func allows(_ purpose: ExtendedKeyUsage.Usage) -> Bool {
        guard let purposes = try? certificate.extensions.extendedKeyUsage.map({ Array($0) }) ?? [.any] else { return false }
        return purposes.contains(purpose) || purposes.contains(.any)
    }

    /// Whether it was issued by itself, as an anchor is.
    var isRoot: Bool { issuer == subject }

    /// Whether another certificate is signed with its key and in its name.
    func issued(_ other: ChainCertificate) -> Bool {
        guard other.issuer == subject, let hash = hash(under: other.certificate.signatureAlgorithm) else { return false }
        return key.isSignature(other.signature, over: Array(other.certificate.tbsCertificateBytes), hash: hash)
    }

    /// The hash that its key signs with an algorithm; `nil` where that is another kind of key's, or SHA-1's.
    private func hash(under algorithm: X509.Certificate.SignatureAlgorithm) -> PublicKey.HashAlgorithm? {
        switch key {
        case .p256, .p384, .p521: [.ecdsaWithSHA256: .sha256, .ecdsaWithSHA384: .sha384, .ecdsaWithSHA512: .sha512][algorithm]
        case .rsa: [.sha256WithRSAEncryption: .sha256, .sha384WithRSAEncryption: .sha384, .sha512WithRSAEncryption: .sha512][algorithm]
        case .ed25519: algorithm == .ed25519 ? .sha512 : nil
        }
    }

    // MARK: - As a signer

    /// Whether its key signs time stamps and nothing else. Source: RFC 3161 §2.3.
    var isForTimestamps: Bool {
        guard let usages = certificate.extensions[oid: .X509ExtensionID.extendedKeyUsage], usages.critical,
            let purposes = try? ExtendedKeyUsage(usages), Array(purposes) == [.timeStamping], let constraints = try? constraints,
            constraints == .notCertificateAuthority, let usage = try? (certificate.extensions.keyUsage ?? KeyUsage(digitalSignature: true))
        else { return false }
        return (usage.digitalSignature || usage.nonRepudiation) && !usage.keyCertSign
    }

    private var constraints: BasicConstraints {
        get throws { try certificate.extensions.basicConstraints ?? .notCertificateAuthority }
    }

    var hasOnlyKnownCriticalExtensions: Bool {
        certificate.extensions.allSatisfy { !$0.critical || Self.knownExtensions.contains($0.oid) }
    }

    /// What is looked at here, and certificate policies, which only matter to who asks for one. Source: RFC 5280 §4.2.
    private static let knownExtensions: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
        [2, 5, 29, 32],
    ]
}

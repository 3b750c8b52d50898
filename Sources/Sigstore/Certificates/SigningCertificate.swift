import SwiftASN1
import X509

/// A certificate that says who signed, as Fulcio and private authorities issue it.
///
/// Source: sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md.
public struct SigningCertificate: Sendable {
    /// In DER.
    public var der: [UInt8] { link.bytes }
    /// Whom it names: addresses and e-mail addresses, and Fulcio's own form of a name.
    public let names: [String]
    /// The OpenID Connect issuer that knows the signer; `nil` in a certificate of a private authority.
    public let issuer: String?
    /// The signer's key.
    public var publicKey: PublicKey { link.key }
    /// When it counts.
    public var validity: Validity { link.validity }
    /// The certificate as a link of its chain.
    let link: ChainCertificate

    /// Reads a certificate.
    ///
    /// - Throws: `certificate_malformed`; also for a critical extension that is not understood here (RFC 5280 §4.2).
    public init(der: [UInt8]) throws(Refusal) {
        guard let link = ChainCertificate(der), link.hasOnlyKnownCriticalExtensions else {
            throw Refusal(.certificateMalformed, "The signer's certificate cannot be read, or demands what is unknown here.")
        }
        self.link = link
        // RFC 5280 §4.2.1.6: whoever does not know the names must not take a certificate without a subject for one of nobody.
        guard !link.certificate.subject.isEmpty || link.certificate.extensions[oid: .X509ExtensionID.subjectAlternativeName]?.critical != false else {
            throw Refusal(.certificateMalformed, "The signer's certificate has no subject, and its names are not critical.")
        }
        do {
            names = try Self.names(link.certificate)
            issuer = try Self.issuer(link.certificate)
        } catch {
            throw Refusal(.certificateMalformed, "The names in the signer's certificate cannot be read: \(error).")
        }
    }

    private static func names(_ certificate: Certificate) throws -> [String] {
        try certificate.extensions.subjectAlternativeNames?.compactMap { name in
            switch name {
            case .uniformResourceIdentifier(let text), .rfc822Name(let text): return text
            case .otherName(let other) where other.typeID == OID.fulcioName:
                guard let value = other.value else { return nil }
                return String(try ASN1UTF8String(asn1Any: value))
            default: return nil
            }
        } ?? []
    }

    private static func issuer(_ certificate: Certificate) throws -> String? {
        if let current = certificate.extensions[oid: OID.fulcioIssuer] { return String(try ASN1UTF8String(derEncoded: current.value)) }
        // The older form is the text itself and no DER.
        return try certificate.extensions[oid: OID.fulcioIssuerOld].map { old in
            guard let text = String(validating: old.value, as: UTF8.self) else { throw ASN1Error.invalidStringRepresentation(reason: "issuer") }
            return text
        }
    }

    /// The TBSCertificate.
    var signedPart: ArraySlice<UInt8> { link.certificate.tbsCertificateBytes }

    /// The value of the extension with certificate logs' promises; `nil` for none.
    var promises: ArraySlice<UInt8>? { link.certificate.extensions[oid: OID.signedCertificateTimestamps]?.value }

    /// Insists that it is for signing.
    ///
    /// - Parameter needsCodeSigning: a certificate of a private authority may leave out what it is for (RFC 5280 §4.2.1.12).
    func requirePurpose(needsCodeSigning: Bool) throws(Refusal) {
        let extensions = link.certificate.extensions
        guard let usage = try? extensions.keyUsage ?? KeyUsage(digitalSignature: !needsCodeSigning), usage.digitalSignature,
            !usage.keyCertSign, let purposes = try? extensions.extendedKeyUsage.map(Array.init) ?? (needsCodeSigning ? [] : [.codeSigning]),
            purposes.contains(.codeSigning),
            case .some(.notCertificateAuthority) = try? extensions.basicConstraints ?? .notCertificateAuthority
        else { throw Refusal(.certificateWrongPurpose, "The signer's certificate is not for signing code.") }
    }
}

/// Object identifiers of extensions.
enum OID {
    /// Source: sigstore/fulcio, docs/oid-info.md.
    static let fulcioIssuerOld: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57264, 1, 1]
    static let fulcioName: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57264, 1, 7]
    static let fulcioIssuer: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57264, 1, 8]
    /// Source: RFC 6962 §3.3.
    static let signedCertificateTimestamps: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2]
}

import Foundation
import SwiftASN1
import X509

/// A certificate that says who signed, as Fulcio and private authorities issue it.
///
/// Source: sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md.
public struct SigningCertificate: Sendable {
    /// In DER.
    public let der: [UInt8]
    /// Whom it names: addresses and e-mail addresses, and Fulcio's own form of a name.
    public let names: [String]
    /// The OpenID Connect issuer that knows the signer; `nil` in a certificate of a private authority.
    public let issuer: String?
    /// The signer's key.
    public let publicKey: PublicKey
    /// When it counts.
    public let validity: Validity
    let certificate: Certificate

    /// Reads a certificate.
    ///
    /// - Throws: `certificate_malformed`; also for a critical extension that is not understood here (RFC 5280 §4.2).
    public init(der: [UInt8]) throws(Refusal) {
        self.der = der
        do {
            certificate = try Certificate(derEncoded: der)
            try CertificateRules.requireKnownCriticalExtensions(certificate)
            publicKey = try PublicKey(spki: try CertificateRules.keyInfo(of: certificate))
            names = try Self.names(certificate)
            issuer = try Self.issuer(certificate)
        } catch {
            throw Refusal(.certificateMalformed, "The signer's certificate cannot be read: \(error).")
        }
        validity = Validity(certificate)
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
    var signedPart: ArraySlice<UInt8> { certificate.tbsCertificateBytes }

    /// The value of the extension with certificate logs' promises; `nil` for none.
    var promises: ArraySlice<UInt8>? { certificate.extensions[oid: OID.signedCertificateTimestamps]?.value }

    /// Whether it was issued by itself.
    var isRoot: Bool { certificate.issuer == certificate.subject }

    /// Insists that it is for signing.
    ///
    /// - Parameter needsCodeSigning: a certificate of a private authority may leave out what it is for (RFC 5280 §4.2.1.12).
    func requirePurpose(needsCodeSigning: Bool) throws(Refusal) {
        let extensions = certificate.extensions
        guard let usage = try? extensions.keyUsage ?? KeyUsage(digitalSignature: !needsCodeSigning), usage.digitalSignature,
            let purposes = try? extensions.extendedKeyUsage.map(Array.init) ?? (needsCodeSigning ? [] : [.codeSigning]),
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

/// What holds of certificates of every kind.
enum CertificateRules {
    private static let known: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
    ]

    struct UnknownCriticalExtension: Error {
        let oid: ASN1ObjectIdentifier
    }

    /// The SubjectPublicKeyInfo as it stands in the certificate. Source: RFC 5280 §4.1.
    static func keyInfo(of certificate: Certificate) throws(DERReader.Mistake) -> [UInt8] { try keyInfo(of: certificate.tbsCertificateBytes) }

    static func keyInfo(of signedPart: ArraySlice<UInt8>) throws(DERReader.Mistake) -> [UInt8] {
        var reader = try DERReader(parsing: Array(signedPart), name: "the certificate")
        _ = reader.next(.context(0))
        _ = try reader.need(.integer, "serial number")
        for part in ["signature algorithm", "issuer", "validity", "subject"] { _ = try reader.need(.sequence, part) }
        return Array(try reader.need(.sequence, "public key").encodedBytes)
    }

    static func requireKnownCriticalExtensions(_ certificate: Certificate) throws(UnknownCriticalExtension) {
        for one in certificate.extensions where one.critical && !known.contains(one.oid) { throw UnknownCriticalExtension(oid: one.oid) }
    }
}

extension Validity {
    /// When a certificate counts; both ends belong to it (RFC 5280 §4.1.2.5).
    init(_ certificate: Certificate) {
        self.init(start: Moment(certificate.notValidBefore), end: Moment(certificate.notValidAfter))
    }
}

extension Moment {
    init(_ date: Date) { self.init(seconds: Int(date.timeIntervalSince1970.rounded())) }
}

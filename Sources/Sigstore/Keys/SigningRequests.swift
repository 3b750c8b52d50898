public import Crypto
import SwiftASN1
import X509

/// What a signer asks of others, as bytes; the sending is somebody else's.
public enum SigningRequests {
    /// A request for a certificate of a P-256 key, as a PEM document. It names nobody: the authority takes the name from an identity token.
    ///
    /// Source: RFC 2986; sigstore/fulcio, fulcio.proto, CertificateSigningRequest.
    public static func certificate(of key: P256.Signing.PrivateKey) throws -> String {
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName(), privateKey: .init(key), attributes: .init(), signatureAlgorithm: .ecdsaWithSHA256)
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return PEM(label: "CERTIFICATE REQUEST", bytes: serializer.serializedBytes).text
    }

    /// A request to stamp a message with the time, by its SHA-256 digest, with the authority's certificate in the answer.
    ///
    /// Source: RFC 3161 §2.4.1.
    ///
    /// - Parameter nonce: eight random bytes, so that no older answer fits.
    public static func timestamp(of message: [UInt8], nonce: [UInt8]) -> [UInt8] {
        let sha256: [UInt8] = [0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00]
        let imprint = DERWriter.wrapped(0x30, sha256 + DERWriter.wrapped(0x04, PublicKey.HashAlgorithm.sha256.hash(message)))
        // A first byte below 0x80 and above 0 keeps the number positive and in its shortest form.
        let number = DERWriter.wrapped(0x02, [0x40 | (nonce.first ?? 0) & 0x3F] + nonce.dropFirst())
        return DERWriter.wrapped(0x30, [0x02, 0x01, 0x01] + imprint + number + [0x01, 0x01, 0xFF])
    }
}

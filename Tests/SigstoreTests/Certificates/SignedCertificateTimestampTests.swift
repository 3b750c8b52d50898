import SwiftASN1
import Testing

@testable import Sigstore

/// RFC 6962's promises inside certificates. The certificates of the vector have RSA keys of 1024 bits, too short for a signer here, so they
/// are read as plain DER.
@Suite struct SignedCertificateTimestampTests {
    /// The TBSCertificate and the value of its extension with promises.
    private func parts(_ path: String) throws -> (body: ASN1Node, promises: ArraySlice<UInt8>?) {
        var certificate = try DERReader(parsing: try PEM.only(in: try Fixture.text(path), labels: ["CERTIFICATE"]).bytes, name: "certificate")
        let body = try certificate.need(.sequence, "signed part")
        var promises: ArraySlice<UInt8>?
        var reader = try DERReader(body, name: "signed part")
        while let member = reader.next() {
            guard member.identifier == .context(3), case .constructed(let lists) = member.content, let list = lists.first(where: { _ in true }) else {
                continue
            }
            var extensions = try DERReader(list, name: "extensions")
            while let one = extensions.next() {
                var parts = try DERReader(one, name: "extension")
                guard try parts.needIdentifier("identifier") == OID.signedCertificateTimestamps else { continue }
                promises = try parts.needBytes(.octetString, "value")[...]
            }
        }
        return (body, promises)
    }

    /// The SubjectPublicKeyInfo in a TBSCertificate: behind version, serial number, algorithm, issuer, validity and subject.
    private func key(of body: ASN1Node) throws -> [UInt8] {
        var reader = try DERReader(body, name: "signed part")
        _ = reader.next(.context(0))
        for _ in 0..<5 { _ = reader.next() }
        return Array(try reader.need(.sequence, "public key").encodedBytes)
    }

    @Test func promiseOfTheVectorHolds() throws {
        let (body, value) = try parts("vectors/ct/cert-ct-embedded.pem")
        let key = try PublicKey(pem: try Fixture.text("vectors/ct/ct-server-key-public.pem"))
        let list = try #require(value)
        let promise = try #require(try SignedCertificateTimestamp.all(in: list).first)
        #expect(promise.logID == PublicKey.HashAlgorithm.sha256.hash(key.spki))
        let issuer = PublicKey.HashAlgorithm.sha256.hash(try self.key(of: try parts("vectors/ct/ca-cert.pem").body))
        let signed = try promise.signedBytes(of: body.encodedBytes, issuerKeyHash: issuer)
        #expect(key.isSignature(promise.signature, over: signed, hash: promise.hash))
        for index in signed.indices {
            var other = signed
            other[index] ^= 1
            #expect(!key.isSignature(promise.signature, over: other, hash: promise.hash))
        }
    }

    @Test func aCertificateWithoutPromisesStaysAsItIs() throws {
        let body = try parts("vectors/ct/cert.pem").body
        #expect(try SignedCertificateTimestamp.withoutPromises(body.encodedBytes) == Array(body.encodedBytes))
    }

    @Test func everyCutOfTheListIsRefused() throws {
        let value = try #require(try parts("vectors/ct/cert-ct-embedded.pem").promises)
        for count in 0..<value.count {
            #expect(throws: SignedCertificateTimestamp.Malformed.self) { try SignedCertificateTimestamp.all(in: value.prefix(count)) }
        }
    }
}

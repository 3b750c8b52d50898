import JSON
import Testing
import X509

@testable import Sigstore

@Suite struct LogEntryTests {
    @Test(arguments: ["vectors/ct/cert-ct-embedded.pem"]) func certificateLogsPromise(_ path: String) throws {
        let leaf = try pem(path)
        let issuer = try pem("vectors/ct/ca-cert.pem")
        let key = try PublicKey(pem: try Fixture.text("vectors/ct/ct-server-key-public.pem"))
        let certificate = try Certificate(derEncoded: leaf)
        let promise = try #require(try SignedCertificateTimestamp.all(in: certificate).first)
        let issuerHash = PublicKey.HashAlgorithm.sha256.hash(try CertificateRules.keyInfo(of: try Certificate(derEncoded: issuer)))
        let signed = try promise.signedBytes(of: certificate, issuerKeyHash: issuerHash)
        #expect(key.isSignature(promise.signature, over: signed, hash: promise.hash))
        for index in signed.indices {
            var other = signed
            other[index] ^= 1
            #expect(!key.isSignature(promise.signature, over: other, hash: promise.hash))
        }
    }

    private func pem(_ path: String) throws -> [UInt8] { try PEM.only(in: try Fixture.text(path), labels: ["CERTIFICATE"]).bytes }
}

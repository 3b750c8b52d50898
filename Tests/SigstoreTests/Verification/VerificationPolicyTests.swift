import Testing

@testable import Sigstore

/// Names that Unicode takes for one another.
@Suite struct VerificationPolicyTests {
    /// The certificate has the sign of the kelvin where one would read a K.
    private static let name = "\u{212A}elvin@example.org"
    private static let issuer = "https://\u{212A}elvin.example"

    private func certificate() throws -> SigningCertificate {
        try SigningCertificate(der: PEM.only(in: Fixture.text("made/kelvin.pem"), labels: ["CERTIFICATE"]).bytes)
    }

    private func code(_ policy: SignerPolicy) throws -> Refusal.Code? {
        let certificate = try certificate()
        do throws(Refusal) {
            try policy.check(certificate)
            return nil
        } catch { return error.code }
    }

    @Test func namesAreComparedByteForByte() throws {
        // To Swift's strings these are one name.
        #expect(Self.name == "Kelvin@example.org" && Self.issuer == "https://Kelvin.example")
        #expect(try code(.identity(Self.name, issuer: Self.issuer)) == nil)
        #expect(try code(.identity(Self.name, issuer: nil)) == nil)
        #expect(try code(.identity("Kelvin@example.org", issuer: Self.issuer)) == .identityMismatch)
        #expect(try code(.identity("Kelvin@example.org", issuer: nil)) == .identityMismatch)
        #expect(try code(.identity(Self.name, issuer: "https://Kelvin.example")) == .issuerMismatch)
    }

    @Test func oneOfSeveralMustBeExact() throws {
        let close = SignerPolicy.identity("Kelvin@example.org", issuer: "https://Kelvin.example")
        #expect(try code(.anyOf([close, .identity(Self.name, issuer: Self.issuer)])) == nil)
        #expect(try code(.anyOf([close, close])) == .identityMismatch)
        #expect(try code(.anyOf([])) == .identityMismatch)
    }
}

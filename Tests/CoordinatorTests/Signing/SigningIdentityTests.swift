import Sigstore
import Storage
import Testing

@testable import Coordinator

/// Who signed, held against who is registered.
@Suite struct SigningIdentityTests {
    /// In the certificate the sign of the kelvin stands where one would read a K; to Swift's strings the two are one.
    private static let name = "\u{212A}elvin@example.org"
    private static let issuer = "https://\u{212A}elvin.example"

    private func identity(kind: String = "oidc", name: String?, issuer: String?) throws -> SigningIdentity {
        try SigningIdentity(
            SigningIdentityRow(
                id: "1", accountID: "a", kind: kind, name: "", claim: "", publicKey: nil, issuer: issuer, identity: name, createdAt: 0))
    }

    private func signer() throws -> Verifier.Verified.Signer {
        let document = try PEM.only(in: SigstoreFixture.text("made/kelvin.pem"), labels: ["CERTIFICATE"])
        return .certificate(try SigningCertificate(der: document.bytes))
    }

    @Test func whoeverHasTheNameAndTheIssuerIsTheOne() throws {
        #expect(try identity(name: Self.name, issuer: Self.issuer).isThe(signer()))
    }

    @Test(
        arguments: [
            ("oidc", "Kelvin@example.org", issuer), ("oidc", name, "https://Kelvin.example"), ("oidc", nil, issuer), ("oidc", name, nil),
            ("oidc", nil, nil), ("oidc", "", ""), ("key", name, issuer),
        ] as [(String, String?, String?)])
    func whoeverIsNearlySoIsNot(kind: String, name: String?, issuer: String?) throws {
        #expect(try !identity(kind: kind, name: name, issuer: issuer).isThe(signer()))
    }
}

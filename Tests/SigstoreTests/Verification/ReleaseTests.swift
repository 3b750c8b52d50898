import JSON
import Testing

@testable import Sigstore

/// Real bundles of python.org's releases.
@Suite struct ReleaseTests {
    private static let releases = ((try? Fixture.text("bulk/cpython-releases.jsonl")) ?? "").split(separator: "\n")
        .compactMap { try? JSONValue(parsing: Array($0.utf8)) }

    private func verify(_ release: JSONValue, issuer: String? = nil) throws -> Verifier.Verified {
        let bundle = try Bundle(parsing: Array((release["bundle"] ?? .null).text.utf8))
        let artifact = try #require(Artifact(sha256Hexadecimal: String(release["digest"]?.string?.dropFirst(7) ?? "")))
        let signer = SignerPolicy.identity(release["identity"]?.string ?? "", issuer: issuer ?? release["issuer"]?.string)
        return try Verifier(try Fixture.trustedRoot()).verify(bundle, of: artifact, VerificationPolicy(signer: signer), now: .fixtures)
    }

    @Test func allVerify() throws {
        #expect(Self.releases.count == 148)
        for release in Self.releases {
            #expect(throws: Never.self, "\(release["name"]?.string ?? "")") { try verify(release) }
        }
    }

    @Test func anotherIssuerIsRefused() throws {
        let release = try #require(Self.releases.first)
        let refusal = #expect(throws: Refusal.self) { try verify(release, issuer: "https://github.com/login/oauth") }
        #expect(refusal?.code == .issuerMismatch)
    }
}

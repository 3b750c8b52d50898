import JSON
import Testing

@testable import Sigstore

/// An image of the older layout that was signed under an intermediate authority of a private PKI, which the signature brings along.
@Suite struct PrivateChainTests {
    private static let layout = "oci/cosign-byo-pki"
    private static let chainName = "dev.sigstore.cosign/chain"

    private static func certificates(_ name: String) throws -> [[UInt8]] { try PEM.all(in: try Fixture.text("\(layout)/\(name).pem")).map(\.bytes) }

    private static func pem(_ certificates: [[UInt8]]) -> String { certificates.map { PEM(label: "CERTIFICATE", bytes: $0).text }.joined() }

    /// Why the image is refused; `nil` when it is accepted.
    ///
    /// - Parameters:
    ///   - chain: what the signature brings along; its own where `nil`.
    ///   - roots: the anchors; the image's own where `nil`.
    private func refusal(chain: String? = nil, roots: [[UInt8]]? = nil, intermediates: [[UInt8]] = []) async throws -> Refusal.Code? {
        let image = try #require(FixtureCase.images.first { $0.name == "cosign-byo-pki" })
        let digest = try #require(image.text("image_digest"))
        var stored = try StoredImage(layout: Self.layout)
        if let chain {
            let tag = ImageSignatureDocuments.legacyTag(of: digest)
            let manifest = try JSONValue(parsing: try #require(stored.manifest(tag: tag)))
            let changed = try manifest.setting(["layers", "0", "annotations", Self.chainName], to: .string(chain))
            stored.tags[tag] = stored.store(changed.bytes)
        }
        let verifier = try Verifier(nil, roots: try roots ?? Self.certificates("roots"), intermediates: intermediates)
        do {
            _ = try await ImageSignatures(verifier, try image.policy()).verify(digest: digest, in: stored, now: .fixtures)
            return nil
        } catch let refusal as Refusal {
            return refusal.code
        }
    }

    @Test func theChainLeadsToTheRoot() async throws {
        #expect(try await refusal() == nil)
        #expect(try await refusal(chain: Self.pem(try Self.certificates("intermediates"))) == nil)
    }

    @Test func withoutTheIntermediateTheRootIsNotReached() async throws {
        #expect(try await refusal(chain: "") == .certificateUntrusted)
        #expect(try await refusal(chain: Self.pem(try Self.certificates("roots"))) == .certificateUntrusted)
    }

    /// The chain holds a root of its own, which nobody believes for that.
    @Test func theChainIsNeverTrustedByItself() async throws {
        let another = try #require(try Fixture.trustedRoot("trusted-roots/private-oci.json").certificateAuthorities.first?.certificates.last)
        #expect(try await refusal(roots: [another]) == .certificateUntrusted)
    }

    @Test func whatTheOperatorNamesCountsInItsPlace() async throws {
        #expect(try await refusal(chain: "", intermediates: try Self.certificates("intermediates")) == nil)
        #expect(try await refusal(intermediates: try Self.certificates("roots")) == .certificateUntrusted)
        // Nobody reads it then.
        #expect(try await refusal(chain: "no certificate", intermediates: try Self.certificates("intermediates")) == nil)
    }

    @Test func anAuthorityOfSomebodyElseInTheChainDoesNoHarm() async throws {
        let strangers = try Fixture.trustedRoot().certificateAuthorities.flatMap(\.certificates)
        #expect(try await refusal(chain: Self.pem(strangers + (try Self.certificates("intermediates")))) == nil)
        #expect(try await refusal(chain: Self.pem(strangers)) == .certificateUntrusted)
    }

    @Test(arguments: [
        "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ]) func aChainThatIsNoneIsRefused(_ chain: String) async throws {
        #expect(try await refusal(chain: chain) == .certificateMalformed)
    }

    @Test func aLongChainIsRefused() async throws {
        let one = try Self.certificates("intermediates")[0]
        #expect(try await refusal(chain: Self.pem(Array(repeating: one, count: 8))) == nil)
        #expect(try await refusal(chain: Self.pem(Array(repeating: one, count: 9))) == .certificateMalformed)
        let text = Self.pem([one])
        let room = (64 << 10) - text.utf8.count
        #expect(try await refusal(chain: text + String(repeating: "\n", count: room)) == nil)
        #expect(try await refusal(chain: text + String(repeating: "\n", count: room + 1)) == .certificateMalformed)
    }
}

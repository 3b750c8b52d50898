import JSON
import Testing

@testable import Sigstore

/// Several things stored beside one image.
@Suite struct ImageSignaturesTests {
    /// An image of the fixtures with more listed beside it.
    private struct Crowded: ImageSource {
        let layout: ImageLayoutFolder
        let more: [Referrer]

        func manifest(digest: String) async throws -> [UInt8]? { try layout.manifest(digest: digest) }
        func manifest(tag: String) async throws -> [UInt8]? { try layout.manifest(tag: tag) }
        func blob(digest: String, size: Int) async throws -> [UInt8]? { try layout.blob(digest: digest, size: size) }
        func referrers(of digest: String) async throws -> [Referrer] { more + (try layout.referrers(of: digest)) }
    }

    private static let bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

    private func verify(adding more: [Referrer]) async throws -> ImageSignatures.Accepted {
        let one = try #require(FixtureCase.images.first { $0.name == "gen-bundle-referrer-v1" })
        let digest = try #require(one.text("image_digest"))
        let layout = try ImageLayoutFolder(path: Fixture.path(try #require(one.text("layout"))))
        return try await ImageSignatures(try one.verifier(), try one.policy())
            .verify(digest: digest, in: Crowded(layout: layout, more: more), now: .fixtures)
    }

    @Test func whatIsUnusableDoesNoHarmBesideAGoodSignature() async throws {
        let image = try #require(FixtureCase.images.first { $0.name == "gen-bundle-referrer-v1" }?.text("image_digest"))
        let missing = Referrer(digest: "sha256:" + String(repeating: "0", count: 64), artifactType: Self.bundleType)
        let another = Referrer(digest: image, artifactType: "")
        #expect(try await verify(adding: [missing, another, missing]).layout == .bundle)
    }

    @Test func tooManySignaturesAreRefused() async throws {
        let missing = Referrer(digest: "sha256:" + String(repeating: "0", count: 64), artifactType: Self.bundleType)
        let many = Array(repeating: missing, count: ImageSignatures.signaturesMax)
        let refusal = await #expect(throws: Refusal.self) { try await verify(adding: many) }
        #expect(refusal?.code == .imageMalformed)
    }
}

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

    // MARK: How much is read

    /// An image of the fixtures behind junk that is listed first, and a source that may fail.
    private struct Littered: ImageSource {
        var stored: StoredImage
        let digest: String
        var junk: [Referrer] = []
        var failure: (@Sendable (_ digest: String) -> (any Error)?)?

        init(_ name: String = "gen-bundle-referrer-v1") throws {
            let one = try #require(FixtureCase.images.first { $0.name == name })
            stored = try StoredImage(layout: try #require(one.text("layout")))
            digest = try #require(one.text("image_digest"))
        }

        /// Lists a bundle of so many bytes; nobody has these.
        mutating func list(size: Int) {
            let number = junk.count
            let layer: JSONValue = [
                "mediaType": .string(ImageSignaturesTests.bundleType), "size": .int(size), "digest": .string(StoredImage.digest([UInt8(number)])),
            ]
            let manifest: JSONObject = ["subject": ["digest": .string(digest)], "layers": [layer]]
            junk.append(Referrer(digest: stored.store(manifest.bytes), artifactType: ImageSignaturesTests.bundleType))
        }

        func manifest(digest: String) async throws -> [UInt8]? { stored.manifest(digest: digest) }
        func manifest(tag: String) async throws -> [UInt8]? { stored.manifest(tag: tag) }
        func referrers(of digest: String) async throws -> [Referrer] { junk + (try stored.referrers(of: digest)) }
        func blob(digest: String, size: Int) async throws -> [UInt8]? {
            if let error = failure?(digest) { throw error }
            return stored.blob(digest: digest, size: size)
        }
    }

    private func verify(_ source: Littered, named name: String = "gen-bundle-referrer-v1", bytesMax: Int? = nil) async throws
        -> ImageSignatures.Accepted
    {
        let one = try #require(FixtureCase.images.first { $0.name == name })
        let (verifier, policy) = (try one.verifier(), try one.policy())
        let signatures = bytesMax.map { ImageSignatures(verifier, policy, bytesMax: $0) } ?? ImageSignatures(verifier, policy)
        return try await signatures.verify(digest: source.digest, in: source, now: .fixtures)
    }

    @Test(arguments: ["gen-bundle-referrer-v1", "gen-bundle-keyed", "gen-legacy-keyless"])
    func allThatIsReadCounts(_ name: String) async throws {
        let source = try Littered(name)
        let accepted = try await verify(source, named: name)
        let bytes = accepted.imageManifest.count + accepted.signatureManifest.count + accepted.content.count
        for room in [0, 1] { #expect(try await verify(source, named: name, bytesMax: bytes + room).layout == accepted.layout) }
        for less in [bytes - 1, accepted.imageManifest.count, accepted.imageManifest.count - 1, 0] {
            let refusal = await #expect(throws: Refusal.self) { try await verify(source, named: name, bytesMax: less) }
            #expect(refusal?.code == .imageMalformed && refusal?.message.contains("More than \(less) bytes") == true)
        }
    }

    /// Their sizes alone count, so that a hundred of them are not even fetched.
    @Test func hugeJunkBeforeASignatureEndsTheLook() async throws {
        var source = try Littered()
        source.list(size: 64 << 20)
        #expect(try await verify(source).layout == .bundle)
        source.list(size: 64 << 20)
        let crowded = source
        let refusal = await #expect(throws: Refusal.self) { try await verify(crowded) }
        #expect(refusal?.code == .imageMalformed && refusal?.message.contains("bytes") == true)
    }

    @Test func whatRefersToAnAcceptedSignatureIsHandedOut() async throws {
        let source = try Littered()
        let accepted = try await verify(source)
        #expect(StoredImage.digest(accepted.imageManifest) == source.digest)
        let manifest = try JSONValue(parsing: accepted.signatureManifest)
        #expect(try manifest.at(["layers", "0", "digest"]).string == StoredImage.digest(accepted.content))
    }

    // MARK: Sources that fail

    private struct Broken: Error {}

    @Test func aBlobThatCannotBeReadDoesNoHarmBesideAGoodSignature() async throws {
        var source = try Littered()
        source.list(size: 1)
        let junk = StoredImage.digest([0])
        source.failure = { $0 == junk ? Broken() : nil }
        #expect(try await verify(source).layout == .bundle)
        source.failure = { _ in Broken() }
        let broken = source
        let refusal = await #expect(throws: Refusal.self) { try await verify(broken) }
        #expect(refusal?.code == .imageMalformed)
    }

    @Test(arguments: ["gen-bundle-referrer-v1", "gen-legacy-keyless"]) func aCancelledLookIsNoRefusal(_ name: String) async throws {
        var source = try Littered(name)
        source.failure = { _ in CancellationError() }
        let cancelled = source
        await #expect(throws: CancellationError.self) { try await verify(cancelled, named: name) }
    }

    /// Not every source says it in the same way.
    @Test func aSourceThatFailsSinceItsTaskWasCancelledSaysNothingOfTheSignature() async throws {
        var source = try Littered()
        source.failure = { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            return Broken()
        }
        let cancelled = source
        let task = Task { try await verify(cancelled) }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}

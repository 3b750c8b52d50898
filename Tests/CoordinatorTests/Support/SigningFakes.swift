import Domain
import Foundation
import JSON
import Sigstore
import Storage
import Synchronization

@testable import Coordinator
@testable import OCI

/// The data of Tests/Fixtures/sigstore; its README says where each part is from.
enum SigstoreFixture {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/sigstore")

    static func path(_ name: String) -> String { folder.appending(path: name).path }
    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: name))) }
    static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    static func root(_ name: String) throws -> TrustedRoot { try TrustedRoot(parsing: try bytes("trusted-roots/\(name).json")) }
}

/// A trusted root that a test decides.
final class FakeTrust: Sendable {
    struct Failure: Error {}

    private let root = Mutex<TrustedRoot?>(nil)

    /// Believes a root; `nil` lets it fail.
    func believe(_ root: TrustedRoot?) { self.root.withLock { $0 = root } }

    var network: NetworkTrust {
        NetworkTrust { [self] in
            guard let root = root.withLock({ $0 }) else { throw Failure() }
            return root
        }
    }
}

/// An image with a signature beside it, of the fixtures.
struct SignedImage: Sendable, CustomStringConvertible {
    static let name = "https://ci.cargo.test/acme/rocket/.workflows/publish.yml@refs/heads/main"
    static let issuer = "https://oidc.cargo.test"

    let layout: String
    let digest: String
    var description: String { layout }

    init(_ layout: String, _ hexadecimal: String) {
        self.layout = layout
        digest = "sha256:" + hexadecimal
    }

    static let bundle = SignedImage("gen-bundle-referrer-v1", "4874afef0ff3dc82eb083ccac62982f53ea6d1a64bb4d0f0582077981485f661")
    static let bundleOfVersion2 = SignedImage("gen-bundle-referrer-v2", "57f95bf44f4aa93f79049fb02694ed46e51ac2accf6c3582e477fa2a7782ecb3")
    static let keyed = SignedImage("gen-bundle-keyed", "226ef8ce724ab332b343ba3f94b0973024b7930b3fd324ae9cba9bb1dd17dc0c")
    static let legacy = SignedImage("gen-legacy-keyless", "a7d7e0cfe277fcfd88270a1ba47537e4e2d0e936453e11a7152994fa2a286f8b")
    static let unsigned = SignedImage("gen-legacy-unsigned", "9315ac6072a8e53fba917323c585e0b4605272b06b10b34628370352cd21fec7")
    static let otherSubject = SignedImage("gen-bundle-subject-other-image", "d37cbb61ac34d705b96394424f8f758be7bf9e3cfe3e19355df3b4a062890c8d")
    static let otherManifest = SignedImage(
        "gen-bundle-manifest-subject-other", "c1d0204eea15eefdb96e5bc649a64ba912caac2da7a874daa63dd077b95ba67c")
    static let replayed = SignedImage("gen-legacy-replayed-from-other-image", "b342593e93bc3275b4cc54f5141a7faf16dbeb9f5bc90e8c8de5065aa5c152dc")
    static let emptySignature = SignedImage("gen-legacy-no-signature-annotation", "f1916b7cccf8a2eed964f20d51fe15447b383c67409f08d932a478c3685d3dc7")
    /// Signed with a key, and in no log.
    static let unlogged = SignedImage("cosign-key", "634a8f35b5f16dcf4aaa0822adc0b1964bb786fca12f6831de8ddc45e5986a00")
}

/// Registries whose signatures a test decides.
final class FakeSignatures: SignatureSource {
    private let state = Mutex<(layout: String?, failure: OCIError?, blobFailure: OCIError?)>((nil, nil, nil))
    private let isSilent = Mutex(false)

    /// What stands beside every image from now on.
    func store(_ image: SignedImage) { state.withLock { $0.layout = SigstoreFixture.path("oci/\(image.layout)") } }
    /// Every registry answers so; `nil` for as it should.
    func fail(_ error: OCIError?) { state.withLock { $0.failure = error } }
    /// No registry answers any more.
    func fallSilent() { isSilent.withLock { $0 = true } }
    func failBlobs(_ error: OCIError?) { state.withLock { $0.blobFailure = error } }

    func signatures(beside image: ImageReference) -> any Sigstore.ImageSource { Repository(owner: self) }

    private struct Repository: Sigstore.ImageSource {
        let owner: FakeSignatures

        private func layout() throws -> ImageLayoutFolder? {
            let (path, failure) = owner.state.withLock { ($0.layout, $0.failure) }
            if let failure { throw failure }
            return try path.map { try ImageLayoutFolder(path: $0) }
        }

        private func answer() async throws {
            guard owner.isSilent.withLock(\.self) else { return }
            // Ends when the task is cancelled, and never before.
            let (silence, _) = AsyncStream.makeStream(of: Never.self)
            for await _ in silence {}
            throw CancellationError()
        }

        func manifest(digest: String) async throws -> [UInt8]? {
            try await answer()
            return try layout()?.manifest(digest: digest)
        }
        func manifest(tag: String) async throws -> [UInt8]? { try layout()?.manifest(tag: tag) }
        func referrers(of digest: String) async throws -> [Referrer] {
            try await answer()
            return try layout()?.referrers(of: digest) ?? []
        }
        func blob(digest: String, size: Int) async throws -> [UInt8]? {
            if let failure = owner.state.withLock(\.blobFailure) { throw failure }
            return try layout()?.blob(digest: digest, size: size)
        }
    }
}

extension World {
    /// Registers the fixtures' name, or a key of theirs; their private keys are gone, so nobody can show that these are theirs.
    @discardableResult
    func registerSigner(key: String? = nil, name: String = SignedImage.name) async throws -> SigningIdentityRow {
        let publicKey = try key.map { try PublicKey(pem: try SigstoreFixture.text("oci/\($0)/key.pub")) }
        let claim = publicKey.map(SigningIdentity.claim(of:)) ?? SigningIdentityTerms.claim(issuer: SignedImage.issuer, identity: name)
        let row = SigningIdentityRow(
            id: surroundings.newIdentifier(), accountID: publisher.accountID, kind: key == nil ? "oidc" : "key", name: "", claim: claim,
            publicKey: publicKey?.pem, issuer: key == nil ? SignedImage.issuer : nil, identity: key == nil ? name : nil, createdAt: now)
        try await database.write { try $0.insert(row) }
        return row
    }

    /// Gives a version a level, past all rules.
    func raise(_ id: Int, to level: TrustLevel) async throws {
        let act = SubmissionMoves.Act(actorID: "test", at: surroundings.now())
        try await moves.commit { [moves] in _ = try moves.setLevel(try Submission.find(id, in: $0), to: level, action: "test", act, in: $0) }
    }

    /// A version with an image of the fixtures, scanned clean, that waits for review.
    func pending(_ slug: String, version: String, _ image: SignedImage) async throws -> Submission {
        let draft = try await draft(slug, version: version)
        images.push("ghcr.io/archipelag-io/\(slug):\(version)", digest: try Digest(image.digest))
        signatures.store(image)
        let submission = try await publishing.transition(draft.row.id, to: .pendingReview, by: publisher)
        while try await pipeline.scanNext() {}
        return submission
    }

    /// Lets what stands beside the fixtures' images be verified.
    func believeFixtures() throws { trust.believe(try SigstoreFixture.root("private-oci")) }
}

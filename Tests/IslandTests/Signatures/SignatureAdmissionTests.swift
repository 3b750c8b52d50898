import Domain
import Foundation
import IslandLink
import JSON
import OCI
import SignedImages
import Sigstore
import Synchronization
import TestSupport
import Testing

@testable import Island

/// Signed images of the fixtures, as an Island takes them.
@Suite struct SignatureAdmissionTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/sigstore")

    private static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: fixtures.appending(path: path))) }

    /// A registry that can be taken away.
    private final class Origin: Sendable {
        private let layout: ImageLayoutFolder
        private let reads = Mutex(0)
        private let isGone = Mutex(false)
        private let hook = Mutex<@Sendable () -> Void>({})
        private let blobFailure = Mutex<(any Error)?>(nil)
        private let junk = Mutex<(blobs: [String: [UInt8]], referrers: [Referrer])>(([:], []))

        init(_ name: String) throws { layout = try ImageLayoutFolder(path: fixtures.appending(path: "oci/\(name)").path) }

        var readCount: Int { reads.withLock { $0 } }

        /// Does something whenever it is read.
        func onRead(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

        func take() { isGone.withLock { $0 = true } }

        /// No blob can be read, while all else can; `nil` for as it should be.
        func failBlobs(_ error: (any Error)?) { blobFailure.withLock { $0 = error } }

        /// Lists a bundle before all others of an image, whose blob is so many bytes of nothing.
        ///
        /// - Parameters:
        ///   - size: what its manifest says instead.
        ///   - isThere: whether the registry gives the blob, or has an outage.
        func list(_ count: Int, claiming size: Int? = nil, beside image: Digest, isThere: Bool = true) {
            let type = "application/vnd.dev.sigstore.bundle.v0.3+json"
            let number = junk.withLock(\.referrers.count)
            let bytes = Array(repeating: UInt8(truncatingIfNeeded: number), count: count)
            let digest = Digest.sha256(of: bytes).description
            let layer: JSONValue = ["mediaType": .string(type), "size": .int(size ?? count), "digest": .string(digest)]
            let manifest: JSONObject = ["subject": ["digest": .string(image.description)], "layers": [layer]]
            let own = Digest.sha256(of: manifest.bytes).description
            junk.withLock { junk in
                junk.blobs[own] = manifest.bytes
                junk.blobs[digest] = isThere ? bytes : []
                junk.referrers.append(Referrer(digest: own, artifactType: type))
            }
        }

        struct Source: ImageSource {
            let origin: Origin

            func manifest(digest: String) async throws -> [UInt8]? {
                try origin.note { layout in try origin.junk.withLock { $0.blobs[digest] } ?? layout.manifest(digest: digest) }
            }
            func manifest(tag: String) async throws -> [UInt8]? { try origin.note { try $0.manifest(tag: tag) } }
            func blob(digest: String, size: Int) async throws -> [UInt8]? {
                if let error = origin.blobFailure.withLock({ $0 }) { throw error }
                return try origin.note { layout in
                    guard let bytes = origin.junk.withLock({ $0.blobs[digest] }) else { return try layout.blob(digest: digest, size: size) }
                    guard !bytes.isEmpty else { throw OCIError(.registryUnavailable, "out for now") }
                    return bytes
                }
            }
            func referrers(of digest: String) async throws -> [Referrer] {
                try origin.note { layout in origin.junk.withLock { $0.referrers } + (try layout.referrers(of: digest)) }
            }
        }

        private func note<Value>(_ read: (ImageLayoutFolder) throws -> Value) throws -> Value {
            guard !isGone.withLock({ $0 }) else { throw OCIError(.registryUnavailable, "gone") }
            reads.withLock { $0 += 1 }
            hook.withLock { $0 }()
            return try read(layout)
        }
    }

    /// For copies of signatures; gone with the suite.
    private final class Folder: Sendable {
        let path: String

        init() throws { path = try makeTemporaryFolder("signatures") }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    private func admission(
        _ origin: Origin, root: String = "private-oci", limits: SignatureFolder.Limits = .init()
    ) throws -> SignatureAdmission {
        let root = try TrustedRoot(parsing: try Self.bytes("trusted-roots/\(root).json"))
        let signatures = try SignatureFolder(path: folder.path, limits: limits)
        return try SignatureAdmission(root: root, folder: signatures, now: { Moment(seconds: 1_793_491_200) }) { _ in Origin.Source(origin: origin) }
    }

    private static let reference = try? ImageReference(parsing: "ghcr.io/archipelag-io/x:v1.0.0")

    private func image(_ name: String, key: String? = nil) throws -> (digest: Digest, signer: CoordinatorMessage.Signer) {
        let cases = try JSONValue(parsing: try Self.bytes("cases.json"))["cases"]?.array ?? []
        let one = try #require(cases.first { $0["name"]?.string == name })
        let digest = try Digest(one["image_digest"]?.string ?? "")
        if let key = key ?? one["key"]?.string { return (digest, .key(String(decoding: try Self.bytes(key), as: UTF8.self))) }
        return (digest, .identity(one["identity"]?.string ?? "", issuer: one["issuer"]?.string ?? ""))
    }

    private func admit(_ name: String, _ admission: SignatureAdmission, key: String? = nil) async throws {
        let image = try image(name, key: key)
        try await admission.admit(try #require(Self.reference), digest: image.digest, signers: [image.signer])
    }

    private func refusal(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? JobRefusal)?.failure.code ?? "\(error)"
        }
    }

    @Test(arguments: ["gen-bundle-keyed", "gen-bundle-referrer-v1", "gen-bundle-referrer-v2", "gen-legacy-keyless"])
    func aSignedImageIsVerifiedOnceAndThenFromTheCopy(_ name: String) async throws {
        let origin = try Origin(name)
        let first = try admission(origin)
        try await admit(name, first)
        let reads = origin.readCount
        #expect(reads > 0)
        origin.take()
        try await admit(name, first)
        // Another process of the same Island has nothing but the copy on disk.
        try await admit(name, try admission(origin))
        #expect(origin.readCount == reads)
    }

    @Test(arguments: [
        ("gen-legacy-unsigned", "signature_missing"), ("gen-legacy-replayed-from-other-image", "signature_invalid"),
        ("gen-bundle-subject-other-image", "signature_invalid"), ("gen-bundle-manifest-subject-other", "signature_invalid"),
        ("gen-legacy-no-signature-annotation", "signature_invalid"),
    ]) func whatIsNotSignedIsRefused(_ name: String, _ code: String) async throws {
        let admission = try admission(try Origin(name))
        #expect(await refusal { try await admit(name, admission) } == code)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// As on a full disk. The signature is as good as before.
    @Test func whatCannotBeKeptIsVerifiedAndFetchedAnew() async throws {
        let origin = try Origin("gen-bundle-keyed")
        let admission = try admission(origin)
        try FileManager.default.removeItem(atPath: folder.path)
        try await admit("gen-bundle-keyed", admission)
        let reads = origin.readCount
        admission.revoke([try image("gen-bundle-keyed").digest])
        try await admit("gen-bundle-keyed", admission)
        #expect(origin.readCount == 2 * reads)
        // And without the registry there is nothing.
        admission.revoke([try image("gen-bundle-keyed").digest])
        origin.take()
        #expect(await refusal { try await admit("gen-bundle-keyed", admission) } != nil)
    }

    @Test func anotherSignerIsRefusedThoughTheImageWasAdmitted() async throws {
        let admission = try admission(try Origin("gen-bundle-keyed"))
        try await admit("gen-bundle-keyed", admission)
        #expect(await refusal { try await admit("gen-bundle-keyed", admission, key: "oci/cosign-key/key.pub") } == "signature_invalid")
    }

    @Test func anotherRootIsRefused() async throws {
        let admission = try admission(try Origin("gen-bundle-keyed"), root: "production")
        #expect(await refusal { try await admit("gen-bundle-keyed", admission) } == "signature_invalid")
    }

    @Test func whatIsTakenBackIsVerifiedAnewForWhoMayStillSign() async throws {
        let origin = try Origin("gen-bundle-keyed")
        let admission = try admission(origin)
        try await admit("gen-bundle-keyed", admission)
        admission.revoke([try digestOnDisk()])
        // The publisher's other keys did not sign it; the same key, registered again, did.
        #expect(await refusal { try await admit("gen-bundle-keyed", admission, key: "oci/cosign-key/key.pub") } == "signature_invalid")
        try await admit("gen-bundle-keyed", admission)
    }

    @Test func whatIsTakenBackWhileItIsVerifiedIsRefused() async throws {
        let origin = try Origin("gen-bundle-keyed")
        let admission = try admission(origin)
        let another = try Digest("sha256:" + String(repeating: "a", count: 64))
        origin.onRead { admission.revoke([another]) }
        try await admit("gen-bundle-keyed", admission)
        let own = try digestOnDisk()
        admission.revoke([own])
        try FileManager.default.removeItem(atPath: "\(folder.path)/sha256-\(own.hex).json")
        origin.onRead { admission.revoke([own]) }
        #expect(await refusal { try await admit("gen-bundle-keyed", admission) } == "signature_revoked")
        origin.onRead {}
        try await admit("gen-bundle-keyed", admission)
    }

    private func digestOnDisk() throws -> Digest {
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
        return try Digest(name.replacing("sha256-", with: "sha256:").replacing(".json", with: ""))
    }

    @Test func aChangedCopyIsOfNoUse() async throws {
        let origin = try Origin("gen-bundle-keyed")
        try await admit("gen-bundle-keyed", try admission(origin))
        let path = folder.path + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first))
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        origin.take()
        for place in stride(from: 0, to: whole.count, by: 97) {
            var changed = whole
            changed[place] ^= 0x01
            try changed.write(to: URL(fileURLWithPath: path))
            // It may still verify where the change is of no concern, or ask for a registry that is gone; it never crashes.
            let outcome = await refusal { try await admit("gen-bundle-keyed", try admission(origin)) }
            #expect(outcome == nil || outcome == "signature_invalid" || outcome?.contains("gone") == true, "byte \(place)")
        }
    }

    @Test func nobodyMaySign() async throws {
        let admission = try admission(try Origin("gen-bundle-keyed"))
        let digest = try Digest("sha256:" + String(repeating: "a", count: 64))
        #expect(await refusal { try await admission.admit(try #require(Self.reference), digest: digest, signers: []) } == "signature_invalid")
    }

    // MARK: A registry that does not answer

    @Test(arguments: [OCIError.Code.registryUnavailable, .rateLimited, .unauthorized, .forbidden, .protocolViolation])
    func aRegistryThatDoesNotGiveTheSignatureIsNoWordAgainstIt(code: OCIError.Code) async throws {
        for name in ["gen-bundle-keyed", "gen-legacy-keyless"] {
            let origin = try Origin(name)
            let admission = try admission(origin)
            origin.failBlobs(OCIError(code, "not now"))
            #expect(await refusal { try await admit(name, admission) } == "\(code.rawValue): not now")
            origin.failBlobs(nil)
            try await admit(name, admission)
        }
    }

    @Test(arguments: [OCIError.Code.digestMismatch, .sizeMismatch, .notFound])
    func aRegistryThatGivesSomethingElseHasNoSignature(code: OCIError.Code) async throws {
        let origin = try Origin("gen-bundle-keyed")
        let admission = try admission(origin)
        origin.failBlobs(OCIError(code, "another"))
        #expect(await refusal { try await admit("gen-bundle-keyed", admission) } == "signature_invalid")
    }

    @Test func aCancelledAdmissionIsNoWordAgainstTheSignature() async throws {
        let origin = try Origin("gen-bundle-keyed")
        let admission = try admission(origin)
        origin.failBlobs(CancellationError())
        await #expect(throws: CancellationError.self) { try await admit("gen-bundle-keyed", admission) }
        origin.failBlobs(nil)
        try await admit("gen-bundle-keyed", admission)
    }

    @Test func anOutageOfOneBlobDoesNoHarmBesideAGoodSignature() async throws {
        let origin = try Origin("gen-bundle-keyed")
        origin.list(1, beside: try image("gen-bundle-keyed").digest, isThere: false)
        try await admit("gen-bundle-keyed", try admission(origin))
        // The one that could not be read may be the signer's.
        let another = try admission(origin)
        #expect(await refusal { try await admit("gen-bundle-keyed", another, key: "oci/cosign-key/key.pub") } == "registry_unavailable: out for now")
    }

    /// As for an image that cannot be fetched.
    @Test func anOutageEndsTheAttemptWithItsOwnCode() async throws {
        let origin = try Origin("gen-bundle-keyed")
        origin.failBlobs(OCIError(.registryUnavailable, "not now"))
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        let runner = AttemptRunner(
            sandbox: sandbox, runners: [ContainerRunner(images: FakeImageProvider())], approved: ApprovedRegistries(), levels: [.verified],
            signatures: try admission(origin), logger: silent)
        let image = try image("gen-bundle-keyed")
        let assignment = CoordinatorMessage.Assignment(
            attempt: Samples.attempt, slug: "my-cargo", runtime: .container, image: "ghcr.io/archipelag-io/x:v1.0.0",
            digest: image.digest.description, level: .verified, timeoutMilliseconds: 60_000, input: [:], signers: [image.signer])
        let failure = AttemptRunnerTests.failure(await AttemptRunnerTests.run(assignment, runner))
        #expect(failure?.code == "registry_unavailable" && failure?.fault == .island)
        #expect(sandbox.jobs.isEmpty)
        origin.failBlobs(nil)
        #expect(AttemptRunnerTests.failure(await AttemptRunnerTests.run(assignment, runner)) == nil)
        #expect(sandbox.jobs.count == 1)
    }

    // MARK: What is kept

    private func bytesOnDisk() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).reduce(0) { sum, name in
            sum + (try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))).count
        }
    }

    @Test func onlyWhatTheAcceptedSignatureRestsOnIsKept() async throws {
        let origin = try Origin("gen-bundle-keyed")
        try await admit("gen-bundle-keyed", try admission(origin))
        let bytes = try bytesOnDisk()
        let digest = try image("gen-bundle-keyed").digest
        try FileManager.default.removeItem(atPath: "\(folder.path)/sha256-\(digest.hex).json")
        for size in [1 << 20, 1 << 20, 100] { origin.list(size, beside: digest) }
        try await admit("gen-bundle-keyed", try admission(origin))
        #expect(try bytesOnDisk() == bytes)
        origin.take()
        try await admit("gen-bundle-keyed", try admission(origin))
    }

    @Test func moreJunkThanOneLookReadsIsRefused() async throws {
        let origin = try Origin("gen-bundle-keyed")
        let digest = try image("gen-bundle-keyed").digest
        for _ in 0..<2 { origin.list(1, claiming: 64 << 20, beside: digest) }
        let admission = try admission(origin)
        #expect(await refusal { try await admit("gen-bundle-keyed", admission) } == "signature_invalid")
        #expect(try bytesOnDisk() == 0)
    }

    @Test func copiesOfImagesThatAreNotUsedAnyMoreGo() async throws {
        let names = ["gen-bundle-keyed", "gen-bundle-referrer-v1", "gen-bundle-referrer-v2"]
        for name in names { try await admit(name, try admission(try Origin(name), limits: .init(filesMax: 2))) }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.count == 2)
        #expect(files.contains("sha256-\(try image("gen-bundle-referrer-v2").digest.hex).json"))
    }

    /// Versions before this one kept all that they read, by the names of tags.
    @Test func aCopyOfAnEarlierVersionIsRead() async throws {
        let name = "gen-legacy-keyless"
        let origin = try Origin(name)
        try await admit(name, try admission(origin))
        let digest = try image(name).digest
        let url = URL(fileURLWithPath: "\(folder.path)/sha256-\(digest.hex).json")
        var document = try #require(try JSONValue(parsing: Array(try Data(contentsOf: url))).object)
        let tag = "sha256-\(digest.hex).sig"
        let signature = try #require(document["tags"]?[tag]?.string)
        var manifests = try #require(document["manifests"]?.object)
        manifests["tag:" + tag] = manifests[signature]
        manifests[signature] = Optional.none
        document["manifests"] = .object(manifests)
        document["tags"] = .object([tag: .string("tag:" + tag)])
        try Data(document.bytes).write(to: url)
        origin.take()
        try await admit(name, try admission(origin))
    }
}

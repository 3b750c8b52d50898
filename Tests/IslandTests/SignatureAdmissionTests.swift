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
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Fixtures/sigstore")

    private static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: fixtures.appending(path: path))) }

    /// A registry that can be taken away.
    private final class Origin: Sendable {
        private let layout: ImageLayoutFolder
        private let reads = Mutex(0)
        private let isGone = Mutex(false)
        private let hook = Mutex<@Sendable () -> Void>({})

        init(_ name: String) throws { layout = try ImageLayoutFolder(path: fixtures.appending(path: "oci/\(name)").path) }

        var readCount: Int { reads.withLock { $0 } }

        /// Does something whenever it is read.
        func onRead(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

        func take() { isGone.withLock { $0 = true } }

        struct Source: ImageSource {
            let origin: Origin

            func manifest(digest: String) async throws -> [UInt8]? { try origin.note { try $0.manifest(digest: digest) } }
            func manifest(tag: String) async throws -> [UInt8]? { try origin.note { try $0.manifest(tag: tag) } }
            func blob(digest: String, size: Int) async throws -> [UInt8]? { try origin.note { try $0.blob(digest: digest, size: size) } }
            func referrers(of digest: String) async throws -> [Referrer] { try origin.note { try $0.referrers(of: digest) } }
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

    private func admission(_ origin: Origin, root: String = "private-oci") throws -> SignatureAdmission {
        let root = try TrustedRoot(parsing: try Self.bytes("trusted-roots/\(root).json"))
        return try SignatureAdmission(root: root, folder: folder.path, now: { Moment(seconds: 1_793_491_200) }) { _ in Origin.Source(origin: origin) }
    }

    private static let reference = try? ImageReference(parsing: "ghcr.io/archipelag-io/x:v1.0.0")

    private func admit(_ name: String, _ admission: SignatureAdmission, key: String? = nil) async throws {
        let cases = try JSONValue(parsing: try Self.bytes("cases.json"))["cases"]?.array ?? []
        let one = try #require(cases.first { $0["name"]?.string == name })
        let signer: CoordinatorMessage.Signer
        if let key = key ?? one["key"]?.string {
            signer = .key(String(decoding: try Self.bytes(key), as: UTF8.self))
        } else {
            signer = .identity(one["identity"]?.string ?? "", issuer: one["issuer"]?.string ?? "")
        }
        let digest = try Digest(one["image_digest"]?.string ?? "")
        try await admission.admit(try #require(Self.reference), digest: digest, signers: [signer])
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
}

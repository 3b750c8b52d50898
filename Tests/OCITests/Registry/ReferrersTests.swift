import Foundation
import Synchronization
import Testing

@testable import OCI

/// Referrers with registries that list them, that do not, and that are written to by others.
@Suite(.timeLimit(.minutes(5))) struct ReferrersTests {
    /// A registry in memory that keeps manifests by tag and digest, and takes every blob.
    private final class Memory: Sendable {
        let manifests = Mutex<[String: [UInt8]]>([:])
        /// Whether it lists referrers itself, as distribution specification 1.1 wants.
        let listsReferrers: Bool
        /// Lists that another writer puts in place right after ours.
        let intruders = Mutex<[[UInt8]]>([])

        init(listsReferrers: Bool) { self.listsReferrers = listsReferrers }

        func answer(_ request: FakeRegistry.Request) -> FakeRegistry.Answer {
            let last = request.path.split(separator: "/").last.map(String.init) ?? ""
            if request.path.contains("/blobs/uploads/") {
                return request.method == "POST"
                    ? .init(status: 202, headers: [("Location", "/v2/test/image/blobs/uploads/1")])
                    : .init(status: request.method == "PUT" ? 201 : 202, headers: [("Location", "/v2/test/image/blobs/uploads/1")])
            }
            if request.path.contains("/blobs/") { return .init(status: 404) }
            if request.path.contains("/referrers/") { return .init(status: 404) }
            if request.method == "PUT" {
                let digest = "\(Digest.sha256(of: request.body))"
                manifests.withLock {
                    $0[last] = request.body
                    $0[digest] = request.body
                    if last.hasPrefix("sha256-"), let intruder = intruders.withLock({ $0.popLast() }) { $0[last] = intruder }
                }
                let hasSubject = String(decoding: request.body, as: UTF8.self).contains("\"subject\"")
                return .init(status: 201, headers: listsReferrers && hasSubject ? [("OCI-Subject", "x")] : [])
            }
            guard let manifest = manifests.withLock({ $0[last] }) else { return .init(status: 404) }
            return .init(headers: [("Content-Type", "application/json")], body: manifest)
        }
    }

    private static let subject = Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: Array("image".utf8)), size: 5)
    private static let type = "application/spdx+json"

    private func with(_ memory: Memory, _ body: (RegistryClient, ImageReference, FakeRegistry) async throws -> Void) async throws {
        let registry = try await FakeRegistry { memory.answer($0) }
        let client = RegistryClient()
        let result: Result<Void, any Error>
        do { result = .success(try await body(client, try ImageReference(parsing: registry.reference()), registry)) } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        try await registry.stop()
        try result.get()
    }

    @Test func aRegistryThatListsReferrersGetsTheArtifactAlone() async throws {
        try await with(Memory(listsReferrers: true)) { client, reference, registry in
            let attached = try await client.attach(Array("{}".utf8), artifactType: Self.type, to: Self.subject, in: reference)
            let puts = registry.requests.filter { $0.method == "PUT" && $0.path.contains("/manifests/") }
            #expect(puts.map(\.path) == ["/v2/test/image/manifests/\(attached.digest)"], "by digest: the image's tag stays where it is")
            let manifest = try JSONDocument.decode(ImageManifest.self, from: puts.first?.body ?? [], place: "manifest")
            #expect(manifest.subject == Self.subject)
            #expect(manifest.artifactType == Self.type)
            #expect(manifest.layers.map(\.mediaType) == [Self.type])
        }
    }

    @Test func otherwiseTheFallbackTagIsMovedToAListWithItAndWhatWasThere() async throws {
        try await with(Memory(listsReferrers: false)) { client, reference, _ in
            let first = try await client.attach(Array("1".utf8), artifactType: "a/b", to: Self.subject, in: reference)
            let second = try await client.attach(
                Array("2".utf8), artifactType: Self.type, to: Self.subject, in: reference, annotations: ["key": "value"])
            let found = try await client.referrers(of: reference.with(digest: Self.subject.digest))
            #expect(found == [first, second])
            #expect(found.map(\.artifactType) == ["a/b", Self.type])
            #expect(found.last?.annotations == ["key": "value"])
            // Once more: already listed.
            _ = try await client.attach(Array("1".utf8), artifactType: "a/b", to: Self.subject, in: reference)
            #expect(try await client.referrers(of: reference.with(digest: Self.subject.digest)).count == 2)
        }
    }

    @Test func aListThatAnotherWriterReplacedIsWrittenAgain() async throws {
        let memory = Memory(listsReferrers: false)
        let other = Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: [1]), size: 1)
        let list = try JSONDocument.encode(ImageIndex(manifests: [other]))
        memory.intruders.withLock { $0 = [list, list] }
        try await with(memory) { client, reference, _ in
            let own = try await client.attach(Array("1".utf8), artifactType: Self.type, to: Self.subject, in: reference)
            #expect(try await client.referrers(of: reference.with(digest: Self.subject.digest)).map(\.digest) == [other.digest, own.digest])
        }
    }

    @Test func whereOthersWinEveryTimeItIsAnError() async throws {
        let memory = Memory(listsReferrers: false)
        let list = try JSONDocument.encode(ImageIndex(manifests: [Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: [1]), size: 1)]))
        memory.intruders.withLock { $0 = Array(repeating: list, count: 10) }
        try await with(memory) { client, reference, _ in
            #expect(
                await code { _ = try await client.attach([1], artifactType: Self.type, to: Self.subject, in: reference) } == "protocol_violation")
        }
    }

    /// One entry that cannot be used spoils the list for who needs all of it, and not for who takes what there is.
    @Test func aListThatCannotBeReadIsGivenAsItIs() async throws {
        let memory = Memory(listsReferrers: false)
        let list = Array(#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[{"digest":"garbage"}]}"#.utf8)
        memory.manifests.withLock { $0["sha256-\(Self.subject.digest.hex)"] = list }
        try await with(memory) { (client, reference, _) async throws -> Void in
            let image = reference.with(digest: Self.subject.digest)
            #expect(try await client.referrersIndex(of: image) == list)
            await #expect(throws: OCIError.self) { try await client.referrers(of: image) }
            #expect(try await client.referrersIndex(of: reference.with(digest: .sha256(of: []))) == nil)
        }
    }

    @Test func aFullListIsRefused() async throws {
        let memory = Memory(listsReferrers: false)
        let many = (0..<ImageLimits().manifestsMax).map {
            Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: [UInt8($0)]), size: 1)
        }
        let tag = "sha256-\(Self.subject.digest.hex)"
        let list = try JSONDocument.encode(ImageIndex(manifests: many))
        memory.manifests.withLock { $0[tag] = list }
        try await with(memory) { client, reference, _ in
            #expect(await code { _ = try await client.attach([1], artifactType: Self.type, to: Self.subject, in: reference) } == "limit_exceeded")
        }
    }
}

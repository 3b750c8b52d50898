import Foundation
import TestSupport
import Testing

@testable import OCI

@Suite struct ArtifactTests {
    let folder = TemporaryFolder()

    private func store(_ name: String = "store") throws -> ContentStore { try ContentStore(root: folder(name)) }

    private func build(_ store: ContentStore, _ files: [String: String]) async throws -> StoredArtifact {
        var sources: [ArtifactBuilder.File] = []
        for (name, text) in files.sorted(by: { $0.key < $1.key }) {
            let path = folder("source-\(sources.count)")
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            sources.append(.init(source: path, name: name))
        }
        return try await ArtifactBuilder(store: store).build(sources, mediaType: "application/wasm", artifactType: "application/wasm")
    }

    @Test func aFileBecomesABlobAsItIsAndKeepsItsName() async throws {
        let store = try store()
        let artifact = try await build(store, ["module.wasm": "\0asm"])
        #expect(artifact.artifactType == "application/wasm")
        #expect(artifact.files.map(StoredArtifact.name) == ["module.wasm"])
        #expect(artifact.config.mediaType == MediaType.ociEmpty)
        #expect(try await store.read(artifact.files[0].digest, max: 100) == Array("\0asm".utf8))
        #expect(try await build(store, ["module.wasm": "\0asm"]) == artifact, "equal files give the equal digest")
        #expect(try await store.content(artifact.digest, verification: .everything) == .artifact(artifact))
    }

    @Test func anArtifactIsNoImageAndAnImageIsNone() async throws {
        let store = try store()
        let artifact = try await build(store, ["a": "x"])
        #expect(await code { _ = try await store.image(artifact.digest) } == "unsupported_media_type")
        let image = try await TestImage(store: store).make(layers: [TestTar.make { $0.file("a") }])
        #expect(try await store.content(image.digest) == .image(image))
    }

    @Test func aLayoutWithAnArtifactIsImportedWithEveryByteChecked() async throws {
        let store = try store()
        let artifact = try await build(store, ["a": "first", "b": "second"])
        let layout = folder("layout")
        try FileManager.default.createDirectory(atPath: "\(layout)/blobs/sha256", withIntermediateDirectories: true)
        for digest in StoredContent.artifact(artifact).blobs {
            try FileManager.default.copyItem(atPath: store.path(of: digest), toPath: "\(layout)/blobs/sha256/\(digest.hex)")
        }
        try #"{"imageLayoutVersion":"1.0.0"}"#.write(toFile: "\(layout)/oci-layout", atomically: true, encoding: .utf8)
        try Data(try JSONDocument.encode(ImageIndex(manifests: [artifact.manifest]))).write(to: URL(fileURLWithPath: "\(layout)/index.json"))
        let imported = try await LayoutImporter(store: try self.store("second")).importContents(at: layout)
        #expect(imported == [.artifact(artifact)])
        #expect(await code { _ = try await LayoutImporter(store: store).importImages(at: layout) } == "unsupported_media_type")
        let blob = "\(layout)/blobs/sha256/\(artifact.files[1].digest.hex)"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: blob)
        try "secund".write(toFile: blob, atomically: false, encoding: .utf8)
        #expect(await code { _ = try await LayoutImporter(store: try self.store("third")).importContents(at: layout) } == "digest_mismatch")
        try FileManager.default.removeItem(atPath: blob)
        #expect(await code { _ = try await LayoutImporter(store: try self.store("fourth")).importContents(at: layout) } == "missing_blob")
    }

    @Test func aStoredFileThatWasChangedOnDiskIsFound() async throws {
        let store = try store()
        let artifact = try await build(store, ["a": "first"])
        let path = store.path(of: artifact.files[0].digest)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        try "fir5t".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(await code { _ = try await store.content(artifact.digest, verification: .everything) } == "digest_mismatch")
    }

    @Test func anArtifactWithoutFilesIsRefused() async throws {
        let store = try store()
        let config = Descriptor(mediaType: MediaType.ociEmpty, digest: try await store.store(Array("{}".utf8)), size: 2)
        let manifest = try JSONDocument.encode(ImageManifest(config: config, layers: [], artifactType: "x/y"))
        let digest = try await store.store(manifest)
        #expect(await code { _ = try await store.content(digest) } == "malformed_document")
    }

    @Test func aSourceThatIsMissingOrTooLargeIsRefused() async throws {
        let store = try store()
        let builder = ArtifactBuilder(store: store)
        let missing = ArtifactBuilder.File(source: folder("nothing"), name: "a")
        #expect(await code { _ = try await builder.build([missing], mediaType: "x/y", artifactType: nil) } == "not_found")
        try "12345".write(toFile: folder("five"), atomically: true, encoding: .utf8)
        let five = ArtifactBuilder.File(source: folder("five"), name: "a")
        #expect(await code { _ = try await builder.build([five], mediaType: "x/y", artifactType: nil, bytesMax: 4) } != "no error")
        _ = try await builder.build([five], mediaType: "x/y", artifactType: nil, bytesMax: 5)
    }
}

import Foundation
import TestSupport
import Testing

@testable import OCI

@Suite struct LayoutTests {
    let folder = TemporaryFolder()

    func importer(_ limits: ImageLimits = ImageLimits()) throws -> LayoutImporter {
        LayoutImporter(store: try ContentStore(root: folder("store")), limits: limits)
    }

    struct Expected: Decodable {
        var images: [String: Entry]
        var bad: [String: String]

        struct Entry: Decodable {
            var os: OS?
        }

        struct OS: Decodable {
            var Family: String
        }
    }

    static func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/expected.json")))
    }

    @Test func everyGoodFixtureImportsAndUnpacks() async throws {
        for name in try Self.expected().images.keys.sorted() {
            let images = try await importer().importImages(at: "\(fixtures)/images/\(name).tar")
            #expect(images.count == 1, "\(name)")
            let image = try images[0].image(for: .linuxAMD64)
            let store = try ContentStore(root: folder("store"))
            #expect(try await store.image(images[0].digest, verification: .everything) == images[0])
            try await LayerUnpacker(store: store).unpack(image, to: folder("roots/\(name)"))
            #expect(exists(folder("roots/\(name)/proc")))
        }
        #expect(exists(folder("roots/clean/bin/hello")))
    }

    static let badCodes: [String: Set<String>] = [
        "altered-layer": ["digest_mismatch", "size_mismatch"], "truncated-layer": ["digest_mismatch", "size_mismatch"],
        "lying-diff-ids": ["diff_id_mismatch"], "missing-layer": ["missing_blob"], "two-images": ["no error"], "multi-platform": ["no error"],
    ]

    @Test func everyBadFixtureEndsAsExpected() async throws {
        for name in try Self.expected().bad.keys.sorted() {
            let result = await code { _ = try await importer().importImages(at: "\(fixtures)/images/bad/\(name).tar") }
            #expect(try #require(Self.badCodes[name], "a new fixture").contains(result), "\(name): \(result)")
        }
    }

    @Test func aBadLayoutIsRefusedAlsoWhenTheGoodBlobsAreInTheStore() async throws {
        _ = try await importer().importImages(at: "\(fixtures)/images/vulnerable.tar")
        for name in ["altered-layer", "truncated-layer", "lying-diff-ids", "missing-layer"] {
            let result = await code { _ = try await importer().importImages(at: "\(fixtures)/images/bad/\(name).tar") }
            #expect(Self.badCodes[name]?.contains(result) == true, "\(name): \(result)")
        }
    }

    @Test func noImageHidesBehindAnother() async throws {
        #expect(try await importer().importImages(at: "\(fixtures)/images/bad/two-images.tar").count == 2)
        let images = try await importer().importImages(at: "\(fixtures)/images/bad/multi-platform.tar")
        #expect(images.count == 1)
        #expect(images[0].images.count == 2)
    }

    @Test func dockerSaveIsTheSameImage() async throws {
        let saved = try await importer().importImages(at: "\(fixtures)/images/vulnerable.docker-save.tar")
        let layout = try await importer().importImages(at: "\(fixtures)/images/vulnerable.tar")
        #expect(saved[0].images[0].configDigest == layout[0].images[0].configDigest)
        #expect(saved[0].images[0].configuration == layout[0].images[0].configuration)
        #expect(saved[0].images[0].layers.map(\.mediaType) == [MediaType.ociLayer, MediaType.ociLayer])
    }

    @Test func aFolderIsReadAndLinksInItAreNot() async throws {
        try FileManager.default.createDirectory(atPath: folder("layout"), withIntermediateDirectories: true)
        try run("/bin/tar", ["-xf", "\(fixtures)/images/clean.tar", "-C", folder("layout")])
        #expect(try await importer().importImages(at: folder("layout")).count == 1)
        try FileManager.default.moveItem(atPath: folder("layout/blobs"), toPath: folder("elsewhere"))
        try FileManager.default.createSymbolicLink(atPath: folder("layout/blobs"), withDestinationPath: folder("elsewhere"))
        let result = await code { _ = try await importer().importImages(at: folder("layout")) }
        #expect(["malformed_document", "missing_blob"].contains(result))
    }

    @Test func whatIsNoImageIsRefused() async throws {
        try folder.write([], to: "empty.tar")
        try folder.write(Array("hello".utf8), to: "text")
        try folder.write([0x1f, 0x8b, 8, 0, 0], to: "packed.tar.gz")
        try folder.write(Array("{}".utf8), to: "nolayout/index.json")
        try folder.write(Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8), to: "newer/oci-layout")
        try folder.write(Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8), to: "newer/index.json")
        try folder.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "hollow/oci-layout")
        try folder.write(Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8), to: "hollow/index.json")
        try folder.write(
            TestTar.make {
                $0.file("index.json", "{}"); $0.file("index.json", "{}")
            }, to: "twice.tar")
        try folder.write(TestTar.make { $0.file("manifest.json", #"[{"Config":"../../../etc/passwd","Layers":[]}]"#) }, to: "outward.tar")
        try folder.write(
            TestTar.make {
                $0.file("manifest.json", #"[{"Config":"c","Layers":["l"]}]"#); $0.file("c", "{}")
            }, to: "nolayer.tar")
        for (name, expected) in [
            ("none", "not_found"), ("empty.tar", "malformed_document"), ("text", "hostile_layer"), ("packed.tar.gz", "malformed_document"),
            ("nolayout", "malformed_document"), ("newer", "malformed_document"), ("hollow", "malformed_document"),
            ("twice.tar", "malformed_document"), ("outward.tar", "missing_blob"), ("nolayer.tar", "missing_blob"),
        ] {
            #expect(await code { _ = try await importer().importImages(at: folder(name)) } == expected, "\(name)")
        }
    }

    @Test func theExportHoldsExactlyOneManifestAndImportsAgain() async throws {
        let images = try await importer().importImages(at: "\(fixtures)/images/bad/multi-platform.tar")
        let store = try ContentStore(root: folder("store"))
        let exporter = LayoutExporter(store: store)
        for (number, image) in images[0].images.enumerated() {
            for copying in [false, true] {
                let place = folder("export-\(number)-\(copying)")
                try await exporter.export(image, to: place, copying: copying)
                let index = try JSONDecoder().decode(ImageIndex.self, from: Data(try readFile("\(place)/index.json")))
                #expect(index.manifests.map(\.digest) == [image.manifestDigest])
                var status = stat()
                #expect(lstat("\(place)/blobs/sha256/\(image.configDigest.hex)", &status) == 0)
                #expect((status.st_nlink > 1) == !copying)
                #expect(status.st_mode & 0o7777 == 0o444)
                let again = try await LayoutImporter(store: try ContentStore(root: folder("second"))).importImages(at: place)
                #expect(again.map(\.digest) == [image.manifestDigest])
            }
        }
        #expect(await code { try await exporter.export(images[0].images[0], to: folder("export-0-true")) } == "storage_failure")
    }
}

@Suite struct LayerCheckTests {
    let folder = TemporaryFolder()

    func compress(_ program: String, _ bytes: [UInt8]) throws -> [UInt8]? {
        guard let path = findProgram(program) else {
            print("skipped: \(program) is not on PATH")
            return nil
        }
        try folder.write(bytes, to: "plain")
        let result = try run("/bin/sh", ["-c", "\(path) -q -c < '\(folder("plain"))' > '\(folder("packed"))'"])
        #expect(result.status == 0)
        return try readFile(folder("packed"))
    }

    func open(_ layer: [UInt8], _ mediaType: String, diffID: Digest, limits: ImageLimits = ImageLimits()) async throws -> StoredImage {
        let store = try ContentStore(root: folder("store"))
        let manifest = try await TestImage(store: store).manifest(layers: [layer], diffIDs: [diffID], mediaType: mediaType)
        return try await store.image(manifest.digest, verification: .everything, limits: limits)
    }

    @Test(arguments: [("gzip", MediaType.ociLayerGzip), ("gzip", MediaType.dockerLayerGzip), ("zstd", MediaType.ociLayerZstd)])
    func compressedLayersAreChecked(program: String, mediaType: String) async throws {
        let tar = TestTar.make { $0.file("a", "hello") }
        guard let packed = try compress(program, tar) else { return }
        let diffID = Digest.sha256(of: tar)
        let image = try await open(packed, mediaType, diffID: diffID)
        try await LayerUnpacker(store: try ContentStore(root: folder("store"))).unpack(image.images[0], to: folder("root"))
        #expect(exists(folder("root/a")))
        #expect(await code { _ = try await open(packed, mediaType, diffID: .sha256(of: [])) } == "diff_id_mismatch")
        #expect(await code { _ = try await open(tar, mediaType, diffID: diffID) } == "hostile_layer")
        #expect(await code { _ = try await open(Array(packed.dropLast(10)), mediaType, diffID: diffID) } == "hostile_layer")
        #expect(await code { _ = try await open(packed, MediaType.ociLayer, diffID: diffID) } == "diff_id_mismatch")
        guard let twice = try compress("gzip", packed) else { return }
        #expect(["hostile_layer", "diff_id_mismatch"].contains(await code { _ = try await open(twice, MediaType.ociLayerGzip, diffID: diffID) }))
    }

    @Test func aZipBombEndsAtTheLimit() async throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        guard let bomb = try compress("gzip", zeros) else { return }
        #expect(bomb.count < 20_000)
        var limits = ImageLimits()
        limits.uncompressedLayerBytesMax = 8 << 20
        #expect(await code { _ = try await open(bomb, MediaType.ociLayerGzip, diffID: .sha256(of: zeros), limits: limits) } == "no error")
        limits.uncompressedLayerBytesMax -= 1
        #expect(await code { _ = try await open(bomb, MediaType.ociLayerGzip, diffID: .sha256(of: zeros), limits: limits) } == "limit_exceeded")
    }

    @Test(arguments: [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/wasm",
    ])
    func otherLayersAreRefused(mediaType: String) async {
        #expect(await code { _ = try await open([1], mediaType, diffID: .sha256(of: [1])) } == "unsupported_media_type")
    }

    @Test func damagedCompressionIsAnErrorOfOurs() async throws {
        guard let packed = try compress("gzip", TestTar.make { $0.file("a", String(repeating: "text ", count: 1000)) }) else { return }
        var random = SplitMix64(state: 42)
        for round in 0..<100 {
            var bytes = packed
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            let result = await code { _ = try await open(bytes, MediaType.ociLayerGzip, diffID: .sha256(of: [1])) }
            #expect(["hostile_layer", "diff_id_mismatch", "limit_exceeded"].contains(result), "seed 42, round \(round): \(result)")
        }
    }
}

import Foundation
import OCI
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Island

/// Images on disk: shared layers, room, and what a crash leaves.
@Suite(.enabled(if: geteuid() == 0, "mounts need root"), .serialized) struct ImageCabinetTests {
    private static let reference = "127.0.0.1:9/island/test:v1.0.0"

    /// A cabinet in a folder of its own. Its registry is down: what is not in the store cannot be had.
    private final class World: Sendable {
        let folder: String
        let client = RegistryClient(configuration: RegistryConfiguration())
        let forgotten = Mutex<[String]>([])

        init() throws {
            folder = try makeTemporaryFolder("archipelago-cabinet")
        }

        func cabinet(bytesMax: Int64 = 1 << 30) async throws -> ImageCabinet {
            try await ImageCabinet(
                registry: client, configuration: .init(folder: folder, platform: .linuxAMD64, idOffset: 100_000, bytesMax: bytesMax)
            ) { [self] root in forgotten.withLock { $0.append(root) } }
        }

        /// Puts an image of these layers into the cabinet's store, as if it had been fetched.
        func put(_ layers: [[UInt8]]) async throws -> Digest {
            let store = try ContentStore(root: folder + "/blobs")
            let diffIDs = layers.map { Digest.sha256(of: $0) }
            let configuration = Array(
                """
                {"architecture":"amd64","os":"linux","config":{"Entrypoint":["/run"]},"rootfs":{"type":"layers","diff_ids":\(Self.list(diffIDs))}}
                """.utf8)
            func descriptor(_ bytes: [UInt8], _ type: String) async throws -> String {
                "{\"mediaType\":\"application/vnd.oci.image.\(type)\",\"digest\":\"\(try await store.store(bytes))\",\"size\":\(bytes.count)}"
            }
            var rows: [String] = []
            for layer in layers { rows.append(try await descriptor(layer, "layer.v1.tar")) }
            let manifest = """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\(try await descriptor(configuration, "config.v1+json")),\
                "layers":[\(rows.joined(separator: ","))]}
                """
            return try await store.store(Array(manifest.utf8))
        }

        private static func list(_ digests: [Digest]) -> String { "[" + digests.map { "\"\($0)\"" }.joined(separator: ",") + "]" }

        func layerCount() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: folder + "/layers").count }

        func close(_ cabinet: ImageCabinet?) async throws {
            try await cabinet?.close()
            try await client.shutdown()
            #expect(try OverlayMounts.mountPoints(below: folder).isEmpty)
            try FileManager.default.removeItem(atPath: folder)
        }
    }

    private static func use<Value: Sendable>(
        _ cabinet: ImageCabinet, _ digest: Digest, _ body: @Sendable (String) async throws -> Value
    ) async throws -> Value {
        try await cabinet.withImage(ImageReference(parsing: reference), digest: digest) { try await body($0.rootFolder) }
    }

    private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// Everything in a folder, with what a Cargo can see of it.
    private static func tree(_ root: String) throws -> [String: String] {
        var tree: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
            var facts = stat()
            try #require(lstat("\(root)/\(name)", &facts) == 0)
            let content =
                switch facts.st_mode & S_IFMT {
                case S_IFREG: try text("\(root)/\(name)")
                case S_IFLNK: try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(name)")
                default: ""
                }
            tree[name] = "\(String(facts.st_mode, radix: 8)) \(facts.st_uid) \(facts.st_gid) \(content)"
        }
        return tree
    }

    @Test func imagesShareTheLayersThatTheyBeginWith() async throws {
        let world = try World()
        let cabinet = try await world.cabinet()
        let base = TestTar.make { tar in for name in ["etc/base", "etc/gone", "etc/changed"] { tar.file(name, "base") } }
        let one = try await world.put([
            base,
            TestTar.make {
                $0.file("one", "1"); $0.file("etc/.wh.gone", ""); $0.file("etc/changed", "one")
            },
        ])
        let two = try await world.put([base, TestTar.make { $0.file("two", "2") }])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await Self.use(cabinet, one) { (root) async throws -> Void in
                        #expect(try Self.text(root + "/etc/changed") == "one")
                        #expect(try Self.text(root + "/etc/base") == "base")
                        #expect(access(root + "/etc/gone", F_OK) != 0 && access(root + "/two", F_OK) != 0)
                        #expect(FileManager.default.createFile(atPath: root + "/written", contents: nil) == false)
                    }
                }
                group.addTask {
                    try await Self.use(cabinet, two) { (root) async throws -> Void in
                        #expect(try Self.text(root + "/etc/gone") == "base")
                        #expect(try Self.text(root + "/etc/changed") == "base")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try world.layerCount() == 3)
        try await world.close(cabinet)
    }

    /// Chance: layer by layer gives what all at once gives, through whatever links.
    @Test func layersGiveWhatTheWholeImageGives() async throws {
        let world = try World()
        let cabinet = try await world.cabinet()
        let store = try ContentStore(root: world.folder + "/blobs")
        var options = UnpackOptions()
        options.idOffset = 100_000
        var compared = 0
        for seed in 0..<50 {
            let digest = try await world.put(TestTar.madeUpLayers(seed: UInt64(seed)))
            let whole = "\(world.folder)/whole-\(seed)"
            let image = try await store.image(digest).images[0]
            let isFine = (try? await LayerUnpacker(store: store, options: options).unpack(image, to: whole)) != nil
            do {
                let tree = try await Self.use(cabinet, digest) { try Self.tree($0) }
                let expected = isFine ? try Self.tree(whole) : [:]
                #expect(expected == tree, "seed \(seed)")
                compared += 1
            } catch let error as OCIError {
                #expect(!isFine, "seed \(seed): \(error)")
            }
        }
        #expect(compared > 20, "\(compared)")
        try await world.close(cabinet)
    }

    @Test func whatACrashLeftIsRemovedAndTheRestIsUsedAgain() async throws {
        let world = try World()
        let base = TestTar.make { $0.file("a", "1") }
        let first = try await world.cabinet()
        let digest = try await world.put([base, TestTar.make { $0.file("b", "2") }])
        let root = try await Self.use(first, digest) { $0 }
        // As after a kill: the mount stands, a layer is half there, one has no image, and a note is cut off.
        for name in ["unpacking-9/files", "7/files"] {
            try FileManager.default.createDirectory(atPath: "\(world.folder)/layers/\(name)", withIntermediateDirectories: true)
        }
        try Data("{".utf8).write(to: URL(fileURLWithPath: world.folder + "/images/sha256-\(String(repeating: "0", count: 64))"))
        let stray = try await ContentStore(root: world.folder + "/blobs").store(Array("stray".utf8))
        #expect(try OverlayMounts.mountPoints(below: world.folder) == [root])

        let second = try await world.cabinet()
        #expect(try OverlayMounts.mountPoints(below: world.folder).isEmpty)
        #expect(try world.layerCount() == 2)
        #expect(try ContentStore(root: world.folder + "/blobs").contains(stray) == false)
        let number = try FileManager.default.attributesOfItem(atPath: world.folder + "/layers/1/layer.json")[.systemFileNumber] as? UInt64
        #expect(try await Self.use(second, digest) { try Self.text($0 + "/b") } == "2")
        #expect(try FileManager.default.attributesOfItem(atPath: world.folder + "/layers/1/layer.json")[.systemFileNumber] as? UInt64 == number)
        try await world.close(second)
    }

    @Test func whatWasNotUsedForLongestGoesFirst() async throws {
        let world = try World()
        let mebibyte = String(repeating: "x", count: 1 << 20)
        let base = TestTar.make { $0.file("base", mebibyte) }
        // A base of 1 MiB and three images of 1 MiB each, packed and unpacked, are 8 MiB.
        let cabinet = try await world.cabinet(bytesMax: 7 << 20)
        var digests: [Digest] = []
        for name in ["a", "b", "c"] { digests.append(try await world.put([base, TestTar.make { $0.file(name, mebibyte) }])) }
        let roots = Mutex<[String]>([])
        for digest in [digests[0], digests[1], digests[0], digests[2]] {
            try await Self.use(cabinet, digest) { root in roots.withLock { $0.append(root) } }
        }
        // The second was used before the first was used again.
        let second = roots.withLock { $0[1] }
        #expect(world.forgotten.withLock { $0 } == [second])
        #expect(access(second, F_OK) != 0)
        #expect(try world.layerCount() == 3)
        #expect(try await Self.use(cabinet, digests[0]) { access($0 + "/base", F_OK) } == 0)
        // Its layer is fetched anew, and the registry is down.
        await #expect(throws: OCIError.self) { try await Self.use(cabinet, digests[1]) { _ in } }
        try await world.close(cabinet)
    }

    @Test func whatAJobRunsInStays() async throws {
        let world = try World()
        let cabinet = try await world.cabinet(bytesMax: 1)
        let tars = ["a", "b"].map { name in TestTar.make { $0.file(name, name) } }
        let (one, other) = (try await world.put([tars[0], tars[1]]), try await world.put([tars[1], tars[0]]))
        try await Self.use(cabinet, one) { (root) async throws -> Void in
            try await Self.use(cabinet, other) { _ in }
            #expect(try Self.text(root + "/a") == "a")
        }
        // Now it is the older one, and nobody's.
        try await Self.use(cabinet, other) { _ in }
        #expect(try world.layerCount() == 2)
        try await world.close(cabinet)
    }

    @Test func anImageOfDamagedLayersLeavesNothing() async throws {
        let world = try World()
        let cabinet = try await world.cabinet()
        let digest = try await world.put([TestTar.make { $0.file("a") }, TestTar.make { $0.file("../../escaped") }])
        let error = await #expect(throws: OCIError.self) { try await Self.use(cabinet, digest) { _ in } }
        #expect(error?.code == .hostileLayer)
        // The good layer below may stay for others until the cabinet is opened again.
        #expect(try world.layerCount() <= 1)
        let again = try await world.cabinet()
        #expect(try world.layerCount() == 0)
        try await world.close(again)
    }
}

import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import OCI

/// A real `docker-registry` (CNCF distribution) on a free port of loopback, ended with its last reference.
final class DockerRegistry: Sendable {
    let host: String
    // Safety: only started in the initialiser and ended in deinit.
    private struct Box: @unchecked Sendable {
        let process = Process()
    }

    private let box = Box()

    init(_ program: String, folder: String) async throws {
        // A port that was free a moment ago; the registry cannot choose one itself.
        let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        host = "127.0.0.1:\(probe.localAddress?.port ?? 0)"
        try await probe.close()
        let settings = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(folder)/registry}, delete: {enabled: true}}
            http: {addr: "\(host)"}
            """
        try settings.write(toFile: "\(folder)/registry.yml", atomically: true, encoding: .utf8)
        let process = box.process
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["serve", "\(folder)/registry.yml"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        for _ in 0..<100_000 {
            // swift-format-ignore: NeverForceUnwrap
            if let channel = try? await bootstrap.connect(host: "127.0.0.1", port: Int(host.split(separator: ":")[1])!).get() {
                try await channel.close()
                return
            }
            await Task.yield()
        }
        throw OCIError(.registryUnavailable, "docker-registry did not start")
    }

    deinit {
        box.process.terminate()
        box.process.waitUntilExit()
    }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct LiveRegistryTests {
    let folder = TemporaryFolder()

    func registry() async throws -> DockerRegistry? {
        guard let program = findProgram("docker-registry") else {
            print("skipped: docker-registry is not on PATH (Debian: apt-get install docker-registry)")
            return nil
        }
        return try await DockerRegistry(program, folder: folder.path)
    }

    @Test func pushesResolvesAndPullsEveryFixture() async throws {
        guard let registry = try await registry() else { return }
        let client = RegistryClient()
        let store = try ContentStore(root: folder("first"))
        for name in ["clean", "vulnerable", "java", "bad/multi-platform", "vulnerable.docker-save"] {
            let image = try await LayoutImporter(store: store).importImages(at: "\(fixtures)/images/\(name).tar")[0]
            let tagged = try ImageReference(parsing: "\(registry.host)/fixtures/\(name.split(separator: "/").last!):v1.0.0")
            let pushed = try await ImagePusher(client: client, store: store).push(image, to: tagged)
            #expect(try await client.resolve(tagged) == image.descriptor.plain)
            let second = try ContentStore(root: folder("second"))
            let pulled = try await ImagePuller(client: client, store: second).pull(pushed)
            #expect(pulled.images.map(\.configDigest) == image.images.map(\.configDigest))
            try await LayerUnpacker(store: second).unpack(pulled.images[0], to: folder("roots/\(name)"))
            // Again, with everything there already.
            #expect(try await ImagePuller(client: client, store: second).pull(pushed) == pulled)
        }
        #expect(await code { _ = try await client.resolve(try ImageReference(parsing: "\(registry.host)/fixtures/clean:v9")) } == "not_found")
        #expect(await code { _ = try await client.resolve(try ImageReference(parsing: "\(registry.host)/fixtures/none:v1")) } == "not_found")
        #expect(try await client.referrers(of: try ImageReference(parsing: "\(registry.host)/fixtures/clean@\(RegistryClientTests.digest)")).isEmpty)
        try await client.shutdown()
    }

    @Test func aBlobInManyChunksArrivesWhole() async throws {
        guard let registry = try await registry() else { return }
        var configuration = RegistryConfiguration()
        configuration.uploadChunkBytes = 1 << 20
        let client = RegistryClient(configuration: configuration)
        let store = try ContentStore(root: folder("first"))
        var random = SplitMix64(state: 1)
        let bytes = (0..<(5 << 20) / 8 + 3).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        let blob = Descriptor(mediaType: "x", digest: try await store.store(bytes), size: Int64(bytes.count))
        let reference = try ImageReference(parsing: "\(registry.host)/chunks/test:v1")
        try await client.pushBlob(blob, from: store, to: reference)
        let second = try ContentStore(root: folder("second"))
        try await client.download(blob, of: reference, into: second)
        try await second.verify(blob)
        try await client.shutdown()
    }

    @Test func liesInARegistryAreFound() async throws {
        guard let registry = try await registry() else { return }
        let client = RegistryClient()
        let store = try ContentStore(root: folder("first"))
        let tar = TestTar.make { $0.file("a", "x") }
        let lying = try await TestImage(store: store).make(layers: [tar], diffIDs: [.sha256(of: [])])
        let reference = try ImageReference(parsing: "\(registry.host)/lies/image:v1")
        let pushed = try await ImagePusher(client: client, store: store).push(lying, to: reference)
        let second = try ContentStore(root: folder("second"))
        #expect(await code { _ = try await ImagePuller(client: client, store: second).pull(pushed) } == "diff_id_mismatch")
        #expect(await code { _ = try await ImagePuller(client: client, store: second).pull(reference) } == "invalid_reference")
        try await client.shutdown()
    }

    @Test func skopeoReadsWhatWePushAndWePullWhatSkopeoPushes() async throws {
        guard let skopeo = findProgram("skopeo") else {
            print("skipped: skopeo is not on PATH (Debian: apt-get install skopeo)")
            return
        }
        guard let registry = try await registry() else { return }
        let client = RegistryClient()
        let store = try ContentStore(root: folder("first"))
        let image = try await LayoutImporter(store: store).importImages(at: "\(fixtures)/images/vulnerable.tar")[0]
        let ours = try ImageReference(parsing: "\(registry.host)/skopeo/ours:v1")
        try await ImagePusher(client: client, store: store).push(image, to: ours)
        let policy = ["--insecure-policy"]
        let out = try run(skopeo, policy + ["copy", "--src-tls-verify=false", "docker://\(ours)", "oci:\(folder("skopeo")):v1"])
        #expect(out.status == 0, "\(out.output)")
        let back = try await LayoutImporter(store: try ContentStore(root: folder("back"))).importImages(at: folder("skopeo"))
        #expect(back.map(\.digest) == [image.digest])
        // Docker's schema 2, as skopeo converts it.
        let theirs = try ImageReference(parsing: "\(registry.host)/skopeo/theirs:v1")
        let push = try run(
            skopeo,
            policy + ["copy", "--format=v2s2", "--dest-tls-verify=false", "oci-archive:\(fixtures)/images/vulnerable.tar", "docker://\(theirs)"])
        #expect(push.status == 0, "\(push.output)")
        let resolved = try await client.resolve(theirs)
        #expect(resolved.mediaType == MediaType.dockerManifest)
        let second = try ContentStore(root: folder("second"))
        let pulled = try await ImagePuller(client: client, store: second).pull(theirs.with(digest: resolved.digest))
        #expect(pulled.images[0].configuration.diffIDs == image.images[0].configuration.diffIDs)
        let builder = ImageBuilder(store: store)
        let built = try await builder.build(
            .init(
                content: .files([.init(source: "/bin/true", destination: "/bin/true")]), platform: .linuxAMD64,
                process: .init(entrypoint: ["/bin/true"])))
        let builtReference = try ImageReference(parsing: "\(registry.host)/skopeo/built:v1")
        try await ImagePusher(client: client, store: store).push(try await store.image(built.digest), to: builtReference)
        let inspect = try run(skopeo, policy + ["inspect", "--config", "--tls-verify=false", "docker://\(builtReference)"])
        #expect(inspect.output.contains("/bin/true"), "\(inspect.output)")
        try await client.shutdown()
    }
}

extension Descriptor {
    /// Without what only an index says.
    var plain: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }
}

import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import OCI

@Suite(.timeLimit(.minutes(5))) struct RegistryClientTests {
    let folder = TemporaryFolder()

    static let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
    static let manifest: [UInt8] = {
        let descriptor = Descriptor(mediaType: MediaType.ociConfiguration, digest: .sha256(of: config), size: Int64(config.count))
        // swift-format-ignore: NeverUseForceTry
        return try! JSONDocument.encode(ImageManifest(config: descriptor, layers: []))
    }()
    static let digest = Digest.sha256(of: manifest)

    /// Waits are not waited; they are written down.
    final class Waits: Sendable {
        let all = Mutex<[Duration]>([])
        var timing: RegistryTiming {
            var timing = RegistryTiming.live
            timing.sleep = { wait in self.all.withLock { $0.append(wait) } }
            timing.jitter = { 0.5 }
            return timing
        }
    }

    func with<Result>(
        _ configuration: RegistryConfiguration = RegistryConfiguration(), waits: Waits = Waits(), _ body: (RegistryClient) async throws -> Result
    ) async throws -> Result {
        let client = RegistryClient(configuration: configuration, timing: waits.timing)
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    static func manifestAnswer(_ digest: String? = nil) -> FakeRegistry.Answer {
        var answer = FakeRegistry.Answer(headers: [("Content-Type", MediaType.ociManifest)], body: manifest)
        if let digest { answer.headers.append(("Docker-Content-Digest", digest)) }
        return answer
    }

    func resolveCode(
        _ answer: @escaping @Sendable (FakeRegistry.Request) -> FakeRegistry.Answer, rest: String = "test/image:v1",
        configuration: RegistryConfiguration = RegistryConfiguration()
    ) async throws -> String {
        let registry = try await FakeRegistry(answer)
        let reference = try ImageReference(parsing: registry.reference(rest))
        let result = await code { _ = try await with(configuration) { try await $0.resolve(reference) } }
        try await registry.stop()
        return result
    }

    @Test func aManifestIsKnownByItsOwnBytes() async throws {
        let other = Digest.sha256(of: [1])
        #expect(try await resolveCode { _ in Self.manifestAnswer(Self.digest.description) } == "no error")
        #expect(try await resolveCode { _ in Self.manifestAnswer() } == "no error")
        #expect(try await resolveCode { _ in Self.manifestAnswer(other.description) } == "digest_mismatch")
        #expect(try await resolveCode { _ in Self.manifestAnswer("nonsense") } == "invalid_digest")
        #expect(try await resolveCode({ _ in Self.manifestAnswer() }, rest: "test/image@\(Self.digest)") == "no error")
        #expect(try await resolveCode({ _ in Self.manifestAnswer() }, rest: "test/image@\(other)") == "digest_mismatch")
        #expect(try await resolveCode({ _ in Self.manifestAnswer() }, rest: "test/image") == "invalid_reference")
    }

    @Test(arguments: [
        (401, "unauthorized"), (403, "forbidden"), (404, "not_found"), (429, "rate_limited"), (500, "registry_unavailable"),
        (503, "registry_unavailable"), (418, "protocol_violation"), (204, "protocol_violation"),
    ])
    func errorsAreToldApart(status: Int, expected: String) async throws {
        #expect(try await resolveCode { _ in .init(status: status) } == expected)
    }

    @Test func whatIsNoManifestIsRefused() async throws {
        #expect(try await resolveCode { _ in .init(headers: [("Content-Type", "text/html")], body: Array("<html>".utf8)) } == "malformed_document")
        #expect(try await resolveCode { _ in .init(body: [UInt8](repeating: 32, count: (4 << 20) + 1)) } == "limit_exceeded")
        #expect(try await resolveCode { _ in .init(headers: [("Content-Type", MediaType.ociIndex)], body: Self.manifest) } == "malformed_document")
    }

    @Test func aRegistryThatIsNotThereIsUnavailable() async throws {
        let registry = try await FakeRegistry { _ in .init() }
        let reference = try ImageReference(parsing: registry.reference())
        try await registry.stop()
        #expect(await code { _ = try await with { try await $0.resolve(reference) } } == "registry_unavailable")
    }

    @Test func aSilentRegistryIsUnavailable() async throws {
        var configuration = RegistryConfiguration()
        configuration.requestTimeout = .milliseconds(200)
        configuration.attemptsMax = 2
        #expect(try await resolveCode({ _ in .init(isSilent: true) }, configuration: configuration) == "registry_unavailable")
    }

    @Test func retriesWaitLongerEachTimeAndAsLongAsAsked() async throws {
        let registry = try await FakeRegistry { request in
            request.query.isEmpty ? .init(status: 503, headers: [("Retry-After", "2")]) : .init()
        }
        let waits = Waits()
        let reference = try ImageReference(parsing: registry.reference())
        var configuration = RegistryConfiguration()
        configuration.retryDelay = .seconds(1)
        #expect(await code { _ = try await with(configuration, waits: waits) { try await $0.resolve(reference) } } == "registry_unavailable")
        #expect(waits.all.withLock { $0 } == [.seconds(2), .seconds(2), .seconds(4)])
        #expect(registry.requests.count == 4)
        try await registry.stop()
    }

    @Test func aTokenIsFetchedOnceAndSentToTheRegistryOnly() async throws {
        let realm = Mutex("")
        let registry = try await FakeRegistry { request in
            if request.path == "/token" { return .init(body: Array(#"{"token":"secret-token","expires_in":300}"#.utf8)) }
            guard request.headers.first(name: "Authorization") == "Bearer secret-token" else {
                return .init(
                    status: 401, headers: [("WWW-Authenticate", #"Bearer realm="\#(realm.withLock { $0 })",service="fake",scope="ignored""#)])
            }
            return Self.manifestAnswer()
        }
        realm.withLock { $0 = "http://\(registry.host)/token" }
        let reference = try ImageReference(parsing: registry.reference())
        var configuration = RegistryConfiguration()
        configuration.credentials[registry.host] = RegistryCredentials(username: "user", password: "pass")
        try await with(configuration) { client in
            _ = try await client.resolve(reference)
            _ = try await client.resolve(reference)
        }
        let requests = registry.requests
        #expect(requests.map(\.path) == ["/v2/test/image/manifests/v1", "/token", "/v2/test/image/manifests/v1", "/v2/test/image/manifests/v1"])
        #expect(requests[1].headers.first(name: "Authorization") == "Basic dXNlcjpwYXNz")
        #expect(requests[1].query.removingPercentEncoding == "service=fake&scope=repository:test/image:pull")
        try await registry.stop()
    }

    @Test func basicCredentialsWorkAndWrongOnesAreTold() async throws {
        let answer: @Sendable (FakeRegistry.Request) -> FakeRegistry.Answer = { request in
            request.headers.first(name: "Authorization") == "Basic dXNlcjpwYXNz"
                ? Self.manifestAnswer() : .init(status: 401, headers: [("WWW-Authenticate", #"Basic realm="x""#)])
        }
        let registry = try await FakeRegistry(answer)
        let reference = try ImageReference(parsing: registry.reference())
        for (password, expected) in [("pass", "no error"), ("wrong", "unauthorized")] {
            var configuration = RegistryConfiguration()
            configuration.credentials[registry.host] = RegistryCredentials(username: "user", password: password)
            #expect(await code { _ = try await with(configuration) { try await $0.resolve(reference) } } == expected)
        }
        #expect(await code { _ = try await with { try await $0.resolve(reference) } } == "unauthorized")
        try await registry.stop()
    }

    @Test func credentialsDoNotFollowARedirectToAnotherOrigin() async throws {
        let other = try await FakeRegistry { request in
            request.headers.contains(name: "Authorization") ? .init(status: 500) : Self.manifestAnswer()
        }
        let registry = try await FakeRegistry { request in
            guard request.headers.contains(name: "Authorization") else {
                return .init(status: 401, headers: [("WWW-Authenticate", #"Basic realm="x""#)])
            }
            return .init(status: 307, headers: [("Location", "http://\(other.host)/elsewhere")])
        }
        let reference = try ImageReference(parsing: registry.reference())
        var configuration = RegistryConfiguration()
        configuration.credentials[registry.host] = RegistryCredentials(username: "user", password: "pass")
        configuration.credentials[other.host] = RegistryCredentials(username: "other", password: "pass")
        let descriptor = try await with(configuration) { try await $0.resolve(reference) }
        #expect(descriptor.digest == Self.digest)
        #expect(other.requests.map(\.path) == ["/elsewhere"])
        #expect(other.requests.allSatisfy { !$0.headers.contains(name: "Authorization") })
        try await registry.stop()
        try await other.stop()
    }

    @Test(arguments: [(5, "no error"), (6, "protocol_violation")])
    func redirectsAreCounted(count: Int, expected: String) async throws {
        let result = try await resolveCode { request in
            let step = Int(request.path.split(separator: "/").last ?? "") ?? 0
            return step == count ? Self.manifestAnswer() : .init(status: 302, headers: [("Location", "/step/\(step + 1)")])
        }
        #expect(result == expected)
    }

    @Test(arguments: [
        "http://example.org/x", "ftp://127.0.0.1/x", "//example.org/x", "", "http://user:pass@127.0.0.1/x", "http://127.0.0.1.example.org/x",
        "file:///etc/passwd",
    ])
    func badRedirectsAreRefusedWithoutGoingThere(location: String) async throws {
        // Loopback registries may lead to https anywhere, but not to unprotected places.
        #expect(try await resolveCode { _ in .init(status: 302, headers: [("Location", location)]) } == "protocol_violation")
    }

    @Test(arguments: [
        ("https://ghcr.io/x", "https://cdn.example.org/y", true), ("https://ghcr.io/x", "/relative", true),
        ("https://ghcr.io/x", "http://ghcr.io/y", false), ("https://ghcr.io/x", "http://127.0.0.1/y", false),
        ("https://ghcr.io/x", "https://127.0.0.1/y", false), ("https://ghcr.io/x", "https://localhost:8443/y", false),
        ("https://ghcr.io/x", "https://[::1]/y", false), ("https://ghcr.io/x", "https://[::ffff:127.0.0.1]/y", false),
        ("https://ghcr.io/x", "javascript:alert(1)", false), ("https://ghcr.io/x", "https://127.1/y", false),
        ("https://ghcr.io/x", "https://2130706433/y", false), ("https://ghcr.io/x", "https://0x7f.1/y", false),
        ("https://ghcr.io/x", "https://0.0.0.0/y", false), ("https://ghcr.io/x", "https://[::]/y", false),
        ("https://ghcr.io/x", "https://[0:0:0:0:0:ffff:7f00:1]/y", false), ("https://ghcr.io/x", "https://localhost./y", false),
        ("https://ghcr.io/x", "https://128.0.0.1/y", true), ("https://ghcr.io/x", "https://[2001:db8::1]/y", true),
    ])
    func aProtectedRegistryLeadsToProtectedPlacesElsewhereOnly(current: String, location: String, allowed: Bool) async throws {
        let policy = try EndpointPolicy(try ImageReference(parsing: "ghcr.io/a/b:c"), configuration: RegistryConfiguration())
        let result = await code { _ = try policy.url(for: location, from: URL(string: current)!) }
        #expect((result == "no error") == allowed, "\(result)")
    }

    @Test func aTokenServiceElsewhereOnPlainHTTPIsRefused() async throws {
        let header = #"Bearer realm="http://example.org/token",service="x""#
        #expect(try await resolveCode { _ in .init(status: 401, headers: [("WWW-Authenticate", header)]) } == "protocol_violation")
    }

    @Test func challengesAreRead() {
        #expect(Challenge.parse([#"Bearer realm="https://a/b",service="c, \"d\"",scope="e""#]) == .bearer(realm: "https://a/b", service: #"c, "d""#))
        #expect(Challenge.parse(["Basic realm=x", "bearer REALM=https://a"]) == .bearer(realm: "https://a", service: nil))
        #expect(Challenge.parse(["Basic"]) == .basic)
        for bad in [
            "", "Bearer", "Bearer realm", "Bearer =x", "Digest realm=x", "Bearer service=\"",
            "Bearer realm=\"x" + String(repeating: "y", count: 5000),
        ] {
            #expect(Challenge.parse([bad]) == nil, "\(bad.prefix(20))")
        }
        var random = SplitMix64(state: 7)
        for _ in 0..<2000 {
            _ = Challenge.parse([String((0..<30).map { _ in Array("Bearer realm=\",\\ x\u{e9}").randomElement(using: &random)! })])
        }
    }

    @Test func credentialsPrintAsStars() {
        let credentials = RegistryCredentials(username: "user", password: "pass-word")
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect("\(credentials)" == "***" && String(reflecting: credentials) == "***" && !dumped.contains("pass-word"))
    }

    // MARK: Blobs

    static let blob = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    static let blobDescriptor = Descriptor(mediaType: MediaType.ociLayer, digest: .sha256(of: blob), size: 300_000)

    func downloadCode(_ answer: @escaping @Sendable (FakeRegistry.Request) -> FakeRegistry.Answer) async throws -> (String, [FakeRegistry.Request]) {
        let registry = try await FakeRegistry(answer)
        let store = try ContentStore(root: folder("store-\(registry.port)"))
        let reference = try ImageReference(parsing: registry.reference())
        let result = await code { try await with { try await $0.download(Self.blobDescriptor, of: reference, into: store) } }
        try await registry.stop()
        #expect(store.contains(Self.blobDescriptor.digest) == (result == "no error"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/ingest").isEmpty)
        return (result, registry.requests)
    }

    @Test func aBrokenDownloadGoesOnWhereItStopped() async throws {
        let (result, requests) = try await downloadCode { request in
            guard let range = request.headers.first(name: "Range") else { return .init(body: Self.blob, breaksAfter: 200_000) }
            let start = Int(range.dropFirst(6).dropLast())!
            return .init(status: 206, headers: [("Content-Range", "bytes \(start)-299999/300000")], body: Array(Self.blob[start...]))
        }
        #expect(result == "no error")
        #expect(requests.count == 2)
        #expect(requests[1].headers.first(name: "Range")?.hasPrefix("bytes=") == true)
    }

    @Test func aBrokenDownloadStartsAgainWhereThereAreNoRanges() async throws {
        let count = Mutex(0)
        let (result, requests) = try await downloadCode { _ in
            .init(
                body: Self.blob,
                breaksAfter: count.withLock {
                    $0 += 1; return $0
                } == 1 ? 100_000 : nil)
        }
        #expect(result == "no error")
        #expect(requests.count == 2)
    }

    @Test func aDownloadThatAlwaysBreaksEnds() async throws {
        let (result, requests) = try await downloadCode { _ in .init(body: Self.blob, breaksAfter: 1000) }
        #expect(result == "registry_unavailable")
        #expect(requests.count == 4)
    }

    @Test func badBlobsAreRefused() async throws {
        var altered = Self.blob
        altered[150_000] ^= 1
        let cases: [(String, FakeRegistry.Answer)] = [
            ("digest_mismatch", .init(body: altered)), ("size_mismatch", .init(body: Self.blob + [1])),
            ("size_mismatch", .init(body: Array(Self.blob.dropLast()))), ("not_found", .init(status: 404)),
            ("size_mismatch", .init(headers: [("Transfer-Encoding", "chunked")], body: Self.blob + [1])),
            ("size_mismatch", .init(headers: [("Transfer-Encoding", "chunked")], body: Array(Self.blob.dropLast()))),
            ("protocol_violation", .init(status: 206, headers: [("Content-Range", "bytes 5-9/10")], body: Self.blob)),
        ]
        for (expected, answer) in cases {
            #expect(try await downloadCode { _ in answer }.0 == expected)
        }
    }

    @Test func aWrongRangeIsRefused() async throws {
        let (result, _) = try await downloadCode { request in
            request.headers.contains(name: "Range")
                ? .init(status: 206, headers: [("Content-Range", "bytes 0-299999/300000")], body: Self.blob) : .init(body: Self.blob, breaksAfter: 10)
        }
        #expect(result == "protocol_violation")
    }

    @Test func anUploadFollowsItsLocationsInChunks() async throws {
        let received = Mutex<[UInt8]>([])
        let registry = try await FakeRegistry { request in
            switch request.method {
            case "HEAD": return .init(status: 404)
            case "POST": return .init(status: 202, headers: [("Location", "/uploads/1?state=a%2Bb")])
            case "PATCH":
                let size = received.withLock {
                    $0 += request.body; return $0.count
                }
                return .init(status: 202, headers: [("Location", "/uploads/1?state=\(size)")])
            default: return .init(status: 201)
            }
        }
        var configuration = RegistryConfiguration()
        configuration.uploadChunkBytes = 200_000
        let reference = try ImageReference(parsing: registry.reference())
        _ = try await with(configuration) { try await $0.pushBlob(Self.blob, mediaType: "x", to: reference) }
        let requests = registry.requests
        #expect(requests.map(\.method) == ["HEAD", "POST", "PATCH", "PATCH", "PUT"])
        #expect(requests[2].query == "state=a%2Bb")
        #expect(requests[2].headers.first(name: "Content-Range") == "0-199999")
        #expect(requests[3].headers.first(name: "Content-Range") == "200000-299999")
        #expect(requests[4].query == "state=300000&digest=\(Self.blobDescriptor.digest)")
        #expect(received.withLock { $0 } == Self.blob)
        try await registry.stop()
    }

    // MARK: Pull

    func pullCode(config: [UInt8] = RegistryClientTests.config, layers: [Descriptor] = [], blobs: [[UInt8]], index: ImageIndex? = nil) async throws
        -> String
    {
        let configDescriptor = Descriptor(mediaType: MediaType.ociConfiguration, digest: .sha256(of: config), size: Int64(config.count))
        let manifest = try JSONDocument.encode(ImageManifest(config: configDescriptor, layers: layers))
        let root = try index.map { try JSONDocument.encode($0) } ?? manifest
        let all = Dictionary((blobs + [config, manifest, root]).map { (Digest.sha256(of: $0).description, $0) }, uniquingKeysWith: { $1 })
        let registry = try await FakeRegistry { request in
            guard let bytes = all[String(request.path.split(separator: "/").last ?? "")] else { return .init(status: 404) }
            return .init(body: bytes)
        }
        let store = try ContentStore(root: folder("pull-\(registry.port)"))
        let reference = try ImageReference(parsing: registry.reference("test/image@\(Digest.sha256(of: root))"))
        let result = await code { _ = try await with { try await ImagePuller(client: $0, store: store).pull(reference) } }
        try await registry.stop()
        return result
    }

    @Test func aPullChecksEverything() async throws {
        let tar = TestTar.make { $0.file("a", "x") }
        func layer(_ type: String = MediaType.ociLayer, size: Int64? = nil, of bytes: [UInt8]? = nil) -> Descriptor {
            Descriptor(mediaType: type, digest: .sha256(of: bytes ?? tar), size: size ?? Int64((bytes ?? tar).count))
        }
        func config(_ diffIDs: [Digest]) throws -> [UInt8] {
            try JSONDocument.encode(ImageConfiguration(platform: .linuxAMD64, process: .init(), diffIDs: diffIDs))
        }
        let right = try config([.sha256(of: tar)])
        #expect(try await pullCode(config: right, layers: [layer()], blobs: [tar]) == "no error")
        #expect(try await pullCode(config: right, layers: [layer()], blobs: []) == "missing_blob")
        #expect(try await pullCode(config: right, layers: [layer(size: 5)], blobs: [tar]) == "size_mismatch")
        #expect(try await pullCode(config: try config([.sha256(of: [])]), layers: [layer()], blobs: [tar]) == "diff_id_mismatch")
        #expect(try await pullCode(config: try config([]), layers: [layer()], blobs: [tar]) == "malformed_document")
        #expect(
            try await pullCode(config: right, layers: [layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")], blobs: [tar])
                == "unsupported_media_type")
        #expect(try await pullCode(config: right, layers: [layer(size: 1 << 40)], blobs: [tar]) == "limit_exceeded")
        #expect(try await pullCode(config: Array("{}".utf8), layers: [layer()], blobs: [tar]) == "malformed_document")
    }

    @Test func anIndexOfNothingOrOfItsLikeEnds() async throws {
        #expect(try await pullCode(blobs: [], index: ImageIndex(manifests: [])) == "unsupported_media_type")
        let wasm = Descriptor(mediaType: "application/wasm", digest: Self.digest, size: 3)
        #expect(try await pullCode(blobs: [], index: ImageIndex(manifests: [wasm])) == "unsupported_media_type")
        var nested = Self.manifest
        var type = MediaType.ociManifest
        var blobs = [Self.manifest]
        for depth in 1...5 {
            let index = ImageIndex(manifests: [Descriptor(mediaType: type, digest: .sha256(of: nested), size: Int64(nested.count))])
            #expect(try await pullCode(blobs: blobs, index: index) == (depth <= 4 ? "no error" : "limit_exceeded"), "depth \(depth)")
            nested = try JSONDocument.encode(index)
            type = MediaType.ociIndex
            blobs.append(nested)
        }
    }

    @Test func buildAttestationsAreKeptButNeverRun() async throws {
        let statement = Array("{}".utf8)
        let attestation = try JSONDocument.encode(
            ImageManifest(
                config: Descriptor(mediaType: MediaType.ociConfiguration, digest: .sha256(of: statement), size: 2),
                layers: [Descriptor(mediaType: "application/vnd.in-toto+json", digest: .sha256(of: statement), size: 2)]))
        let child = Descriptor(
            mediaType: MediaType.ociManifest, digest: .sha256(of: attestation), size: Int64(attestation.count),
            platform: Platform(os: "unknown", architecture: "unknown"), annotations: ["vnd.docker.reference.type": "attestation-manifest"])
        let image = Descriptor(mediaType: MediaType.ociManifest, digest: Self.digest, size: Int64(Self.manifest.count), platform: .linuxAMD64)
        let store = try ContentStore(root: folder("store"))
        for bytes in [statement, attestation, Self.manifest, Self.config] { try await store.store(bytes) }
        let index = try await store.store(try JSONDocument.encode(ImageIndex(manifests: [image, child])))
        let stored = try await store.image(index)
        #expect(stored.images.map(\.manifestDigest) == [Self.digest])
        #expect(stored.attachments.map(\.digest) == [.sha256(of: attestation)])
    }
}

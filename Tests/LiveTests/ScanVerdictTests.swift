import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The real Trivy over images from a real registry, and what its verdict allows.
    @Suite(.serialized) struct ScanVerdictTests {
        /// The counts of `Tests/Fixtures/scan/expected.json`, which come from Trivy's own reports.
        private static func expectation(_ image: String) throws -> JSONValue {
            let data = try #require(FileManager.default.contents(atPath: Machine.scanFixtures + "/expected.json"))
            return try #require(try JSONValue(parsing: data)["images"]?[image])
        }

        /// Hands a fixture image in as a version of one Cargo, so that it takes one place of the publisher's three.
        private func submit(_ image: String, _ network: DevNetwork, from tar: String? = nil) async throws -> Int {
            let reference = try await network.push("\(Machine.scanFixtures)/images/\(tar ?? image).tar", "scanned-\(image):v1.0.0")
            return try await network.submit(slug: "scanned", image: reference)
        }

        private func expect(_ scan: JSONValue, is image: String) throws {
            let expected = try Self.expectation(image)
            #expect(scan["state"]?.string == "finished", "\(scan.text)")
            for severity in ["critical", "high", "medium", "low", "unknown"] {
                #expect(scan["counts"]?[severity]?.int == expected["counts"]?[severity.uppercased()]?.int, "\(severity)")
            }
            let wanted = Set((expected["findings"]?.array ?? []).map { "\($0["id"]?.string ?? "") \($0["package"]?.string ?? "")" })
            let found = Set((scan["findings"]?.array ?? []).map { "\($0["id"]?.string ?? "") \($0["package"]?.string ?? "")" })
            #expect(found == wanted)
        }

        @Test(arguments: ["vulnerable", "alpine-eol", "java"])
        func criticalAndHighFindingsBlockTheApproval(image: String) async throws {
            let network = try await SharedNetwork.network
            let id = try await submit(image, network)
            let scan = try await network.scan(of: id)
            try expect(scan, is: image)
            #expect(scan["verdict"]?.string == "blocked")
            for accept in [false, true] {
                let answer = try await network.approve(id, acceptMedium: accept, note: accept ? "never mind" : "")
                #expect(answer.status == 409)
                #expect(answer.errorCode == "scan_blocked")
                let findings = answer.json["error"]?["findings"]?.array ?? []
                let severities = Set(findings.compactMap { $0["severity"]?.string })
                #expect(severities.contains("critical"))
                #expect(severities.isSubset(of: ["critical", "high", "medium"]))
                #expect(answer.pointers.count == findings.count)
            }
            #expect(try await network.publisher.data(.GET, "/submissions/\(id)")["state"]?.string == "pending_review")
            try await network.discard(id)
        }

        @Test(arguments: ["clean", "debian-patched", "unknown-only"])
        func anImageWithoutSeriousFindingsCanBeApproved(image: String) async throws {
            let network = try await SharedNetwork.network
            let id = try await submit(image, network)
            let scan = try await network.scan(of: id)
            try expect(scan, is: image)
            #expect(scan["verdict"]?.string == "clean")
            let answer = try await network.approve(id, level: 1)
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.data["trust_level"]?.int == 1)
        }

        @Test func mediumFindingsNeedToBeAcceptedInANote() async throws {
            let network = try await SharedNetwork.network
            let id = try await submit("medium-low", network)
            let scan = try await network.scan(of: id)
            try expect(scan, is: "medium-low")
            #expect(scan["verdict"]?.string == "flagged")
            let refused = try await network.approve(id)
            #expect(refused.status == 409)
            #expect(refused.errorCode == "scan_flagged")
            #expect((refused.json["error"]?["findings"]?.array ?? []).allSatisfy { $0["severity"]?.string == "medium" })
            for note in ["", "  \n"] {
                let bare = try await network.approve(id, acceptMedium: true, note: note)
                #expect(bare.status == 422)
                #expect(bare.pointers == ["/note"])
            }
            let accepted = try await network.approve(id, acceptMedium: true, note: "libcurl is not reachable from outside.")
            #expect(accepted.status == 200, "\(accepted)")
            #expect(accepted.data["review_note"]?.string == "libcurl is not reachable from outside.")
        }

        @Test func theDockerSaveFormIsScannedAlike() async throws {
            let network = try await SharedNetwork.network
            let id = try await submit("vulnerable", network, from: "vulnerable.docker-save")
            let scan = try await network.scan(of: id)
            try expect(scan, is: "vulnerable")
            #expect(try await network.approve(id).errorCode == "scan_blocked")
            try await network.discard(id)
        }

        /// A clean image for one platform must not hide a bad one for another.
        @Test func everyPlatformOfAnIndexIsJudged() async throws {
            let network = try await SharedNetwork.network
            let (name, tag) = ("live/two-platforms", "v1.0.0")
            let pusher = PlainPusher(registry: network.registry)
            try await pusher.pushIndex(
                [("amd64", try await unpacked("clean")), ("arm64", try await unpacked("vulnerable"))], to: name, tag: tag)
            let id = try await network.submit(slug: "scanned", image: "\(network.registry)/\(name):\(tag)")
            let scan = try await network.scan(of: id)
            #expect(scan["verdict"]?.string == "blocked", "\(scan.text)")
            #expect((scan["reports"]?.array ?? []).compactMap { $0["platform"]?.string }.sorted() == ["linux/amd64", "linux/arm64"])
            #expect(try await network.approve(id).errorCode == "scan_blocked")
            try await network.discard(id)
        }

        /// The fixture's index says arm64 where the image's own configuration says amd64.
        @Test func anIndexThatContradictsItsImagesIsNeverApproved() async throws {
            let network = try await SharedNetwork.network
            let id = try await submit("multi-platform", network, from: "bad/multi-platform")
            let scan = try await network.scan(of: id)
            #expect(scan["verdict"]?.string == "blocked" || scan["state"]?.string == "could_not_scan", "\(scan.text)")
            let answer = try await network.approve(id, acceptMedium: true, note: "looks fine to me")
            #expect(["scan_blocked", "could_not_scan"].contains(answer.errorCode), "\(answer)")
            try await network.discard(id)
        }

        /// The layout folder of a fixture.
        private func unpacked(_ image: String) async throws -> String {
            let folder = try Machine.makeFolder("layout")
            let result = try await ChildProcess.run("tar", ["-xf", "\(Machine.scanFixtures)/images/\(image).tar", "-C", folder])
            guard result.exit == 0 else { throw Unexpected("\(image) to unpack: \(result)") }
            return folder
        }

        /// What our own command refuses to push at all.
        @Test(arguments: [("altered-layer", 4), ("lying-diff-ids", 4), ("missing-layer", 4), ("truncated-layer", 4), ("two-images", 2)])
        func aDamagedImageIsNotEvenPushed(image: String, exit: Int) async throws {
            let network = try await SharedNetwork.network
            let result = try await network.cli(
                "cargo", "push", "\(Machine.scanFixtures)/images/bad/\(image).tar", "\(network.registry)/bad/\(image):v1.0.0")
            #expect(result.exit == exit, "\(result)")
            #expect(result.stderr.hasPrefix("Error: "))
            #expect(result.stdout.isEmpty)
        }

        /// What a publisher with another tool can push: the registry checks digests, but not what a layer unpacks to.
        @Test func anImageWhoseLayersLieIsNeverApproved() async throws {
            let network = try await SharedNetwork.network
            let folder = try await unpacked("bad/lying-diff-ids")
            try await PlainPusher(registry: network.registry).push(layout: folder, to: "live/lying", tag: "v1.0.0")
            let id = try await network.submit(slug: "scanned", image: "\(network.registry)/live/lying:v1.0.0")
            try await expectNotScannable(id, network)
        }

        /// A layer that goes bad in its registry after the push: altered, cut short, or gone.
        @Test(arguments: ["altered", "truncated", "missing"])
        func aLayerDamagedInItsRegistryIsNeverApproved(damage: String) async throws {
            let network = try await SharedNetwork.network
            let source = try Machine.makeFolder("damaged")
            defer { try? FileManager.default.removeItem(atPath: source) }
            // Its own content, so that nobody has the blob in a cache.
            try Data("damaged \(damage) \(UUID())".utf8).write(to: URL(fileURLWithPath: source + "/program"))
            let reference = try await network.push(source + "/program", "damaged-\(damage):v1.0.0")
            let layer = try await PlainPusher(registry: network.registry).layer(of: "live/damaged-\(damage)", tag: "v1.0.0")
            let file = "\(network.folder)/registry/images/docker/registry/v2/blobs/sha256/\(layer.prefix(2))/\(layer)/data"
            var bytes = [UInt8](try #require(FileManager.default.contents(atPath: file)))
            switch damage {
            case "altered": bytes[bytes.count / 2] ^= 1
            case "truncated": bytes.removeLast(bytes.count / 2)
            default: try FileManager.default.removeItem(atPath: file)
            }
            if damage != "missing" { try Data(bytes).write(to: URL(fileURLWithPath: file)) }
            let id = try await network.submit(slug: "scanned", image: reference)
            try await expectNotScannable(id, network)
        }

        private func expectNotScannable(_ id: Int, _ network: DevNetwork) async throws {
            let scan = try await network.scan(of: id)
            #expect(scan["state"]?.string == "could_not_scan", "\(scan.text)")
            #expect(scan["verdict"]?.isNull == true)
            #expect(scan["failure"]?["message"]?.string?.isEmpty == false)
            let answer = try await network.approve(id, acceptMedium: true, note: "looks fine to me")
            #expect(answer.status == 409)
            #expect(answer.errorCode == "could_not_scan", "\(answer)")
            try await network.discard(id)
        }
    }
}

/// Pushes a layout's blobs as they are, as a careless or ill-meaning tool would. Source: OCI distribution specification 1.1.
struct PlainPusher {
    let peer: HTTPPeer

    init(registry: String) {
        let parts = registry.split(separator: ":")
        peer = HTTPPeer(host: String(parts[0]), port: Int(parts[1]) ?? 0)
    }

    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    private static let indexType = "application/vnd.oci.image.index.v1+json"

    func push(layout: String, to name: String, tag: String) async throws {
        let (manifest, config) = try await pushLayers(of: layout, to: name)
        try await upload(config, try await Self.digest(config), name)
        try await put(manifest.bytes, Self.manifestType, name, tag)
    }

    /// Pushes images as one index, each as if it were built for its architecture.
    func pushIndex(_ images: [(architecture: String, layout: String)], to name: String, tag: String) async throws {
        var entries: [JSONValue] = []
        for (architecture, layout) in images {
            var (manifest, config) = try await pushLayers(of: layout, to: name)
            guard case .object(var settings) = try JSONValue(parsing: config) else { throw Unexpected("a configuration") }
            settings["architecture"] = .string(architecture)
            config = settings.bytes
            let digest = try await Self.digest(config)
            try await upload(config, digest, name)
            manifest["config"] = [
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": .string(digest), "size": .int(config.count),
            ]
            let manifestDigest = try await Self.digest(manifest.bytes)
            try await put(manifest.bytes, Self.manifestType, name, manifestDigest)
            entries.append([
                "mediaType": .string(Self.manifestType), "digest": .string(manifestDigest), "size": .int(manifest.bytes.count),
                "platform": ["os": "linux", "architecture": .string(architecture)],
            ])
        }
        let index: JSONObject = ["schemaVersion": 2, "mediaType": .string(Self.indexType), "manifests": .array(entries)]
        try await put(index.bytes, Self.indexType, name, tag)
    }

    /// Uploads the layers of a layout's first image; returns its manifest and the bytes of its configuration.
    private func pushLayers(of layout: String, to name: String) async throws -> (manifest: JSONObject, config: [UInt8]) {
        func blob(_ digest: String?) throws -> [UInt8] {
            let path = "\(layout)/blobs/\((digest ?? "").replacingOccurrences(of: ":", with: "/"))"
            return [UInt8](try FileManager.default.contents(atPath: path).orThrow("a blob at \(path)"))
        }
        let index = try JSONValue(parsing: try FileManager.default.contents(atPath: layout + "/index.json").orThrow("index.json"))
        guard case .object(var manifest) = try JSONValue(parsing: try blob(index["manifests"]?[0]?["digest"]?.string)) else {
            throw Unexpected("a manifest")
        }
        manifest["mediaType"] = .string(Self.manifestType)
        for layer in manifest["layers"]?.array ?? [] { try await upload(try blob(layer["digest"]?.string), layer["digest"]?.string ?? "", name) }
        return (manifest, try blob(manifest["config"]?["digest"]?.string))
    }

    /// Computed by another program than the one under test.
    static func digest(_ bytes: [UInt8]) async throws -> String {
        let result = try await ChildProcess.run("sha256sum", [], input: String(decoding: bytes, as: UTF8.self))
        return "sha256:" + result.stdout.prefix(64)
    }

    func put(_ manifest: [UInt8], _ type: String, _ name: String, _ reference: String) async throws {
        let answer = try await peer.exchange(
            .init(method: .PUT, path: "/v2/\(name)/manifests/\(reference)", headers: [("Content-Type", type)], body: manifest))
        guard answer.status == 201 else { throw Refused(call: "PUT manifest", answer: answer) }
    }

    func upload(_ bytes: [UInt8], _ digest: String, _ name: String) async throws {
        let opened = try await peer.exchange(.init(method: .POST, path: "/v2/\(name)/blobs/uploads/", body: []))
        let location = try (opened.headers.first(name: "Location").flatMap(URLComponents.init(string:))).orThrow("an upload's location")
        let path = "\(location.percentEncodedPath)?\(location.percentEncodedQuery.map { $0 + "&" } ?? "")digest=\(digest)"
        let answer = try await peer.exchange(
            .init(method: .PUT, path: path, headers: [("Content-Type", "application/octet-stream")], body: bytes))
        guard answer.status == 201 else { throw Refused(call: "PUT blob", answer: answer) }
    }

    /// The hexadecimal part of the digest of an image's only layer.
    func layer(of name: String, tag: String) async throws -> String {
        let answer = try await peer.exchange(.init(path: "/v2/\(name)/manifests/\(tag)", headers: [("Accept", Self.manifestType)]))
        return String(try (answer.json["layers"]?[0]?["digest"]?.string).orThrow("a layer in \(answer)").dropFirst("sha256:".count))
    }
}

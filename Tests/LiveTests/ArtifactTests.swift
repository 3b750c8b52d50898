import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// WebAssembly modules and models, from a file to a verdict.
    @Suite struct ArtifactTests {
        private static let fixtures = Machine.checkout + "/Tests/Fixtures/artifacts"

        private func submit(_ reference: String, runtime: String, _ network: DevNetwork) async throws -> Int {
            var fields = network.fields(slug: "scanned", image: reference)
            fields["runtime_type"] = .string(runtime)
            let id = try await network.publisher.data(.POST, "/workloads", .object(fields))["id"]?.int.orThrow("an id") ?? 0
            _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
            return id
        }

        @Test(arguments: [
            ("wasm/hello.wasm", "wasm", "clean", nil), ("wasm/foreign.wasm", "wasm", "blocked", "ARCHIPELAGO-WASM-IMPORT"),
            ("onnx/plain.onnx", "onnx", "clean", nil), ("onnx/external_parent.onnx", "onnx", "blocked", "ARCHIPELAGO-ONNX-EXTERNAL-DATA"),
            ("onnx/unknown_operator.onnx", "onnx", "blocked", "ARCHIPELAGO-ONNX-OPERATOR"),
            ("coreml/program.mlpackage", "coreml", "clean", nil),
            ("coreml/custom_model.mlmodel", "coreml", "blocked", "ARCHIPELAGO-COREML-HOST-CODE"),
        ])
        func aFileIsPushedAndJudgedByItsStructure(file: String, kind: String, verdict: String, rule: String?) async throws {
            let network = try await SharedNetwork.network
            let tag = file.replacing("/", with: "-").replacing("_", with: "-").replacing(".", with: "-")
            let reference = try await network.push("\(Self.fixtures)/\(file)", "artifact-\(tag):v1.0.0")
            let id = try await submit(reference, runtime: kind, network)
            let scan = try await network.scan(of: id)
            #expect(scan["state"]?.string == "finished", "\(scan.text)")
            #expect(scan["verdict"]?.string == verdict, "\(scan.text)")
            let report = scan["reports"]?[0]
            #expect(report?["scanner"]?.string == "inspector")
            #expect((0...100).contains(report?["inspected_percent"]?.int ?? -1))
            #expect(scan["warnings"]?[0]?.string?.contains("No vulnerability database") == true, "nobody takes the verdict for more than it is")
            if let rule { #expect((scan["findings"]?.array ?? []).contains { $0["id"]?.string == rule }, "\(scan.text)") }
            #expect(try await network.approve(id).status == (verdict == "clean" ? 200 : 409))
            // The same verdict without a network.
            let local = try await network.cli("cargo", "scan", reference, "--json")
            #expect(try local.json()["verdict"]?.string == verdict, "\(local)")
            #expect(local.exit == (verdict == "blocked" ? 1 : 0))
            if verdict == "clean" {
                try await Bills.expectValid(
                    of: id, naming: [kind == "coreml" ? "model.mlmodel" : URL(fileURLWithPath: file).lastPathComponent], network)
            }
            _ = try await network.reviewer.call(.POST, "/review/submissions/\(id)/reject", ["reason": "seen", "rule": "policy"])
            try await network.discard(id)
        }

        @Test(arguments: [
            ("application/x-secret", "unknown_media_type"), ("application/wasm", "malformed_artifact"),
            ("application/vnd.archipelago.onnx.v1", "another_kind"),
        ])
        func whatNobodyCanReadIsNeverApproved(mediaType: String, code: String) async throws {
            let network = try await SharedNetwork.network
            let name = "live/unreadable-\(code.replacing("_", with: "-"))"
            try await PlainPusher(registry: network.registry).pushArtifact(Array("nothing of that kind".utf8), mediaType, to: name, tag: "v1.0.0")
            let id = try await submit("\(network.registry)/\(name):v1.0.0", runtime: "wasm", network)
            let scan = try await network.scan(of: id)
            #expect(scan["state"]?.string == "not_scannable", "\(scan.text)")
            #expect(scan["failure"]?["code"]?.string == code, "\(scan.text)")
            #expect(scan["failure"]?["remedy"]?.string?.isEmpty == false)
            let answer = try await network.approve(id, acceptMedium: true, note: "trust me")
            #expect(answer.status == 409)
            #expect(answer.errorCode == "not_scannable")
            try await network.discard(id)
        }

        @Test func anImageIsNoModuleAndAModuleNoImage() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(Machine.scanFixtures + "/images/clean.tar", "no-module:v1.0.0")
            let module = try await network.push(Self.fixtures + "/wasm/hello.wasm", "no-image:v1.0.0")
            for (reference, runtime, code) in [(image, "wasm", "not_an_artifact"), (module, "container", "not_an_image")] {
                let id = try await submit(reference, runtime: runtime, network)
                #expect(try await network.scan(of: id)["failure"]?["code"]?.string == code)
                #expect(try await network.approve(id).errorCode == "not_scannable")
                try await network.discard(id)
            }
        }
    }
}

extension PlainPusher {
    /// Pushes one file as an artifact with a media type of its own.
    func pushArtifact(_ bytes: [UInt8], _ mediaType: String, to name: String, tag: String) async throws {
        let (config, digest) = (Array("{}".utf8), try await Self.digest(bytes))
        let configDigest = try await Self.digest(config)
        try await upload(bytes, digest, name)
        try await upload(config, configDigest, name)
        let manifest: JSONObject = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": .string(mediaType),
            "config": ["mediaType": "application/vnd.oci.empty.v1+json", "digest": .string(configDigest), "size": .int(config.count)],
            "layers": [["mediaType": .string(mediaType), "digest": .string(digest), "size": .int(bytes.count)]],
        ]
        try await put(manifest.bytes, "application/vnd.oci.image.manifest.v1+json", name, tag)
    }
}

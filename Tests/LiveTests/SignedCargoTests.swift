import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// A Cargo's way to a level that demands a signature, and away from it, with the real registry, log and sandbox.
    @Suite struct SignedCargoTests {
        @Test func aSignedCargoRunsAtItsLevelUntilTheSignerIsRevoked() async throws {
            try await DevNetwork.withOwn("signed") { network in
                let folder = try Machine.makeFolder("signing")
                // What stays is only a temporary folder.
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let key = folder + "/publisher"
                func run(_ arguments: String..., as person: String) async throws -> CommandResult {
                    try await network.cli(arguments, as: person, adding: ["COSIGN_PASSWORD": "correct horse"])
                }
                #expect(try await run("cargo", "keygen", "--output-key-prefix", key, as: "publisher").exit == 0)
                #expect(try await run("cargo", "keygen", "--output-key-prefix", key, as: "publisher").exit == 2)
                let image = try await network.push(try await Programs.path("text-stats/text-stats"), "signed-cargo:v1.0.0")
                let id = try await network.submit(slug: "signed-cargo", image: image)
                _ = try await network.scan(of: id)
                #expect(try await network.approve(id, level: 1).status == 200)
                _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
                let official = ["admin", "official", "signed-cargo", "--report", "read line by line"]

                let unsigned = try await network.cli(official, as: "admin")
                #expect(unsigned.exit == 4 && unsigned.stderr.contains("signature_required"), "\(unsigned)")
                let added = try await run("account", "signing-identity", "add", "--key", key + ".key", "--json", as: "publisher")
                let identity = try (added.json()["id"]?.string).orThrow("an identity in \(added)")
                let missing = try await network.cli(official, as: "admin")
                #expect(missing.exit == 4 && missing.stderr.contains("signature_required"), "\(missing)")

                let signed = try await run("cargo", "sign", image, "--key", key + ".key", "--json", as: "publisher")
                #expect(signed.exit == 0, "\(signed)")
                #expect(try await network.cli(official, as: "admin").exit == 0)
                let ran = try await network.cli("run", "signed-cargo", "--input", #"{"text":"one two"}"#, "--json", as: "consumer")
                #expect(ran.exit == 0 && ran.stdout.contains(#""status":"completed""#), "\(ran)")

                #expect(try await run("account", "signing-identity", "revoke", identity, as: "publisher").exit == 0)
                let shown = try await network.cli("registry", "show", "signed-cargo", "--json", as: "consumer")
                #expect(try shown.json()["trust_level"]?.int == 1, "\(shown)")
                let again = try await network.cli(official, as: "admin")
                #expect(again.exit == 4, "\(again)")
            }
        }

        /// skopeo of Debian finds and copies signatures of the older layout; it does not verify them itself.
        @Test func aSignatureIsCopiedWithItsImageAndStillVerifies() async throws {
            let network = try await SharedNetwork.network
            let folder = try Machine.makeFolder("skopeo")
            let key = folder + "/publisher"
            let password = ["COSIGN_PASSWORD": ""]
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "to-be-copied:v1.0.0")
            #expect(try await network.cli(["cargo", "keygen", "--output-key-prefix", key], adding: password).exit == 0)
            let signed = try await network.cli(["cargo", "sign", image, "--legacy", "--key", key + ".key"], adding: password)
            #expect(signed.exit == 0, "\(signed)")
            try "docker:\n  \(network.registry):\n    use-sigstore-attachments: true\n".write(
                toFile: folder + "/default.yaml", atomically: true, encoding: .utf8)
            try #"{"default":[{"type":"insecureAcceptAnything"}]}"#.write(toFile: folder + "/policy.json", atomically: true, encoding: .utf8)
            let target = "\(network.registry)/live/copied:v1.0.0"
            let copied = try await ChildProcess.run(
                "/usr/bin/skopeo",
                [
                    "--registries.d", folder, "--policy", folder + "/policy.json", "copy", "--preserve-digests", "--src-tls-verify=false",
                    "--dest-tls-verify=false", "docker://" + image, "docker://" + target,
                ], environment: ["HOME": folder, "PATH": "/usr/bin:/bin"])
            #expect(copied.exit == 0, "\(copied)")
            let root = folder + "/root.json"
            try JSONValue.object(try await network.api(nil).send(.GET, "/trusted-root.json", body: nil).json.object ?? [:]).text.write(
                toFile: root, atomically: true, encoding: .utf8)
            let verified = try await network.cli("cargo", "verify", target, "--key", key + ".pub", "--trusted-root", root, "--json")
            #expect(try verified.json()["layout"]?.string == "legacy", "\(verified)")
        }
    }
}

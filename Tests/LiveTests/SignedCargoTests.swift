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
    }
}

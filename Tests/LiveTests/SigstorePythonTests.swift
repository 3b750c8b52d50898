import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// Signatures between this project and the `sigstore` package as it comes, both ways, over the embedded log and an authority for tests.
    @Suite struct SigstorePythonTests {
        /// Each bundle's verdict: the payload's type and the digests that it names, or what was thrown.
        ///
        /// The package's own command line goes on to read the statement and insists on a name for each subject, which in-toto's
        /// statement of version 1 leaves free and cosign does not write; so the package is asked for the signature, and the digest is read here.
        private static let judge = """
            import json, sys
            from sigstore.models import Bundle, ClientTrustConfig
            from sigstore.verify import Verifier
            from sigstore.verify.policy import Identity
            config, identity, issuer, *bundles = sys.argv[1:]
            verifier = Verifier(trusted_root=ClientTrustConfig.from_json(open(config).read()).trusted_root)
            def verdict(bundle):
                try:
                    kind, payload = verifier.verify_dsse(Bundle.from_json(open(bundle).read()), Identity(identity=identity, issuer=issuer))
                except Exception as error: return type(error).__name__
                return [kind] + [subject["digest"]["sha256"] for subject in json.loads(payload)["subject"]]
            print(json.dumps([verdict(bundle) for bundle in bundles]))
            """

        private static func verdicts(
            on bundles: [String], _ instance: SigstoreInstance, by name: String = SigstoreInstance.name
        ) async throws -> [JSONValue] {
            let result = try await instance.python(["-c", judge, instance.trustConfig, name, SigstoreInstance.issuer] + bundles)
            guard result.exit == 0 else { throw Unexpected("verdicts: \(result)") }
            return try result.json().array.orThrow("an array of verdicts")
        }

        @Test func sigstorePythonVerifiesWhatWeSign() async throws {
            try await SigstoreInstance.with(try await SharedNetwork.network) { instance in
                let network = instance.network
                let image = try await network.push(try await Programs.path("text-stats/text-stats"), "signed-for-python:v1.0.0")
                let signed = try await network.cli(
                    "cargo", "sign", image, "--identity-token", instance.token, "--fulcio-url", instance.authority, "--trusted-root", instance.root,
                    "--json", as: "publisher")
                try #require(signed.exit == 0, "\(signed)")
                let digest = try signed.json()["digest"]?.string.orThrow("a digest") ?? ""
                let text = try await instance.signature(of: digest, in: "live/signed-for-python")
                let whole = try instance.write(text, "whole.json")
                let wanted: JSONValue = ["application/vnd.in-toto+json", .string(digest.replacing("sha256:", with: ""))]
                #expect(try await Self.verdicts(on: [whole], instance) == [wanted])
                #expect(try await Self.verdicts(on: [whole], instance, by: "other@example.org") == ["VerificationError"])
                let ours = try await instance.verify(whole, of: digest)
                #expect(ours.exit == 0, "\(ours)")
                let theirs = try await instance.python([
                    "-m", "sigstore", "--trust-config", instance.trustConfig, "verify", "identity", "--bundle", whole, "--cert-identity",
                    SigstoreInstance.name, "--cert-oidc-issuer", SigstoreInstance.issuer, digest,
                ])
                #expect(theirs.exit == 0, "\(theirs)")
                try await Self.expectSpoiledIsRefused(text, of: digest, instance)
            }
        }

        /// Flips one bit in each part that somebody signed, and asks us and the package.
        private static func expectSpoiledIsRefused(_ text: String, of artifact: String, _ instance: SigstoreInstance) async throws {
            let bundle = try JSONValue(parsing: text)
            let material = bundle["verificationMaterial"]
            let entry = material?["tlogEntries"]?[0]
            let parts: [(String, JSONValue?)] = [
                ("certificate", material?["certificate"]?["rawBytes"]), ("body", entry?["canonicalizedBody"]),
                ("promise", entry?["inclusionPromise"]?["signedEntryTimestamp"]), ("root", entry?["inclusionProof"]?["rootHash"]),
                ("payload", bundle["dsseEnvelope"]?["payload"]), ("signature", bundle["dsseEnvelope"]?["signatures"]?[0]?["sig"]),
            ]
            var files: [String] = []
            for (name, value) in parts {
                let part = try (value?.string).orThrow("the \(name) in \(text)")
                files.append(try instance.write(try spoiled(part, in: text), "spoiled-\(name).json"))
            }
            for (file, verdict) in zip(files, try await verdicts(on: files, instance)) {
                #expect(verdict.string != nil, "sigstore-python on \(file): \(verdict)")
                let ours = try await instance.verify(file, of: artifact)
                #expect(ours.exit == 1, "\(file): \(ours)")
                #expect(try ours.json()["verified"] == false)
            }
        }

        /// A text with one bit flipped in the middle of a part that is in base64.
        private static func spoiled(_ part: String, in text: String) throws -> String {
            var bytes = try Data(base64Encoded: part).orThrow("base64")
            bytes[bytes.count / 2] ^= 1
            let place = try text.range(of: "\"\(part)\"").orThrow("the part in the text")
            return text.replacingCharacters(in: place, with: "\"\(bytes.base64EncodedString())\"")
        }

        /// A log of version 2 signs no times, so a clock has to.
        @Test func sigstorePythonVerifiesWhatWeSignIntoALogOfVersion2() async throws {
            try await SigstoreInstance.with(try await SharedNetwork.network, log: .version2) { instance in
                let network = instance.network
                let image = try await network.push(try await Programs.path("text-stats/text-stats"), "signed-with-clock:v1.0.0")
                func sign(_ configuration: String) async throws -> CommandResult {
                    try await network.cli(
                        "cargo", "sign", image, "--identity-token", instance.token, "--signing-config", configuration, "--trusted-root",
                        instance.root, "--json", as: "publisher")
                }
                // Nothing is stored without the clock's word.
                let configuration = try String(contentsOfFile: instance.signingConfig, encoding: .utf8)
                let without = try await sign(try instance.write(configuration.replacing("/api/v1/timestamp", with: "/nothing"), "no-clock.json"))
                #expect(without.exit != 0 && without.stderr.contains("time stamp authority answered 404"), "\(without)")
                let unsigned = try await network.cli("cargo", "verify", image, "--key", try await instance.anyKey(), "--json")
                #expect(unsigned.exit == 1 && unsigned.stdout.contains("unsigned"), "\(unsigned)")

                let signed = try await sign(instance.signingConfig)
                try #require(signed.exit == 0, "\(signed)")
                let digest = try signed.json()["digest"]?.string.orThrow("a digest") ?? ""
                let text = try await instance.signature(of: digest, in: "live/signed-with-clock")
                let material = try JSONValue(parsing: text)["verificationMaterial"]
                #expect(material?["tlogEntries"]?[0]?["kindVersion"] == ["kind": "hashedrekord", "version": "0.0.2"])
                #expect(material?["timestampVerificationData"]?["rfc3161Timestamps"]?.array?.count == 1)
                let whole = try instance.write(text, "whole.json")
                let wanted: JSONValue = ["application/vnd.in-toto+json", .string(digest.replacing("sha256:", with: ""))]
                #expect(try await Self.verdicts(on: [whole], instance) == [wanted])
                let ours = try await instance.verify(whole, of: digest)
                #expect(ours.exit == 0, "\(ours)")
            }
        }

        @Test func weVerifyWhatSigstorePythonSignsIntoALogOfVersion2() async throws {
            try await SigstoreInstance.with(try await SharedNetwork.network, log: .version2) { instance in
                let file = try instance.write("hello clock\n", "hello.txt")
                let bundle = "\(instance.folder)/signed.json"
                let signed = try await instance.python([
                    "-m", "sigstore", "--trust-config", instance.trustConfig, "sign", "--identity-token", instance.token, "--bundle", bundle, file,
                ])
                try #require(signed.exit == 0, "\(signed)")
                let found = try await instance.verify(bundle, of: file)
                #expect(found.exit == 0, "\(found)")
                try await Self.expectOthersAreRefused(bundle, of: file, instance, unknown: "timestamp_untrusted")
            }
        }

        /// At the log's own address, and at the coordinator's, for clients that forget the path.
        @Test(arguments: ["/rekor", ""]) func weVerifyWhatSigstorePythonSigns(log: String) async throws {
            try await SigstoreInstance.with(try await SharedNetwork.network, log: .own(path: log)) { instance in
                let file = try instance.write("hello log\n", "hello.txt")
                let predicate = try instance.write(
                    #"{"buildDefinition":{"buildType":"https://example.org/build","externalParameters":{}},"#
                        + #""runDetails":{"builder":{"id":"https://example.org/builder"}}}"#, "predicate.json")
                let attest = ["attest", "--predicate", predicate, "--predicate-type", "https://slsa.dev/provenance/v1"]
                var indices: [Int] = []
                // The same file twice is two signatures.
                for (number, (how, kind)) in [(["sign"], "hashedrekord"), (["sign"], "hashedrekord"), (attest, "dsse")].enumerated() {
                    let bundle = "\(instance.folder)/signed-\(number).json"
                    let command = ["-m", "sigstore", "--trust-config", instance.trustConfig]
                    let signed = try await instance.python(command + how + ["--identity-token", instance.token, "--bundle", bundle, file])
                    try #require(signed.exit == 0, "\(signed)")
                    let found = try await instance.verify(bundle, of: file)
                    try #require(found.exit == 0, "\(found)")
                    let value = try found.json()
                    #expect(value["verified"] == true)
                    #expect(value["signer"] == ["names": [.string(SigstoreInstance.name)], "issuer": .string(SigstoreInstance.issuer)])
                    #expect(value["log_entries"]?[0]?["kind"]?.string == kind)
                    indices.append(try value["log_entries"]?[0]?["log_index"]?.int.orThrow("an index") ?? 0)
                }
                #expect(indices == indices.sorted() && Set(indices).count == 3)
                try await Self.expectOthersAreRefused("\(instance.folder)/signed-0.json", of: file, instance)
                let replayed = try await instance.network.cli("log", "verify", "--json")
                #expect(replayed.exit == 0, "\(replayed)")
            }
        }

        /// - Parameter unknown: the refusal by the coordinator's own root, which knows neither the authority nor a clock.
        private static func expectOthersAreRefused(
            _ bundle: String, of file: String, _ instance: SigstoreInstance, unknown: String = "certificate_untrusted"
        ) async throws {
            let other = try instance.write("hello\n", "other.txt")
            let cases = [
                ("identity_mismatch", try await instance.verify(bundle, of: file, by: "other@example.org")),
                ("issuer_mismatch", try await instance.verify(bundle, of: file, knownTo: "https://other.example")),
                ("artifact_mismatch", try await instance.verify(bundle, of: other)),
                (unknown, try await instance.verify(bundle, of: file, root: instance.ownRoot)),
            ]
            for (code, result) in cases {
                #expect(result.exit == 1, "\(code): \(result)")
                #expect(try result.json()["code"]?.string == code, "\(result)")
            }
        }
    }
}

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

        /// At the log's own address, and at the coordinator's, for clients that forget the path.
        @Test(arguments: ["/rekor", ""]) func weVerifyWhatSigstorePythonSigns(log: String) async throws {
            try await SigstoreInstance.with(try await SharedNetwork.network, log: log) { instance in
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

        private static func expectOthersAreRefused(_ bundle: String, of file: String, _ instance: SigstoreInstance) async throws {
            let other = try instance.write("hello\n", "other.txt")
            let cases = [
                ("identity_mismatch", try await instance.verify(bundle, of: file, by: "other@example.org")),
                ("issuer_mismatch", try await instance.verify(bundle, of: file, knownTo: "https://other.example")),
                ("artifact_mismatch", try await instance.verify(bundle, of: other)),
                // The coordinator's own root does not know the authority.
                ("certificate_untrusted", try await instance.verify(bundle, of: file, root: instance.ownRoot)),
            ]
            for (code, result) in cases {
                #expect(result.exit == 1, "\(code): \(result)")
                #expect(try result.json()["code"]?.string == code)
            }
        }
    }
}

/// A network's log and an authority for tests, with the documents by which either side believes them.
private struct SigstoreInstance: Sendable {
    /// Who signs.
    static let name = "dev@example.org"
    static let issuer = "https://issuer.example"

    let network: DevNetwork
    /// The authority's address.
    let authority: String
    let folder: String
    /// An identity token that nobody signed: the authority asks for no more.
    let token: String

    /// The coordinator's trusted root.
    var ownRoot: String { folder + "/own_root.json" }
    /// The same, and the authority.
    var root: String { folder + "/trusted_root.json" }
    /// The same, and which services sign, as sigstore-python wants them in one.
    var trustConfig: String { folder + "/trust_config.json" }

    private static let environment = ["PYTHONPATH": Machine.checkout + "/.tools/python"]

    /// Gives a test an instance, and ends its authority afterwards.
    ///
    /// - Parameter log: the path of the log's address.
    static func with(_ network: DevNetwork, log: String = "/rekor", _ body: (SigstoreInstance) async throws -> Void) async throws {
        let folder = try Machine.makeFolder("sigstore")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = Machine.checkout + "/Tests/Authority/test_ca.py"
        let process = try ChildProcess("python3", [program], environment: environment, guarded: true)
        defer { process.signal(SIGKILL) }
        let line = try await pollUntil("the authority is ready") { () -> String? in
            guard process.isRunning else { throw Unexpected("a running authority; it ended: \(process.stderr)") }
            let output = process.stdout
            return output.contains("\n") ? output : nil
        }
        let ready = try JSONValue(parsing: line.trimmingCharacters(in: .newlines))
        let authority = try ready["url"]?.string.orThrow("the authority's address") ?? ""
        let instance = SigstoreInstance(network: network, authority: authority, folder: folder, token: makeToken())
        try await instance.writeDocuments(ready, log: network.url + log)
        try await body(instance)
    }

    /// Source: RFC 7519 §6; sigstore-python, oidc.py, for the claims that it insists on.
    private static func makeToken() -> String {
        let now = Int(Date().timeIntervalSince1970)
        let header: JSONValue = ["alg": "none", "typ": "JWT"]
        let claims: JSONValue = [
            "aud": "sigstore", "iss": .string(issuer), "sub": .string(name), "email": .string(name), "iat": .int(now - 10), "nbf": .int(now - 10),
            "exp": .int(now + 600),
        ]
        return [header, claims, "unsigned"].map { part in
            Data(part.bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        .joined(separator: ".")
    }

    /// Source: sigstore/protobuf-specs, `sigstore_trustroot.proto`.
    private func writeDocuments(_ ready: JSONValue, log: String) async throws {
        let own = try await network.api(nil).call(.GET, "/trusted-root.json")
        try write(own.text, "own_root.json")
        var root = try own.json.object.orThrow("a trusted root")
        root["certificateAuthorities"] = .array((root["certificateAuthorities"]?.array ?? []) + [ready["certificateAuthority"] ?? .null])
        root["ctlogs"] = .array((root["ctlogs"]?.array ?? []) + [ready["ctlog"] ?? .null])
        try write(root.text, "trusted_root.json")
        let valid = ready["certificateAuthority"]?["validFor"] ?? .null
        func services(_ url: String) -> JSONValue { [["url": .string(url), "majorApiVersion": 1, "validFor": valid, "operator": "test"]] }
        let signing: JSONValue = [
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": services(authority), "oidcUrls": services(Self.issuer),
            "rekorTlogUrls": services(log), "rekorTlogConfig": ["selector": "ANY"], "tsaUrls": [], "tsaConfig": ["selector": "ANY"],
        ]
        let config: JSONValue = [
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json", "trustedRoot": .object(root), "signingConfig": signing,
        ]
        try write(config.text, "trust_config.json")
    }

    /// Puts a file into the folder and returns its path.
    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return "\(folder)/\(name)"
    }

    /// Runs Python with the packages of the tests.
    func python(_ arguments: [String]) async throws -> CommandResult {
        try await ChildProcess.run("python3", arguments, environment: Self.environment)
    }

    /// Our verdict on a bundle.
    func verify(
        _ bundle: String, of artifact: String, by name: String = SigstoreInstance.name, knownTo issuer: String = SigstoreInstance.issuer,
        root: String? = nil
    ) async throws -> CommandResult {
        try await network.cli(
            "sigstore", "verify-bundle", "--bundle", bundle, "--certificate-identity", name, "--certificate-oidc-issuer", issuer, "--trusted-root",
            root ?? self.root, "--json", artifact)
    }

    /// The newest bundle beside an image, as it is in the registry.
    ///
    /// Source: OCI distribution specification 1.1, "Referrers Tag Schema"; cosign, specs/BUNDLE_SPEC.md.
    func signature(of digest: String, in repository: String) async throws -> String {
        let peer = HTTPPeer(host: "127.0.0.1", port: try URL(string: "http://" + network.registry)?.port.orThrow("the registry's port") ?? 0)
        func fetch(_ path: String, _ type: String) async throws -> Answer {
            let answer = try await peer.exchange(.init(path: "/v2/\(repository)/\(path)", headers: [("Accept", type)]))
            guard answer.status == 200 else { throw Refused(call: path, answer: answer) }
            return answer
        }
        let index = try await fetch("manifests/" + digest.replacing(":", with: "-"), "application/vnd.oci.image.index.v1+json").json
        let referrer = try (index["manifests"]?.array?.last?["digest"]?.string).orThrow("a referrer in \(index.text)")
        let manifest = try await fetch("manifests/" + referrer, "application/vnd.oci.image.manifest.v1+json").json
        let blob = try (manifest["layers"]?[0]?["digest"]?.string).orThrow("a bundle in \(manifest.text)")
        return try await fetch("blobs/" + blob, "*/*").text
    }
}

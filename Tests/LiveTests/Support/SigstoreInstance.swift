import Foundation
import JSON
import NIOHTTP1

/// A network's log and an authority for tests, with the documents by which either side believes them.
struct SigstoreInstance: Sendable {
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
    /// Which services sign.
    var signingConfig: String { folder + "/signing_config.json" }
    /// Both of these, as sigstore-python wants them in one.
    var trustConfig: String { folder + "/trust_config.json" }

    private static let environment = ["PYTHONPATH": Machine.checkout + "/.tools/python"]

    /// Which log signers use.
    enum Log {
        /// The network's own, at a path of the coordinator's address.
        case own(path: String)
        /// One of Rekor's version 2, with a clock beside it; both for tests.
        case version2
    }

    /// Gives a test an instance, and ends its authority afterwards.
    static func with(_ network: DevNetwork, log: Log = .own(path: "/rekor"), _ body: (SigstoreInstance) async throws -> Void) async throws {
        let folder = try Machine.makeFolder("sigstore")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await running("test_ca.py") { authority in
            let address = try (authority["url"]?.string).orThrow("the authority's address")
            let instance = SigstoreInstance(network: network, authority: address, folder: folder, token: makeToken())
            switch log {
            case .own(let path):
                try await instance.writeDocuments(authority, log: network.url + path, nil)
                try await body(instance)
            case .version2:
                try await running("test_log.py") { log in
                    try await instance.writeDocuments(authority, log: try (log["url"]?.string).orThrow("the log's address"), log)
                    try await body(instance)
                }
            }
        }
    }

    /// Runs a program of `Tests/Authority` beside `body`, which is given the first line that it says.
    private static func running(_ program: String, _ body: (JSONValue) async throws -> Void) async throws {
        let process = try ChildProcess("python3", [Machine.checkout + "/Tests/Authority/" + program], environment: environment, guarded: true)
        defer { process.signal(SIGKILL) }
        let line = try await pollUntil("\(program) is ready") { () -> String? in
            guard process.isRunning else { throw Unexpected("\(program) to run; it ended: \(process.stderr)") }
            let output = process.stdout
            return output.contains("\n") ? output : nil
        }
        try await body(try JSONValue(parsing: line.trimmingCharacters(in: .newlines)))
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
    ///
    /// - Parameters:
    ///   - authority: what the authority says of itself.
    ///   - log: the address of the log that signers use.
    ///   - logOfVersion2: what that says of itself and its clock; `nil` for a log of version 1, without a clock.
    private func writeDocuments(_ authority: JSONValue, log: String, _ logOfVersion2: JSONValue?) async throws {
        let own = try await network.api(nil).call(.GET, "/trusted-root.json")
        try write(own.text, "own_root.json")
        var root = try own.json.object.orThrow("a trusted root")
        root["certificateAuthorities"] = .array((root["certificateAuthorities"]?.array ?? []) + [authority["certificateAuthority"] ?? .null])
        root["ctlogs"] = .array((root["ctlogs"]?.array ?? []) + [authority["ctlog"] ?? .null])
        root["tlogs"] = .array((root["tlogs"]?.array ?? []) + [logOfVersion2?["tlog"]].compactMap(\.self))
        root["timestampAuthorities"] = .array(
            (root["timestampAuthorities"]?.array ?? []) + [logOfVersion2?["timestampAuthority"]].compactMap(\.self))
        try write(root.text, "trusted_root.json")
        let valid = authority["certificateAuthority"]?["validFor"] ?? .null
        func services(_ url: String, version: Int = 1) -> JSONValue {
            [["url": .string(url), "majorApiVersion": .int(version), "validFor": valid, "operator": "test"]]
        }
        let signing: JSONValue = [
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": services(self.authority),
            "oidcUrls": services(Self.issuer),
            "rekorTlogUrls": services(log, version: logOfVersion2 == nil ? 1 : 2), "rekorTlogConfig": ["selector": "ANY"],
            "tsaUrls": logOfVersion2 == nil ? [] : services(log + "/api/v1/timestamp"), "tsaConfig": ["selector": "ANY"],
        ]
        try write(signing.text, "signing_config.json")
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

    /// A public key that has signed nothing.
    func anyKey() async throws -> String {
        let made = try await ChildProcess.run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder + "/any.key"])
        guard made.exit == 0 else { throw Unexpected("a key: \(made)") }
        let written = try await ChildProcess.run("openssl", ["ec", "-in", folder + "/any.key", "-pubout", "-out", folder + "/any.pub"])
        guard written.exit == 0 else { throw Unexpected("a public key: \(written)") }
        return folder + "/any.pub"
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

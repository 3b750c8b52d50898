import Foundation
import JSON

@testable import Sigstore

/// The data of Tests/Fixtures/sigstore; its README says where each part is from.
enum Fixture {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/sigstore")

    static func path(_ name: String) -> String { root.appending(path: name).path }

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appending(path: path))) }

    static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    static func json(_ path: String) throws -> JSONValue { try JSONValue(parsing: try bytes(path)) }

    static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path(folder)))?.sorted() ?? []
    }

    static func trustedRoot(_ path: String = "trusted-roots/production.json") throws -> TrustedRoot { try TrustedRoot(parsing: try bytes(path)) }
}

/// One of the cases of cases.json.
struct FixtureCase: Sendable, CustomStringConvertible {
    let name: String
    let value: JSONValue

    var description: String { name }
    var isExpected: Bool { value["expected"]?.string == "pass" }

    static let all = of("cases.json")
    /// What no real client makes, each with the code of its refusal; see README.
    static let made = of("lab/cases.json")

    private static func of(_ path: String) -> [FixtureCase] {
        ((try? Fixture.json(path))?["cases"]?.array ?? []).compactMap { value in
            value["name"]?.string.map { FixtureCase(name: $0, value: value) }
        }
    }

    static let bundles = all.filter { $0.value["kind"]?.string == "bundle" }
    static let images = all.filter { $0.value["kind"]?.string != "bundle" }

    func text(_ name: String) -> String? { value[name]?.string }

    func verifier() throws(Refusal) -> Verifier {
        do throws(TrustedRoot.Malformed) {
            let root = try text("trusted_root").map { (path) throws(TrustedRoot.Malformed) in
                try TrustedRoot(parsing: (try? Fixture.bytes(path)) ?? [])
            }
            guard let anchors = text("ca_roots") else {
                if let root { return try Verifier(root) }
                return try Verifier(try TrustedRoot(parsing: Array(TrustedRoot.publicGood.utf8)))
            }
            let intermediates = text("ca_intermediates").map { Self.certificates($0) } ?? []
            return try Verifier(root, roots: Self.certificates(anchors), intermediates: intermediates)
        } catch {
            throw Refusal(error)
        }
    }

    private static func certificates(_ path: String) -> [[UInt8]] { ((try? PEM.all(in: Fixture.text(path))) ?? []).map(\.bytes) }

    func policy() throws(Refusal) -> VerificationPolicy {
        let signer: SignerPolicy
        if let key = text("key") {
            do throws(PublicKey.Unusable) { signer = .key(try PublicKey(pem: (try? Fixture.text(key)) ?? "")) } catch {
                throw Refusal(.keyMalformed, error.message)
            }
        } else {
            signer = .identity(text("identity") ?? "", issuer: text("issuer"))
        }
        let policy = value["policy"]
        return VerificationPolicy(
            signer: signer, log: policy?["tlog"]?.string == "not-required" ? .notRequired : .required,
            certificateLog: policy?["sct"]?.string == "not-required" ? .notRequired : .required)
    }

    /// What the case says of its bundle; the artifact is given as bytes or by its digest.
    func verify(_ artifact: Artifact) throws(Refusal) -> Verifier.Verified {
        let verifier = try verifier()
        let policy = try policy()
        let bundle: Sigstore.Bundle
        do throws(Sigstore.Bundle.Malformed) { bundle = try Sigstore.Bundle(parsing: (try? Fixture.bytes(text("bundle") ?? "")) ?? []) } catch {
            throw Refusal(error)
        }
        return try verifier.verify(bundle, of: artifact, policy, now: .fixtures)
    }

    func verifyImage() async throws -> ImageSignatures.Accepted {
        let source = try ImageLayoutFolder(path: Fixture.path(text("layout") ?? ""))
        return try await ImageSignatures(try verifier(), try policy()).verify(digest: text("image_digest") ?? "", in: source, now: .fixtures)
    }
}

extension Moment {
    /// A time at which the certificates of the private PKI of the fixtures count: 2026-11-01.
    static let fixtures = Moment(seconds: 1_793_491_200)
}

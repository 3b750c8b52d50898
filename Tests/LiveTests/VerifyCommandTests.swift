import Foundation
import JSON
import Testing

extension Live {
    /// The commands that verify signatures: a name alone says nothing, since anybody can run an issuer that vouches for it.
    @Suite struct VerifyCommandTests {
        private static let fixtures = Machine.checkout + "/Tests/Fixtures/sigstore"
        private static let workflows = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
        /// Whom the bundles of the conformance suite and the images of the private instance are by.
        private static let bundleIdentity = [
            "--certificate-identity", workflows + "extremely-dangerous-oidc-beacon.yml@refs/heads/main",
        ]
        private static let imageIdentity = [
            "--certificate-identity", "https://ci.cargo.test/acme/rocket/.workflows/publish.yml@refs/heads/main",
        ]

        private func run(_ arguments: [String]...) async throws -> CommandResult {
            try await ChildProcess.run(try Machine.executable(), arguments.flatMap(\.self))
        }

        private func expectWrongUsage(_ result: CommandResult) {
            #expect(result.exit == 2 && result.stderr.contains("--certificate-identity needs --certificate-oidc-issuer"), "\(result)")
            #expect(result.stdout.isEmpty)
        }

        @Test func aBundlesSignerNeedsAnIssuer() async throws {
            let bundle = ["sigstore", "verify-bundle", "--bundle", Self.fixtures + "/bundles/happy-path-v0.3/bundle.sigstore.json"]
            let file = [Self.fixtures + "/artifacts/a.txt"]
            expectWrongUsage(try await run(bundle, Self.bundleIdentity, file))
            expectWrongUsage(try await run(bundle, Self.bundleIdentity, ["--trusted-root", Self.fixtures + "/trusted-roots/production.json"], file))
            let issuer = ["--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"]
            let verified = try await run(bundle, Self.bundleIdentity, issuer, file)
            #expect(verified.exit == 0, "\(verified)")
            let other = try await run(bundle, Self.bundleIdentity, ["--certificate-oidc-issuer", "https://accounts.google.com"], file)
            #expect(other.exit == 1, "\(other)")
        }

        @Test func anImagesSignerNeedsAnIssuer() async throws {
            let image = [
                "cargo", "verify", "--layout", Self.fixtures + "/oci/gen-legacy-keyless", "--digest",
                "sha256:a7d7e0cfe277fcfd88270a1ba47537e4e2d0e936453e11a7152994fa2a286f8b", "--trusted-root",
                Self.fixtures + "/trusted-roots/private-oci.json",
            ]
            expectWrongUsage(try await run(image, Self.imageIdentity))
            let verified = try await run(image, Self.imageIdentity, ["--certificate-oidc-issuer", "https://oidc.cargo.test"])
            #expect(verified.exit == 0, "\(verified)")
        }

        @Test(arguments: [
            ["--digest", "latest"], ["--digest", ""], ["--digest", "sha256:A7D7E0CFE277FCFD88270A1BA47537E4E2D0E936453E11A7152994FA2A286F8B"],
            ["--digest", "a7d7e0cfe277fcfd88270a1ba47537e4e2d0e936453e11a7152994fa2a286f8b"], ["--layout", "/nowhere"],
            ["--layout", "/etc/hosts"], ["--trusted-root", "/etc"], ["--trusted-root", "/nowhere"], ["--ca-roots", "/etc"],
        ])
        func whatCannotBeMeantIsWrongUsage(change: [String]) async throws {
            var options = [
                "--layout": Self.fixtures + "/oci/gen-legacy-keyless",
                "--digest": "sha256:a7d7e0cfe277fcfd88270a1ba47537e4e2d0e936453e11a7152994fa2a286f8b",
                "--certificate-oidc-issuer": "https://oidc.cargo.test",
            ]
            options[change[0]] = change[1]
            let result = try await run(["cargo", "verify", "--json"], Self.imageIdentity, options.flatMap { [$0.key, $0.value] })
            #expect(result.exit == 2 && result.stdout.isEmpty, "\(result)")
        }

        /// A pipe would be waited for, a folder cannot be read; neither is a signature.
        @Test(arguments: [["mkfifo"], ["mkdir"]]) func aBlobThatIsNoFileIsRefused(command: [String]) async throws {
            let folder = try Machine.makeFolder("odd-layout")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let layout = folder + "/layout"
            try FileManager.default.copyItem(atPath: Self.fixtures + "/oci/gen-legacy-keyless", toPath: layout)
            let digest = "a7d7e0cfe277fcfd88270a1ba47537e4e2d0e936453e11a7152994fa2a286f8b"
            let blob = layout + "/blobs/sha256/" + digest
            try FileManager.default.removeItem(atPath: blob)
            #expect(try await ChildProcess.run(command[0], [blob]).exit == 0)
            let result = try await run(
                [
                    "cargo", "verify", "--json", "--layout", layout, "--digest", "sha256:" + digest, "--certificate-oidc-issuer",
                    "https://oidc.cargo.test",
                ],
                Self.imageIdentity)
            #expect(result.exit == 1, "\(result)")
            #expect(try result.json()["code"]?.string == "image_malformed")
        }

        /// Its certificates name no issuer. What it comes to depends on the day, since nothing says when it was signed.
        @Test func aPrivatePKINeedsNoIssuer() async throws {
            let folder = Self.fixtures + "/oci/cosign-byo-pki"
            let image = [
                "cargo", "verify", "--layout", folder, "--digest", "sha256:253c890b744fe3efa923b68e3a1be07bd007eb44ba29da1e7deb1d4c53b3e212",
                "--certificate-identity", "qiwan@redhat.com", "--tlog", "not-required", "--sct", "not-required",
            ]
            expectWrongUsage(try await run(image))
            let result = try await run(image, ["--ca-roots", folder + "/roots.pem", "--ca-intermediates", folder + "/intermediates.pem"])
            #expect(result.exit == 0 || result.exit == 1, "\(result)")
        }
    }
}

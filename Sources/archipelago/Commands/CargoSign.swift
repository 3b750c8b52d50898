import ArgumentParser
import Foundation
import JSON
import OCI
import Sigstore

/// `archipelago cargo sign`.
struct CargoSign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign an image as cosign does and store the signature beside it in the registry.",
        discussion: """
            The signature is logged in the coordinator's transparency log, or in the one of --rekor-url or --signing-config, and verified before
            it is stored. With --key it is made with a private key file of cosign or 'cargo keygen'; with --identity-token with a key for this
            once, for which a certificate authority vouches.

              archipelago cargo sign 127.0.0.1:5000/team/app:v1.0.0 --key cosign.key
            """)

    @Argument(help: "The image in its registry; a tag is resolved once, and its digest signed.") var image: String
    @Option(help: ArgumentHelp("A private key, encrypted as cosign does it or a plain PEM file.", valueName: "file")) var key: String?
    @Option(help: ArgumentHelp("An OpenID Connect identity token (default: $SIGSTORE_ID_TOKEN).", valueName: "jwt")) var identityToken: String?
    @Flag(help: "Store the signature in the layout of cosign 1 and 2, under a tag that ends in .sig.") var legacy = false
    @Option(
        help: ArgumentHelp(
            "'not-required' leaves the transparency log out; such a signature is not enough for level 2.", valueName: "required|not-required"))
    var tlog = VerificationPolicy.Requirement.required
    @OptionGroup var instance: InstanceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let token = key == nil ? identityToken ?? ProcessInfo.processInfo.environment["SIGSTORE_ID_TOKEN"] : nil
        guard (key == nil) != (token == nil) else { throw CommandFailure(.usage, "Say what to sign with: --key, or --identity-token.") }
        let reference: ImageReference
        do { reference = try ImageReference(parsing: image) } catch {
            throw CommandFailure(.usage, "'\(image)' is no image: \(error.message)")
        }
        // What needs the person comes first, so that nothing is half done when the password is wrong.
        let opened = try key.map { try KeyFile.open($0) }
        let (root, configuration) = try await instance.load(needsAuthority: token != nil)
        let signatory =
            if let opened { Signatory(key: opened, configuration) } else { try await Signatory(token: token ?? "", configuration) }
        do {
            try await Workshop.use { workshop in
                let descriptor = try await workshop.client.resolve(reference)
                let repository = reference.with(digest: descriptor.digest).withoutTag()
                let signer = ImageSigner(
                    client: workshop.client, repository: repository, image: descriptor, signatory: signatory, root: root, log: tlog)
                let signed = try await legacy ? signer.signLegacy() : signer.sign()
                show(signed, descriptor.digest)
            }
        } catch let refusal as Refusal {
            try VerificationReport.refused(refusal, output)
        }
    }

    private func show(_ signed: Signatory.Signed, _ digest: OCI.Digest) {
        let entry = signed.logEntries.first
        output.show(
            [
                "digest": .string(digest.description), "layout": .string((legacy ? ImageSignatures.Layout.legacy : .bundle).rawValue),
                "log_index": entry.map { .int($0.logIndex) } ?? .null, "log_id": entry.map { .string($0.logIDHexadecimal) } ?? .null,
            ],
            ["Signed \(digest)" + (entry.map { ", log entry \($0.logIndex)" } ?? ", without a log entry")])
    }
}

/// Which services sign, and whom to believe.
struct InstanceOptions: ParsableArguments {
    @OptionGroup var place: AddressOptions
    @Option(help: ArgumentHelp("A transparency log of version 1 (default: the coordinator's own).", valueName: "url")) var rekorUrl: String?
    @Option(help: ArgumentHelp("A certificate authority, for --identity-token.", valueName: "url")) var fulcioUrl: String?
    @Option(help: ArgumentHelp("A signing configuration, a JSON file that names logs, authorities and clocks.", valueName: "file"))
    var signingConfig: String?
    @Option(help: ArgumentHelp("The trusted root of these services, a JSON file (default: the coordinator's own).", valueName: "file"))
    var trustedRoot: String?

    func validate() throws {
        if signingConfig != nil, rekorUrl != nil || fulcioUrl != nil {
            throw ValidationError("--signing-config names every service; leave out --rekor-url and --fulcio-url.")
        }
        for path in [signingConfig, trustedRoot].compactMap(\.self) { try InputFile.requireExists(path) }
    }

    /// The trusted root and the services.
    func load(needsAuthority: Bool) async throws -> (TrustedRoot, SigningConfiguration) {
        let configuration: SigningConfiguration
        if let signingConfig {
            do throws(SigningConfiguration.Malformed) {
                configuration = try SigningConfiguration(parsing: (try? InputFile.bytes(signingConfig)) ?? [])
            } catch {
                throw CommandFailure(.usage, "'\(signingConfig)' cannot be used at \"\(error.pointer)\": \(error.message).")
            }
        } else {
            let log = SigningConfiguration.Service(url: Self.trimmed(rekorUrl ?? address + "/rekor"), majorVersion: 1)
            let authorities = fulcioUrl.map { [SigningConfiguration.Service(url: Self.trimmed($0), majorVersion: 1)] } ?? []
            configuration = SigningConfiguration(authorities: authorities, logs: [log])
        }
        return (try await root(), configuration)
    }

    private var address: String { Self.trimmed(place.named ?? AddressOptions.standard) }

    private static func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    private func root() async throws -> TrustedRoot {
        if let trustedRoot { return try TrustedRoot(file: trustedRoot) }
        let bytes = try await APIClient(address: address, key: nil).call(.get, "/trusted-root.json").bytes
        do throws(TrustedRoot.Malformed) { return try TrustedRoot(parsing: bytes) } catch {
            throw CommandFailure(.usage, "The coordinator's trusted root cannot be used at \"\(error.pointer)\": \(error.message).")
        }
    }
}

import ArgumentParser
import Foundation
import JSON
import OCI
import SignedImages
import Sigstore

/// `archipelago cargo verify`.
struct CargoVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verify that an image is signed, in either of cosign's layouts.",
        discussion: """
            The image is read from its registry, or with --layout from a folder, with nothing else of the network. Exit codes: 0 verified,
            1 refused, 2 wrong usage; where the registry has no such image 3, and where it does not answer 5.

              archipelago cargo verify ghcr.io/team/app@sha256:… --certificate-identity dev@example.org \\
                --certificate-oidc-issuer https://accounts.google.com
              archipelago cargo verify --layout FOLDER --digest sha256:… --key cosign.pub --tlog not-required
            """)

    @Argument(help: "The image in its registry.") var image: String?
    @Option(help: ArgumentHelp("A folder with an OCI image layout, in place of a registry.", valueName: "folder")) var layout: String?
    @Option(help: ArgumentHelp("The digest of the image's manifest in the layout.", valueName: "digest")) var digest: String?
    @OptionGroup var signer: SignerOptions
    @OptionGroup var trust: TrustOptions
    @Option(help: ArgumentHelp("Roots of a private PKI, in place of the trusted root's authorities, a PEM file.", valueName: "file"))
    var caRoots: String?
    @Option(
        help: ArgumentHelp(
            "Further certificates of the private PKI, a PEM file; without it, those of cosign's older layout come with the signature.",
            valueName: "file"))
    var caIntermediates: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (image == nil) != (layout == nil), (layout == nil) == (digest == nil) else {
            throw ValidationError("Name an image, or a folder with --layout and the image in it with --digest.")
        }
        if let digest, (try? Digest(digest))?.algorithm != .sha256 {
            throw ValidationError("--digest must be sha256: and 64 lower-case hexadecimal digits.")
        }
        if caIntermediates != nil, caRoots == nil { throw ValidationError("--ca-intermediates goes with --ca-roots.") }
        if caRoots == nil { try signer.requireIssuer() }
        for path in [caRoots, caIntermediates].compactMap(\.self) { try InputFile.requireExists(path) }
        if let layout { try InputFile.requireFolder(layout) }
    }

    func run() async throws {
        do {
            let policy = VerificationPolicy(signer: try signer.policy(), log: trust.tlog, certificateLog: trust.sct)
            let signatures = ImageSignatures(try verifier(), policy)
            let accepted =
                if let layout, let digest {
                    try await signatures.verify(digest: digest, in: try ImageLayoutFolder(path: layout), now: .now)
                } else {
                    try await verifyInRegistry(signatures)
                }
            VerificationReport.accepted(accepted.verified, accepted.layout, output)
        } catch let refusal as Refusal {
            try VerificationReport.refused(trust.explained(refusal), output)
        }
    }

    private func verifyInRegistry(_ signatures: ImageSignatures) async throws -> ImageSignatures.Accepted {
        let reference: ImageReference
        do { reference = try ImageReference(parsing: image ?? "") } catch {
            throw CommandFailure(.usage, "'\(image ?? "")' is no image: \(error.message)")
        }
        return try await Workshop.use { workshop in
            let digest: Digest
            do { digest = try await workshop.client.resolve(reference).digest } catch let error as OCIError { throw Refusal(error) ?? error }
            let source = SignedRepository(client: workshop.client, reference)
            return try await signatures.verify(digest: digest.description, inRegistry: source, now: .now)
        }
    }

    private func verifier() throws(Refusal) -> Verifier {
        guard let caRoots else { return try trust.verifier() }
        // Logs and clocks of the public instance vouch for a private PKI only if their root is named.
        let root = trust.trustedRoot == nil ? nil : try trust.root()
        let (roots, intermediates) = (try Self.certificates(caRoots), try caIntermediates.map(Self.certificates) ?? [])
        do throws(TrustedRoot.Malformed) { return try Verifier(root, roots: roots, intermediates: intermediates) } catch { throw Refusal(error) }
    }

    private static func certificates(_ path: String) throws(Refusal) -> [[UInt8]] {
        let text = try InputFile.refusingText(path, .certificateMalformed)
        guard let documents = try? PEM.all(in: text), documents.allSatisfy({ $0.label == "CERTIFICATE" }) else {
            throw Refusal(.certificateMalformed, "'\(path)' has no certificates in PEM.")
        }
        return documents.map(\.bytes)
    }
}

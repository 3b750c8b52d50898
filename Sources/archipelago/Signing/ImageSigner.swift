import Foundation
import JSON
import OCI
import SignedImages
import Sigstore

/// Signs one image and stores the signature beside it, once our own verifier accepts it.
struct ImageSigner {
    let client: RegistryClient
    let repository: ImageReference
    let image: Descriptor
    let signatory: Signatory
    let root: TrustedRoot
    let log: VerificationPolicy.Requirement

    private var isLogged: Bool { log == .required }

    /// Signs in the layout of bundles.
    func sign() async throws -> Signatory.Signed {
        try requireTrust()
        let (envelope, signed) = try await signatory.sign(
            ImageStatement.bytes(digest: image.digest.hex), type: DSSEEnvelope.inTotoType, logged: isLogged)
        let bundle = Sigstore.Bundle(
            material: signatory.material, content: .envelope(envelope), logEntries: signed.logEntries, timestamps: signed.timestamps)
        let bytes = bundle.json.bytes
        let verifier = try verifier()
        // What is stored is what was verified, byte for byte.
        let reread: Sigstore.Bundle
        do throws(Sigstore.Bundle.Malformed) { reread = try Sigstore.Bundle(parsing: bytes) } catch { throw Refusal(error) }
        _ = try verifier.verify(reread, of: try artifact(), try policy(), now: .now)
        try await client.attach(
            bytes, artifactType: Sigstore.Bundle.mediaType, to: image, in: repository,
            annotations: ImageSignatureDocuments.bundleAnnotations(created: Sigstore.Moment.now.rfc3339))
        return signed
    }

    /// Writers that may be in between. Chosen: more than sign one image at one moment.
    private static let triesMax = 5

    /// Signs in the layout of cosign 1 and 2. Registries have no transaction, so the tag is read again afterwards, and written again when
    /// another signer was in between.
    func signLegacy() async throws -> Signatory.Signed {
        try requireTrust()
        let payload = SimpleSigning.payload(reference: repository.name, digest: image.digest.description)
        let signed = try await signatory.sign(payload, logged: isLogged)
        let annotations = ImageSignatureDocuments.legacyAnnotations(
            signature: signed.signature, certificate: signatory.certificate, logEntry: signed.logEntries.first, timestamp: signed.timestamps.first)
        try await client.pushBlob(payload, mediaType: SimpleSigning.mediaType, to: repository)
        let tag = ImageSignatureDocuments.legacyTag(of: image.digest.description)
        let source = SignedRepository(client: client, repository)
        for _ in 0..<Self.triesMax {
            let known = try await source.manifest(tag: tag)
            if let known, Self.holds(annotations, known) {
                _ = try await ImageSignatures(try verifier(), try policy()).verify(
                    digest: image.digest.description, inRegistry: source, now: .now)
                return signed
            }
            let (manifest, configuration) = try ImageSignatureDocuments.legacyManifest(adding: payload, annotations, to: known)
            try await client.pushBlob(configuration, mediaType: "application/vnd.oci.image.config.v1+json", to: repository)
            try await client.pushManifest(
                manifest, mediaType: "application/vnd.oci.image.manifest.v1+json", to: try repository.with(tag: tag))
        }
        throw CommandFailure(.unavailable, "The signatures of \(image.digest) are changed by others all the time; try again later.")
    }

    private static func holds(_ annotations: [String: String], _ manifest: [UInt8]) -> Bool {
        let layers = (try? JSONValue(parsing: manifest))?["layers"]?.array ?? []
        return layers.contains { layer in annotations.allSatisfy { layer["annotations"]?[$0.key]?.string == $0.value } }
    }

    /// Insists that the certificate will be believed, before a log keeps what nobody will accept.
    private func requireTrust() throws {
        guard let certificate = signatory.certificate else { return }
        try verifier().requireTrusted(try SigningCertificate(der: certificate), try policy())
    }

    private func artifact() throws -> Artifact {
        guard image.digest.algorithm == .sha256, let artifact = Artifact(sha256Hexadecimal: image.digest.hex) else {
            throw CommandFailure(.usage, "Images are signed by their SHA-256 digest, and \(image.digest) is another.")
        }
        return artifact
    }

    private func verifier() throws -> Verifier {
        do throws(TrustedRoot.Malformed) { return try Verifier(root) } catch { throw Refusal(error) }
    }

    /// That this signatory signed, whoever that is.
    private func policy() throws -> VerificationPolicy {
        guard let certificate = signatory.certificate else { return VerificationPolicy(signer: .key(signatory.key.publicKey), log: log) }
        let own = try SigningCertificate(der: certificate)
        return VerificationPolicy(signer: .identity(own.names.first ?? "", issuer: own.issuer), log: log)
    }
}

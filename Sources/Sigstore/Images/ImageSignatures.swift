import JSON

/// Verifies the signatures that are stored beside an image, in cosign's two layouts.
///
/// Source: sigstore/cosign, specs/BUNDLE_SPEC.md (bundles that refer to the image) and specs/SIGNATURE_SPEC.md (the tag `….sig`).
public struct ImageSignatures: Sendable {
    private let verifier: Verifier
    private let policy: VerificationPolicy

    /// Signatures as a policy wants them.
    public init(_ verifier: Verifier, _ policy: VerificationPolicy) {
        self.verifier = verifier
        self.policy = policy
    }

    /// The way in which a signature was stored.
    public enum Layout: String, Sendable, Hashable {
        case bundle, legacy
    }

    /// An accepted signature of an image.
    public struct Accepted: Sendable {
        /// How it was stored.
        public let layout: Layout
        /// What was found of it.
        public let verified: Verifier.Verified
        /// What is stored beside the image, byte for byte: the bundle, or in the older layout the signed payload.
        public let content: [UInt8]
        /// What the older layout says beside its payload, by cosign's names; empty for a bundle.
        public let annotations: [String: String]
    }

    /// Insists that an image has at least one signature that the policy accepts.
    ///
    /// - Parameters:
    ///   - digest: `sha256:` and 64 hexadecimal digits, of the image's manifest.
    ///   - now: see ``Verifier/verify(_:of:_:now:)-(Bundle,_,_,_)``.
    /// - Throws: ``Refusal`` of the first signature, or `unsigned`; what the source throws.
    public func verify(digest: String, in source: some ImageSource, now: Moment) async throws -> Accepted {
        guard Self.isDigest(digest), let hash = Hexadecimal.bytes(digest.dropFirst("sha256:".count)) else {
            throw Refusal(.imageMalformed, "\"\(digest.prefix(100))\" is no SHA-256 digest.")
        }
        guard let manifest = try await source.manifest(digest: digest) else { throw Refusal(.imageMalformed, "There is no image \(digest).") }
        try Self.require(manifest, digest)
        var first: Refusal?
        for candidate in try await candidates(digest, source) {
            do throws(Refusal) {
                switch candidate {
                case .bundle(let layer): return try await verifyBundle(layer, hash, source, now)
                case .legacy(let layer): return try await verifyLegacy(layer, digest, source, now)
                case .unusable(let refusal): throw refusal
                }
            } catch {
                first = first ?? error
            }
        }
        throw first ?? Refusal(.unsigned, "The image has no signature.")
    }

    /// Something stored beside an image that may be a signature of it, by its descriptor.
    private enum Candidate {
        case bundle(JSONValue)
        case legacy(JSONValue)
        /// Whoever may write into the repository can put it there; the signatures beside it count all the same.
        case unusable(Refusal)
    }

    private func candidates(_ digest: String, _ source: some ImageSource) async throws -> [Candidate] {
        var candidates: [Candidate] = []
        for referrer in try await source.referrers(of: digest) {
            // An index may leave the type out; then the manifest says it.
            guard referrer.artifactType.isEmpty || Self.isBundle(referrer.artifactType) else { continue }
            guard candidates.count < Self.signaturesMax else { throw Refusal(.imageMalformed, "The image has too many signatures.") }
            let bytes = try await source.manifest(digest: referrer.digest)
            do throws(Refusal) {
                if let layer = try Self.bundleLayer(of: bytes, referrer.digest, about: digest) { candidates.append(.bundle(layer)) }
            } catch {
                candidates.append(.unusable(error))
            }
        }
        guard let bytes = try await source.manifest(tag: Self.tag(of: digest) + ".sig") else { return candidates }
        let layers = try Self.json(bytes)["layers"]?.array ?? []
        guard layers.count <= Self.signaturesMax else { throw Refusal(.imageMalformed, "The image has too many signatures.") }
        return candidates + layers.map(Candidate.legacy)
    }

    /// The layer with the bundle in a manifest that belongs to an image; `nil` when it holds something else.
    private static func bundleLayer(of bytes: [UInt8]?, _ own: String, about digest: String) throws(Refusal) -> JSONValue? {
        guard let bytes else { throw Refusal(.imageMalformed, "What belongs to the image is not there: \(own).") }
        try require(bytes, own)
        let manifest = try json(bytes)
        let layers = manifest["layers"]?.array ?? []
        guard let layer = layers.first, layers.count == 1, isBundle(layer["mediaType"]?.string ?? "") else { return Optional.none }
        guard manifest["subject"]?["digest"]?.string == digest else {
            throw Refusal(.referrerOtherImage, "A signature that is listed beside the image belongs to another one.")
        }
        return layer
    }

    /// Chosen: each costs a few milliseconds.
    static let signaturesMax = 256

    private func verifyBundle(_ layer: JSONValue, _ hash: [UInt8], _ source: any ImageSource, _ now: Moment) async throws(Refusal)
        -> Accepted
    {
        let bundle: Bundle
        let bytes = try await Self.blob(layer, source)
        do throws(Bundle.Malformed) { bundle = try Bundle(parsing: bytes) } catch { throw Refusal(error) }
        // A document about the image is not a signature of it.
        guard case .envelope(let envelope) = bundle.content, let statement = try? InTotoStatement(parsing: envelope.payload),
            statement.predicateType == ImageStatement.predicateType
        else { throw Refusal(.statementMalformed, "What is stored beside the image is no signature of an image.") }
        let verified = try verifier.verify(bundle, of: .digest(hash, .sha256), policy, now: now)
        return Accepted(layout: .bundle, verified: verified, content: bytes, annotations: [:])
    }

    private func verifyLegacy(
        _ layer: JSONValue, _ digest: String, _ source: any ImageSource, _ now: Moment
    ) async throws(Refusal) -> Accepted {
        let payload = try await Self.blob(layer, source)
        let annotations = try LegacyAnnotations(layer["annotations"]?.object)
        let verified = try verifyLegacy(payload, annotations, now)
        // Only now that it is known to be signed.
        let named: SimpleSigning
        do throws(SimpleSigning.Malformed) { named = try SimpleSigning(parsing: payload) } catch {
            throw Refusal(.payloadMalformed, "The signature's payload cannot be read: \(error.message).")
        }
        guard named.digest == digest else { throw Refusal(.payloadOtherImage, "The signature is of another image.") }
        let said = layer["annotations"]?.object?.members.compactMap { member in member.value.string.map { (member.name, $0) } } ?? []
        return Accepted(layout: .legacy, verified: verified, content: payload, annotations: Dictionary(said) { $1 })
    }

    /// A key counts beside any certificate that came along.
    private func verifyLegacy(_ payload: [UInt8], _ annotations: LegacyAnnotations, _ now: Moment) throws(Refusal) -> Verifier.Verified {
        let keyed = policy.signer.keys.isEmpty ? nil : annotations.thing(.publicKey(hint: ""), over: payload)
        guard let certificate = annotations.certificate else {
            guard let keyed else { throw Refusal(.keyNotExpected, "The image is signed with a key, and none is expected.") }
            return try verifier.verify(keyed, policy, now: now)
        }
        if let keyed, let verified = try? verifier.verify(keyed, policy, now: now) { return verified }
        return try verifier.verify(annotations.thing(.certificates([certificate]), over: payload), policy, now: now)
    }

    // MARK: Reading

    static func isDigest(_ text: String) -> Bool {
        let hex = text.dropFirst("sha256:".count).utf8
        return text.hasPrefix("sha256:") && hex.count == 64 && hex.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The tag under which registries without a referrers interface list what belongs to an image.
    static func tag(of digest: String) -> String { "sha256-" + digest.dropFirst("sha256:".count) }

    private static func isBundle(_ mediaType: String) -> Bool { mediaType.hasPrefix("application/vnd.dev.sigstore.bundle") }

    private static func require(_ bytes: [UInt8], _ digest: String) throws(Refusal) {
        guard "sha256:" + Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(bytes)) == digest else {
            throw Refusal(.digestMismatch, "\(digest) is not what its digest says.")
        }
    }

    private static func json(_ bytes: [UInt8]) throws(Refusal) -> JSONValue {
        guard let value = try? JSONValue(parsing: bytes, limits: .init(bytesMax: ImageLimits.manifestBytesMax, depthMax: ImageLimits.depthMax)) else {
            throw Refusal(.imageMalformed, "A manifest beside the image cannot be read.")
        }
        return value
    }

    private static func blob(_ layer: JSONValue, _ source: any ImageSource) async throws(Refusal) -> [UInt8] {
        guard let digest = layer["digest"]?.string, isDigest(digest), let size = layer["size"]?.int, (0...ImageLimits.blobBytesMax).contains(size)
        else {
            throw Refusal(.imageMalformed, "A signature beside the image has no digest or size.")
        }
        guard let bytes = try? await source.blob(digest: digest, size: size) else {
            throw Refusal(.imageMalformed, "A signature beside the image cannot be read: \(digest).")
        }
        try require(bytes, digest)
        return bytes
    }
}

/// What cosign's older layout says of a signature beside its payload.
private struct LegacyAnnotations {
    let signature: [UInt8]
    /// In DER.
    let certificate: [UInt8]?
    let logEntries: [Bundle.LogEntry]
    let timestamps: [[UInt8]]

    init(_ object: JSONObject?) throws(Refusal) {
        func text(_ name: String) -> String? { object?[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        guard let signature = text("dev.cosignproject.cosign/signature").flatMap(Base64.bytes), !signature.isEmpty else {
            throw Refusal(.signatureInvalid, "What is stored beside the image has no signature.")
        }
        self.signature = signature
        if let pem = text("dev.sigstore.cosign/certificate") {
            guard let document = try? PEM.only(in: pem, labels: ["CERTIFICATE"]) else {
                throw Refusal(.certificateMalformed, "The signer's certificate is no PEM document.")
            }
            certificate = document.bytes
        } else {
            certificate = nil
        }
        logEntries = try text("dev.sigstore.cosign/bundle").map { (json) throws(Refusal) in [try Bundle.LogEntry(cosign: Array(json.utf8))] } ?? []
        timestamps =
            try text("dev.sigstore.cosign/rfc3161timestamp").map { (json) throws(Refusal) in
                guard let stamp = (try? JSONValue(parsing: Array(json.utf8)))?["SignedRFC3161Timestamp"]?.string.flatMap(Base64.bytes) else {
                    throw Refusal(.timestampMalformed, "The time stamp cannot be read.")
                }
                return [stamp]
            } ?? []
    }

    func thing(_ material: Bundle.Material, over payload: [UInt8]) -> SignedThing {
        SignedThing(
            material: material, signature: signature, content: .message(.bytes(payload), nil), logEntries: logEntries, timestamps: timestamps,
            proofRule: .promise)
    }
}

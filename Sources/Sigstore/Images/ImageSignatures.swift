import JSON

/// Verifies the signatures that are stored beside an image, in cosign's two layouts.
///
/// Source: sigstore/cosign, specs/BUNDLE_SPEC.md (bundles that refer to the image) and specs/SIGNATURE_SPEC.md (the tag `….sig`).
public struct ImageSignatures: Sendable {
    private let verifier: Verifier
    private let policy: VerificationPolicy
    private let bytesMax: Int

    /// Signatures as a policy wants them.
    public init(_ verifier: Verifier, _ policy: VerificationPolicy) { self.init(verifier, policy, bytesMax: ImageLimits.lookBytesMax) }

    /// - Parameter bytesMax: what may be read of an image and of what is stored beside it, in one look.
    init(_ verifier: Verifier, _ policy: VerificationPolicy, bytesMax: Int) {
        self.verifier = verifier
        self.policy = policy
        self.bytesMax = bytesMax
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
        /// The image's manifest, byte for byte.
        public let imageManifest: [UInt8]
        /// The manifest that names ``content``, byte for byte; in the older layout that of all signatures of the image.
        public let signatureManifest: [UInt8]
    }

    /// Insists that an image has at least one signature that the policy accepts.
    ///
    /// What stands beside it is read and verified one by one, so that only one is in memory. A blob that the source fails to give counts as one
    /// that is not there.
    ///
    /// - Parameters:
    ///   - digest: `sha256:` and 64 hexadecimal digits, of the image's manifest.
    ///   - now: see ``Verifier/verify(_:of:_:now:)-(Bundle,_,_,_)``.
    /// - Throws: ``Refusal`` of the first signature, or `unsigned`; `image_malformed` when there are more than 256 signatures or 128 MiB to read
    ///   before an accepted one; what the source throws for manifests and lists; `CancellationError`.
    public func verify(digest: String, in source: some ImageSource, now: Moment) async throws -> Accepted {
        guard Self.isDigest(digest), let hash = Hexadecimal.bytes(digest.dropFirst("sha256:".count)) else {
            throw Refusal(.imageMalformed, "\"\(digest.prefix(100))\" is no SHA-256 digest.")
        }
        var look = Look(source, digest: digest, hash: hash, now: now, bytesMax: bytesMax)
        guard let manifest = try await look.manifest(digest: digest) else { throw Refusal(.imageMalformed, "There is no image \(digest).") }
        try Self.require(manifest, digest)
        look.imageManifest = manifest
        if let accepted = try await acceptedBundle(&look) { return accepted }
        if let accepted = try await acceptedLegacy(&look) { return accepted }
        throw look.firstRefusal ?? Refusal(.unsigned, "The image has no signature.")
    }

    /// Looks through the bundles. Whoever may write into the repository can put unusable ones there; those beside them count all the same.
    private func acceptedBundle(_ look: inout Look) async throws -> Accepted? {
        let referrers: [Referrer]
        do { referrers = try await look.referrers() } catch let refusal as Refusal {
            try look.note(refusal)
            return nil
        }
        for referrer in referrers {
            // An index may leave the type out; then the manifest says it.
            guard referrer.artifactType.isEmpty || Self.isBundle(referrer.artifactType) else { continue }
            guard look.refusalCount < Self.signaturesMax else { throw Refusal(.imageMalformed, "The image has too many signatures.") }
            do {
                let bytes = try await look.manifest(digest: referrer.digest)
                guard let layer = try Self.bundleLayer(of: bytes, referrer.digest, about: look.digest), let bytes else { continue }
                return try await verifyBundle(layer, of: bytes, &look)
            } catch let refusal as Refusal {
                try look.note(refusal)
            }
        }
        return nil
    }

    private func acceptedLegacy(_ look: inout Look) async throws -> Accepted? {
        guard let bytes = try await look.manifest(tag: Self.tag(of: look.digest) + ".sig") else { return nil }
        let layers = try Self.json(bytes)["layers"]?.array ?? []
        guard layers.count <= Self.signaturesMax else { throw Refusal(.imageMalformed, "The image has too many signatures.") }
        for layer in layers {
            do { return try await verifyLegacy(layer, of: bytes, &look) } catch let refusal as Refusal { try look.note(refusal) }
        }
        return nil
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

    private func verifyBundle(_ layer: JSONValue, of manifest: [UInt8], _ look: inout Look) async throws -> Accepted {
        let bytes = try await Self.blob(layer, &look)
        let bundle: Bundle
        do throws(Bundle.Malformed) { bundle = try Bundle(parsing: bytes) } catch { throw Refusal(error) }
        // A document about the image is not a signature of it.
        guard case .envelope(let envelope) = bundle.content, let statement = try? InTotoStatement(parsing: envelope.payload),
            statement.predicateType == ImageStatement.predicateType
        else { throw Refusal(.statementMalformed, "What is stored beside the image is no signature of an image.") }
        let verified = try verifier.verify(bundle, of: .digest(look.hash, .sha256), policy, now: look.now)
        return Accepted(
            layout: .bundle, verified: verified, content: bytes, annotations: [:], imageManifest: look.imageManifest, signatureManifest: manifest)
    }

    private func verifyLegacy(_ layer: JSONValue, of manifest: [UInt8], _ look: inout Look) async throws -> Accepted {
        let payload = try await Self.blob(layer, &look)
        let annotations = try LegacyAnnotations(layer["annotations"]?.object)
        let verified = try verifyLegacy(payload, annotations, look.now)
        // Only now that it is known to be signed.
        let named: SimpleSigning
        do throws(SimpleSigning.Malformed) { named = try SimpleSigning(parsing: payload) } catch {
            throw Refusal(.payloadMalformed, "The signature's payload cannot be read: \(error.message).")
        }
        guard named.digest == look.digest else { throw Refusal(.payloadOtherImage, "The signature is of another image.") }
        let said = layer["annotations"]?.object?.members.compactMap { member in member.value.string.map { (member.name, $0) } } ?? []
        return Accepted(
            layout: .legacy, verified: verified, content: payload, annotations: Dictionary(said) { $1 }, imageManifest: look.imageManifest,
            signatureManifest: manifest)
    }

    /// A key counts beside any certificate that came along.
    private func verifyLegacy(_ payload: [UInt8], _ annotations: LegacyAnnotations, _ now: Moment) throws(Refusal) -> Verifier.Verified {
        let keyed = policy.signer.keys.isEmpty ? nil : annotations.thing(.publicKey(hint: ""), over: payload)
        guard annotations.hasCertificate else {
            guard let keyed else { throw Refusal(.keyNotExpected, "The image is signed with a key, and none is expected.") }
            return try verifier.verify(keyed, policy, now: now)
        }
        if let keyed, let verified = try? verifier.verify(keyed, policy, now: now) { return verified }
        let certificate = try annotations.certificate()
        let verifier = verifier.lacksIntermediates ? verifier.adding(intermediates: try annotations.intermediates()) : verifier
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

    static func require(_ bytes: [UInt8], _ digest: String) throws(Refusal) {
        guard "sha256:" + Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(bytes)) == digest else {
            throw Refusal(.digestMismatch, "\(digest) is not what its digest says.")
        }
    }

    private static func json(_ bytes: [UInt8]) throws(Refusal) -> JSONValue {
        guard let value = try? JSONValue(parsing: bytes, limits: ImageLimits.manifest) else {
            throw Refusal(.imageMalformed, "A manifest beside the image cannot be read.")
        }
        return value
    }

    private static func blob(_ layer: JSONValue, _ look: inout Look) async throws -> [UInt8] {
        guard let digest = layer["digest"]?.string, isDigest(digest), let size = layer["size"]?.int, (0...ImageLimits.blobBytesMax).contains(size)
        else {
            throw Refusal(.imageMalformed, "A signature beside the image has no digest or size.")
        }
        guard let bytes = try await look.blob(digest: digest, size: size) else {
            throw Refusal(.imageMalformed, "A signature beside the image cannot be read: \(digest).")
        }
        try require(bytes, digest)
        guard bytes.count == size else { throw Refusal(.imageMalformed, "\(digest) has \(bytes.count) bytes and is listed with \(size).") }
        return bytes
    }
}

/// One look at an image and what is stored beside it. It ends when too much was read, whatever is still to come.
private struct Look {
    let digest: String
    let hash: [UInt8]
    let now: Moment
    var imageManifest: [UInt8] = []
    private(set) var firstRefusal: Refusal?
    /// Signatures that are not accepted.
    private(set) var refusalCount = 0
    private let source: any ImageSource
    private let bytesMax: Int
    private var bytesLeft: Int

    init(_ source: any ImageSource, digest: String, hash: [UInt8], now: Moment, bytesMax: Int) {
        self.source = source
        self.digest = digest
        self.hash = hash
        self.now = now
        self.bytesMax = bytesMax
        bytesLeft = bytesMax
    }

    /// Goes on after a signature that is not accepted, unless that was where the look ended.
    mutating func note(_ refusal: Refusal) throws(Refusal) {
        guard bytesLeft >= 0 else { throw refusal }
        firstRefusal = firstRefusal ?? refusal
        refusalCount += 1
    }

    func referrers() async throws -> [Referrer] { try await source.referrers(of: digest) }

    mutating func manifest(digest: String) async throws -> [UInt8]? { try counted(try await source.manifest(digest: digest)) }

    mutating func manifest(tag: String) async throws -> [UInt8]? { try counted(try await source.manifest(tag: tag)) }

    mutating func blob(digest: String, size: Int) async throws -> [UInt8]? {
        // Before it is read: its size alone may be too much.
        try spend(size)
        let bytes: [UInt8]?
        do { bytes = try await source.blob(digest: digest, size: size) } catch {
            // Nobody waits for the answer any more; that says nothing of the signature.
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            if let refusal = error as? Refusal { throw refusal }
            bytes = nil
        }
        if let more = bytes.map({ $0.count - size }), more > 0 { try spend(more) }
        return bytes
    }

    private mutating func counted(_ bytes: [UInt8]?) throws(Refusal) -> [UInt8]? {
        try spend(bytes?.count ?? 0)
        return bytes
    }

    private mutating func spend(_ count: Int) throws(Refusal) {
        bytesLeft -= count
        guard bytesLeft >= 0 else {
            throw Refusal(.imageMalformed, "More than \(bytesMax) bytes of what is stored beside the image would have to be read.")
        }
    }
}

/// What cosign's older layout says of a signature beside its payload.
private struct LegacyAnnotations {
    let signature: [UInt8]
    let logEntries: [Bundle.LogEntry]
    let timestamps: [[UInt8]]
    /// Of PEM; `nil` for none, as the next.
    private let signer: String?
    private let chain: String?

    init(_ object: JSONObject?) throws(Refusal) {
        func text(_ name: String) -> String? { object?[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        guard let signature = text("dev.cosignproject.cosign/signature").flatMap(Base64.bytes), !signature.isEmpty else {
            throw Refusal(.signatureInvalid, "What is stored beside the image has no signature.")
        }
        self.signature = signature
        signer = text("dev.sigstore.cosign/certificate")
        chain = text("dev.sigstore.cosign/chain")
        logEntries = try text("dev.sigstore.cosign/bundle").map { (json) throws(Refusal) in [try Bundle.LogEntry(cosign: Array(json.utf8))] } ?? []
        timestamps =
            try text("dev.sigstore.cosign/rfc3161timestamp").map { (json) throws(Refusal) in
                guard let stamp = (try? JSONValue(parsing: Array(json.utf8)))?["SignedRFC3161Timestamp"]?.string.flatMap(Base64.bytes) else {
                    throw Refusal(.timestampMalformed, "The time stamp cannot be read.")
                }
                return [stamp]
            } ?? []
    }

    /// Whether it is signed with a certificate, or says so.
    var hasCertificate: Bool { signer != nil }

    /// The signer's certificate in DER, the first of those that stand there.
    ///
    /// Source: sigstore/cosign, pkg/oci/internal/signature/layer.go.
    func certificate() throws(Refusal) -> [UInt8] {
        guard let first = try? PEM.all(in: signer ?? "").first, first.label == "CERTIFICATE" else {
            throw Refusal(.certificateMalformed, "The signer's certificate is no PEM document.")
        }
        return first.bytes
    }

    /// The certificates between the signer's and a root, in DER: those of the chain that are no root's. Nobody vouches for them.
    ///
    /// Source: sigstore/cosign, pkg/cosign/verify.go, which takes the chain's certificates but the last for intermediates.
    func intermediates() throws(Refusal) -> [[UInt8]] {
        guard let chain else { return [] }
        guard chain.utf8.count <= Self.chainBytesMax, let documents = try? PEM.all(in: chain), documents.allSatisfy({ $0.label == "CERTIFICATE" })
        else { throw Refusal(.certificateMalformed, "The chain of the signer's certificate is no PEM document of certificates, or is too long.") }
        let links = documents.compactMap { ChainCertificate($0.bytes) }.filter { !$0.isRoot }
        guard links.count <= Self.chainMax else { throw Refusal(.certificateMalformed, "The chain of the signer's certificate is too long.") }
        return links.map(\.bytes)
    }

    /// Chosen: eight certificates of RSA 4096 with many extensions.
    private static let chainBytesMax = 64 << 10
    /// Chosen: as deep as chains are followed.
    private static let chainMax = 8

    func thing(_ material: Bundle.Material, over payload: [UInt8]) -> SignedThing {
        SignedThing(
            material: material, signature: signature, content: .message(.bytes(payload), nil), logEntries: logEntries, timestamps: timestamps,
            proofRule: .promise)
    }
}

import JSON

/// A signature with all that it takes to verify it without a network.
///
/// Source: sigstore/protobuf-specs, `sigstore_bundle.proto`, versions 0.1 to 0.3.
public struct Bundle: Sendable, Hashable {
    /// The version of the format, for what each demands.
    public enum Version: String, Sendable, Hashable {
        case v0_1 = "0.1"
        case v0_2 = "0.2"
        case v0_3 = "0.3"
    }

    /// By what the signature is verified.
    public enum Material: Sendable, Hashable {
        /// Certificates in DER, the signer's first.
        case certificates([[UInt8]])
        /// A key that the verifier has; the hint is not trusted.
        case publicKey(hint: String)
    }

    /// What is signed.
    public enum Content: Sendable, Hashable {
        /// Bytes that are not here. The digest is only a hint at them.
        case message(signature: [UInt8], hint: MessageDigest?)
        /// A document that is.
        case envelope(DSSEEnvelope)
    }

    /// What a bundle says of the bytes that were signed.
    public struct MessageDigest: Sendable, Hashable {
        public let algorithm: PublicKey.HashAlgorithm
        public let bytes: [UInt8]
    }

    /// An entry of a transparency log, with its proofs.
    public struct LogEntry: Sendable, Hashable {
        /// Its place over all of the log's trees.
        public let logIndex: Int
        public let logID: [UInt8]
        public let kind: String
        public let kindVersion: String
        /// When the log says that it took it, in seconds since 1970; 0 where it says nothing.
        public let integratedTime: Int
        /// The log's signature of its promise.
        public let signedEntryTimestamp: [UInt8]?
        public let inclusionProof: InclusionProof?
        /// The entry as it stands in the log.
        public let canonicalizedBody: [UInt8]

        /// Where it stands among the entries of all logs.
        struct Place: Hashable {
            let logID: [UInt8]
            let index: Int
        }

        var place: Place { Place(logID: logID, index: logIndex) }

        /// ``logID`` as lower-case hexadecimal digits.
        public var logIDHexadecimal: String { Hexadecimal.text(logID) }
    }

    /// That an entry is in a tree.
    public struct InclusionProof: Sendable, Hashable {
        /// Its place in that tree.
        public let logIndex: Int
        public let rootHash: [UInt8]
        public let treeSize: Int
        public let hashes: [[UInt8]]
        /// A signed note; empty for none.
        public let checkpoint: [UInt8]
    }

    public let version: Version
    public let material: Material
    public let logEntries: [LogEntry]
    /// Time stamps over the signature, in DER (RFC 3161).
    public let timestamps: [[UInt8]]
    public let content: Content

    /// Why a document is no bundle.
    public struct Malformed: Error, Sendable, Hashable {
        /// Where, as a JSON pointer.
        public let pointer: String
        /// What is wrong.
        public let message: String
    }

    private static let versions: [String: Version] = [
        "application/vnd.dev.sigstore.bundle+json;version=0.1": .v0_1, "application/vnd.dev.sigstore.bundle+json;version=0.2": .v0_2,
        "application/vnd.dev.sigstore.bundle+json;version=0.3": .v0_3, "application/vnd.dev.sigstore.bundle.v0.3+json": .v0_3,
    ]
    /// Chosen: room for the largest attestations of real images.
    private static let bytesMax = 64 << 20
    /// Chosen: the largest bundle of the fixtures has fewer than 100 values, and one with all that is allowed below some 3,000.
    static let valuesMax = 10_000
    private static let limits = JSONValue.Limits(bytesMax: bytesMax, depthMax: 32, valuesMax: valuesMax)
    /// Chosen: as many as sigstore's own clients take.
    private static let manyMax = 32
}

extension Bundle {
    /// Reads a bundle.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        do throws(ProtobufReader.Mistake) {
            let reader = try ProtobufReader(parsing: bytes, limits: Self.limits)
            if reader.has("base64Signature"), !reader.has("mediaType") {
                try self.init(cosign: reader)
            } else {
                try self.init(reader)
            }
        } catch {
            throw Malformed(pointer: error.pointer, message: error.message)
        }
    }

    private init(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        guard let version = Self.versions[try reader.needString("mediaType")] else {
            throw reader.mistake("mediaType", "is no bundle of a known version")
        }
        self.version = version
        let verification = try reader.needChild("verificationMaterial")
        material = try Self.material(verification, version)
        var entries: [LogEntry] = []
        for entry in try verification.children("tlogEntries", max: Self.manyMax) { entries.append(try LogEntry(entry)) }
        logEntries = entries
        var timestamps: [[UInt8]] = []
        for stamp in try verification.child("timestampVerificationData")?.children("rfc3161Timestamps", max: Self.manyMax) ?? [] {
            timestamps.append(try stamp.needBytes("signedTimestamp"))
        }
        self.timestamps = timestamps
        content = try Self.content(reader)
    }

    private static func material(_ reader: ProtobufReader, _ version: Version) throws(ProtobufReader.Mistake) -> Material {
        let present = ["certificate", "x509CertificateChain", "publicKey"].filter(reader.has)
        guard present.count == 1 else { throw reader.mistake(present.last ?? "certificate", "must be the only one of certificate, chain and key") }
        if let key = try reader.child("publicKey") { return .publicKey(hint: try key.string("hint") ?? "") }
        if let certificate = try reader.child("certificate") { return .certificates([try certificate.needBytes("rawBytes")]) }
        let chain = try reader.needChild("x509CertificateChain").children("certificates", max: manyMax)
        guard !chain.isEmpty else { throw reader.mistake("x509CertificateChain/certificates", "is empty") }
        guard version != .v0_3 else { throw reader.mistake("x509CertificateChain", "is a single certificate from version 0.3 on") }
        var certificates: [[UInt8]] = []
        for certificate in chain { certificates.append(try certificate.needBytes("rawBytes")) }
        return .certificates(certificates)
    }

    private static func content(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) -> Content {
        guard reader.has("messageSignature") != reader.has("dsseEnvelope") else {
            throw reader.mistake("messageSignature", "or an envelope must be there, and not both")
        }
        if let envelope = try reader.child("dsseEnvelope") {
            var signatures: [DSSEEnvelope.Signature] = []
            for signature in try envelope.children("signatures", max: manyMax) {
                signatures.append(.init(bytes: try signature.needBytes("sig"), keyID: try signature.string("keyid")))
            }
            guard signatures.count == 1 else { throw envelope.mistake("signatures", "must be exactly one") }
            return .envelope(
                DSSEEnvelope(payload: try envelope.needBytes("payload"), payloadType: try envelope.needString("payloadType"), signatures: signatures))
        }
        let message = try reader.needChild("messageSignature")
        var hint: MessageDigest?
        if let digest = try message.child("messageDigest") {
            guard let algorithm = PublicKey.HashAlgorithm(protobuf: try digest.needString("algorithm")) else {
                throw digest.mistake("algorithm", "is no hash that signatures have")
            }
            hint = MessageDigest(algorithm: algorithm, bytes: try digest.needBytes("digest"))
        }
        return .message(signature: try message.needBytes("signature"), hint: hint)
    }
}

extension Bundle.LogEntry {
    init(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        logIndex = try reader.int("logIndex")
        logID = try reader.needChild("logId").needBytes("keyId")
        let kindVersion = try reader.needChild("kindVersion")
        kind = try kindVersion.needString("kind")
        self.kindVersion = try kindVersion.needString("version")
        integratedTime = try reader.int("integratedTime")
        signedEntryTimestamp = try reader.child("inclusionPromise")?.needBytes("signedEntryTimestamp")
        inclusionProof = try reader.child("inclusionProof").map { (proof) throws(ProtobufReader.Mistake) in try Bundle.InclusionProof(proof) }
        canonicalizedBody = try reader.needBytes("canonicalizedBody")
    }
}

extension Bundle.InclusionProof {
    /// As many as the largest tree has whose size is a number of 64 bits.
    private static let hashesMax = 64

    fileprivate init(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        logIndex = try reader.int("logIndex")
        rootHash = try reader.needBytes("rootHash")
        treeSize = try reader.int("treeSize")
        hashes = try reader.bytesList("hashes", max: Self.hashesMax)
        checkpoint = Array((try reader.child("checkpoint")?.string("envelope") ?? "").utf8)
    }
}

extension PublicKey.HashAlgorithm {
    /// Source: `sigstore_common.proto`, HashAlgorithm.
    init?(protobuf name: String) {
        switch name {
        case "SHA2_256": self = .sha256
        case "SHA2_384": self = .sha384
        case "SHA2_512": self = .sha512
        default: return nil
        }
    }
}

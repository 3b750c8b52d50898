import JSON

/// Whom to believe: logs, certificate authorities and clocks, each with the time in which it counts.
///
/// Source: sigstore/protobuf-specs, `sigstore_trustroot.proto`.
public struct TrustedRoot: Sendable {
    /// Transparency logs of signatures.
    public let logs: [Log]
    /// Transparency logs of certificates.
    public let certificateLogs: [Log]
    /// Who issues certificates to signers.
    public let certificateAuthorities: [Authority]
    /// Who stamps times.
    public let timestampAuthorities: [Authority]

    /// A log and its key.
    public struct Log: Sendable {
        /// Its address; what an origin of a version 2 log is made of.
        public let baseURL: String
        /// SHA-256 of the key, or what the log calls itself.
        public let id: [UInt8]
        /// The four bytes that checkpoints name the key by, where the document says them.
        public let checkpointKeyID: [UInt8]?
        public let key: PublicKey
        public let hash: PublicKey.HashAlgorithm
        public let validity: Validity
    }

    /// A chain of certificates, in the order of their issuing; the last is the anchor.
    public struct Authority: Sendable, Hashable {
        public let uri: String
        /// DER.
        public let certificates: [[UInt8]]
        public let validity: Validity
    }

    /// Why a document cannot be used; none of it is.
    public struct Malformed: Error, Sendable, Hashable {
        /// Where, as a JSON pointer.
        public let pointer: String
        /// What is wrong.
        public let message: String
    }

    private static let mediaTypes: Set = [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json", "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ]
    /// Chosen: hundreds of times what the public instance has.
    private static let bytesMax = 4 << 20
    private static let entriesMax = 256
    private static let chainMax = 16

    /// Reads a document.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        do throws(ProtobufReader.Mistake) {
            let reader = try ProtobufReader(parsing: bytes, limits: .init(bytesMax: Self.bytesMax, depthMax: 16))
            guard let mediaType = try reader.string("mediaType"), Self.mediaTypes.contains(mediaType) else {
                throw reader.mistake("mediaType", "is no trusted root of a known version")
            }
            logs = try Self.logs(reader.children("tlogs", max: Self.entriesMax))
            certificateLogs = try Self.logs(reader.children("ctlogs", max: Self.entriesMax))
            certificateAuthorities = try Self.authorities(reader.children("certificateAuthorities", max: Self.entriesMax))
            timestampAuthorities = try Self.authorities(reader.children("timestampAuthorities", max: Self.entriesMax))
        } catch {
            throw Malformed(pointer: error.pointer, message: error.message)
        }
    }

    private static func logs(_ readers: [ProtobufReader]) throws(ProtobufReader.Mistake) -> [Log] {
        var logs: [Log] = []
        for reader in readers { logs.append(try log(reader)) }
        return logs
    }

    private static func log(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) -> Log {
        guard try reader.string("hashAlgorithm") ?? "SHA2_256" == "SHA2_256" else { throw reader.mistake("hashAlgorithm", "must be SHA2_256") }
        let keyReader = try reader.needChild("publicKey")
        guard let details = PublicKey.Details(protobuf: try keyReader.needString("keyDetails")) else {
            throw keyReader.mistake("keyDetails", "is no kind of key that is known here")
        }
        let key: PublicKey
        let bytes = try keyReader.needBytes("rawBytes")
        do throws(PublicKey.Unusable) { key = try details.key(bytes) } catch {
            throw keyReader.mistake("rawBytes", error.message)
        }
        // A log without a beginning would vouch for all times.
        guard let validity = try keyReader.validity("validFor"), let start = validity.start else {
            throw keyReader.mistake("validFor", "must have a start")
        }
        return Log(
            baseURL: try reader.string("baseUrl") ?? "", id: try reader.needChild("logId").needBytes("keyId"),
            checkpointKeyID: try reader.child("checkpointKeyId")?.bytes("keyId"), key: key, hash: details.hash,
            validity: Validity(start: start, end: validity.end))
    }

    private static func authorities(_ readers: [ProtobufReader]) throws(ProtobufReader.Mistake) -> [Authority] {
        var authorities: [Authority] = []
        for reader in readers {
            let chain = try reader.needChild("certChain").children("certificates", max: chainMax)
            guard !chain.isEmpty else { throw reader.mistake("certChain", "is empty") }
            var certificates: [[UInt8]] = []
            for certificate in chain { certificates.append(try certificate.needBytes("rawBytes")) }
            let validity = try reader.validity("validFor")
            authorities.append(
                Authority(
                    uri: try reader.string("uri") ?? "", certificates: certificates,
                    validity: Validity(start: validity?.start ?? Moment(milliseconds: 0), end: validity?.end)))
        }
        return authorities
    }
}

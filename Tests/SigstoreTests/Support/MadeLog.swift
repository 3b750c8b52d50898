import JSON

@testable import Sigstore

/// A transparency log of a test's own, with one entry in each of its trees.
struct MadeLog {
    let signer: LogSigner
    private let document: JSONValue

    /// A log that its trusted root believes from `start` to `end`, both in RFC 3339.
    init(name: String = "made", key: SigningKey = .generate(), from start: String, to end: String? = nil) throws {
        signer = try LogSigner(name: name, key: key)
        let root = JSONValue.object(TrustedRoot.document(of: signer, baseURL: "https://log.example", start: start))
        let validity: JSONObject = end.map { ["start": .string(start), "end": .string($0)] } ?? ["start": .string(start)]
        document = try root.at(["tlogs", "0"]).setting(["publicKey", "validFor"], to: .object(validity))
    }

    /// A trusted root of logs and nothing else.
    static func root(_ logs: [MadeLog]) throws -> TrustedRoot {
        let root: JSONObject = ["mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": .array(logs.map(\.document))]
        return try TrustedRoot(parsing: root.bytes)
    }

    /// The log's only entry, with its proof.
    ///
    /// - Parameter time: when the log says that it took it, in RFC 3339; `nil` where it does not sign that, as a log of version 2.
    func entry(_ body: [UInt8], at time: String? = nil) throws -> Sigstore.Bundle.LogEntry {
        let seconds = try time.map { try moment($0).milliseconds / 1000 } ?? 0
        let root = MerkleTree.leafHash(body)
        return .init(
            logIndex: 0, logID: signer.id, kind: "hashedrekord", kindVersion: "0.0.1", integratedTime: seconds,
            signedEntryTimestamp: time == nil ? nil : try signer.promise(body: body, index: 0, integratedTime: seconds),
            inclusionProof: .init(logIndex: 0, rootHash: root, treeSize: 1, hashes: [], checkpoint: try signer.checkpoint(size: 1, root: root)),
            canonicalizedBody: body)
    }
}

/// A moment in RFC 3339.
func moment(_ text: String) throws -> Moment {
    guard let moment = Moment(rfc3339: text) else { throw NoSuchMoment(text: text) }
    return moment
}

/// A text that is no moment.
struct NoSuchMoment: Error {
    let text: String
}

/// Something that a key has signed, and what logs keep of it.
struct MadeSignature {
    let publicKey: PublicKey
    let signature: [UInt8]
    let content: SignedContent
    let body: [UInt8]

    /// A signature of bytes, of which a log is shown the digest alone.
    init(of bytes: [UInt8], by publicKey: PublicKey, _ signature: [UInt8], _ algorithm: PublicKey.HashAlgorithm = .sha256) {
        self.publicKey = publicKey
        self.signature = signature
        content = .message(.bytes(bytes), nil)
        body = RekorDocuments.hashedRekord(digest: algorithm.hash(bytes), algorithm, signature: signature, by: .key(publicKey)).bytes
    }

    /// A signature by a new key.
    init() throws {
        let (key, bytes) = (SigningKey.generate(), Array("an artifact\n".utf8))
        self.init(of: bytes, by: key.publicKey, try key.sign(bytes))
    }

    /// Verifies it as it stands in a bundle of version 0.3.
    func verify(_ entries: [Sigstore.Bundle.LogEntry], of content: SignedContent? = nil, by root: TrustedRoot, now: Moment) throws
        -> Verifier.Verified
    {
        let thing = SignedThing(
            material: .publicKey(hint: ""), signature: signature, content: content ?? self.content, logEntries: entries, timestamps: [],
            proofRule: .inclusion)
        return try Verifier(root).verify(
            thing, VerificationPolicy(signer: .key(publicKey), log: entries.isEmpty ? .notRequired : .required), now: now)
    }
}

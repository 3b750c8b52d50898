import Crypto
import JSON

/// What a transparency log of our own signs with, and what it is called.
public struct LogSigner: Sendable {
    /// The name in signature lines.
    public let name: String
    /// SHA-256 of the key's SubjectPublicKeyInfo; what entries and trusted roots call the log.
    public let id: [UInt8]
    /// The number of the log's one tree, positive; from the key, so that two logs have two.
    public let treeID: Int
    private let key: SigningKey

    /// A log's signer.
    ///
    /// - Parameter name: without spaces and `+`, which signature lines have no place for.
    /// - Throws: ``PublicKey/Unusable`` for a key that is not on P-256: the log's signatures are ECDSA over SHA-256, which every client reads.
    public init(name: String, key: SigningKey) throws(PublicKey.Unusable) {
        guard case .p256 = key else { throw PublicKey.Unusable(message: "it is not on the curve P-256") }
        precondition(!name.isEmpty && !name.utf8.contains { $0 == 0x20 || $0 == 0x0A || $0 == 0x2B }, "a signer's name is one word")
        self.name = name
        self.key = key
        id = Array(SHA256.hash(data: key.publicKey.spki))
        treeID = Int(id.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & UInt64(Int64.max))
    }

    /// The key that verifies what the log signs.
    public var publicKey: PublicKey { key.publicKey }

    /// The key as a PEM document.
    public var publicKeyPEM: String { PEM(label: "PUBLIC KEY", bytes: key.publicKey.spki).text }

    /// ``id`` as lower-case hexadecimal digits.
    public var idHexadecimal: String { Hexadecimal.text(id) }

    /// ``treeID`` as 16 hexadecimal digits.
    public var treeIDHexadecimal: String { Hexadecimal.text((0..<8).map { UInt8(truncatingIfNeeded: treeID >> (56 - 8 * $0)) }) }

    /// The first line of checkpoints: name and tree, as version 1 logs have it.
    public var origin: String { "\(name) - \(treeID)" }

    /// Signs what the log says of itself.
    ///
    /// - Returns: a signed note. Source: C2SP tlog-checkpoint.
    public func checkpoint(size: Int, root: [UInt8]) throws -> [UInt8] {
        let text = Array("\(origin)\n\(size)\n\(Base64.text(root))\n".utf8)
        return try SignedNote(signing: text, name: name, keyID: Array(id.prefix(SignedNote.keyIDBytes)), key: key).bytes
    }

    /// Signs that an entry was taken: the signed entry timestamp.
    ///
    /// - Parameter integratedTime: seconds since 1970 UTC.
    public func promise(body: [UInt8], index: Int, integratedTime: Int) throws -> [UInt8] {
        try key.sign(LogPromise.signedBytes(body: body, integratedTime: integratedTime, logID: id, index: index))
    }

    /// Insists that this log signed a checkpoint of itself.
    public func verify(_ checkpoint: Checkpoint) throws(Refusal) {
        guard checkpoint.origin.isSameText(as: origin) else { throw Refusal(.checkpointUnsigned, "The checkpoint is of another log.") }
        try trusted.verify(checkpoint)
    }

    /// Whether a promise is this log's.
    public func isPromise(_ promise: [UInt8], body: [UInt8], index: Int, integratedTime: Int) -> Bool {
        let signed = LogPromise.signedBytes(body: body, integratedTime: integratedTime, logID: id, index: index)
        return key.publicKey.isSignature(promise, over: signed, hash: .sha256)
    }

    /// The log as its clients trust it.
    private var trusted: TrustedRoot.Log {
        .init(baseURL: "", id: id, checkpointKeyID: nil, key: key.publicKey, hash: .sha256, validity: Validity(start: Moment(milliseconds: 0)))
    }
}

/// The signed entry timestamp: a log's signature over an entry, its time and its place. Source: sigstore/rekor, openapi.yaml.
enum LogPromise {
    /// What is signed: the canonical form (RFC 8785) of an object whose members need no escapes.
    static func signedBytes(body: [UInt8], integratedTime: Int, logID: [UInt8], index: Int) -> [UInt8] {
        Array(
            (#"{"body":"\#(Base64.text(body))","integratedTime":\#(integratedTime),"#
                + #""logID":"\#(Hexadecimal.text(logID))","logIndex":\#(index)}"#).utf8)
    }
}

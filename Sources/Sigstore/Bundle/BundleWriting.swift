public import JSON

extension Bundle {
    /// A bundle to write, of version 0.3.
    ///
    /// - Parameters:
    ///   - material: the signer's certificate alone, or the hint at a key.
    ///   - timestamps: in DER.
    public init(material: Material, content: Content, logEntries: [LogEntry], timestamps: [[UInt8]] = []) {
        version = .v0_3
        self.material = material
        self.content = content
        self.logEntries = logEntries
        self.timestamps = timestamps
    }

    /// The media type of a bundle as it is written here.
    public static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

    /// The hint by which cosign names a key: base64 of SHA-256 of its SubjectPublicKeyInfo.
    public static func hint(_ key: PublicKey) -> String { Base64.text(PublicKey.HashAlgorithm.sha256.hash(key.spki)) }

    /// The bundle as JSON of protocol buffers, version 0.3.
    public var json: JSONObject {
        var verification: JSONObject = [:]
        switch material {
        case .certificates(let chain): verification["certificate"] = ["rawBytes": .string(Base64.text(chain.first ?? []))]
        case .publicKey(let hint): verification["publicKey"] = ["hint": .string(hint)]
        }
        verification["tlogEntries"] = .array(logEntries.map { .object($0.json) })
        if !timestamps.isEmpty {
            verification["timestampVerificationData"] = [
                "rfc3161Timestamps": .array(timestamps.map { ["signedTimestamp": .string(Base64.text($0))] })
            ]
        }
        var object: JSONObject = ["mediaType": .string(Self.mediaType), "verificationMaterial": .object(verification)]
        switch content {
        case .message(let signature, let hint):
            var message: JSONObject = [:]
            if let hint {
                message["messageDigest"] = ["algorithm": .string(hint.algorithm.protobuf), "digest": .string(Base64.text(hint.bytes))]
            }
            message["signature"] = .string(Base64.text(signature))
            object["messageSignature"] = .object(message)
        case .envelope(let envelope): object["dsseEnvelope"] = .object(envelope.json)
        }
        return object
    }
}

extension Bundle.LogEntry {
    /// The entry as JSON of protocol buffers, in which numbers of 64 bits are texts.
    var json: JSONObject {
        var object: JSONObject = [
            "logIndex": .string("\(logIndex)"), "logId": ["keyId": .string(Base64.text(logID))],
            "kindVersion": ["kind": .string(kind), "version": .string(kindVersion)], "integratedTime": .string("\(integratedTime)"),
        ]
        if let signedEntryTimestamp { object["inclusionPromise"] = ["signedEntryTimestamp": .string(Base64.text(signedEntryTimestamp))] }
        if let proof = inclusionProof {
            object["inclusionProof"] = [
                "logIndex": .string("\(proof.logIndex)"), "rootHash": .string(Base64.text(proof.rootHash)), "treeSize": .string("\(proof.treeSize)"),
                "hashes": .array(proof.hashes.map { .string(Base64.text($0)) }),
                "checkpoint": ["envelope": .string(String(decoding: proof.checkpoint, as: UTF8.self))],
            ]
        }
        object["canonicalizedBody"] = .string(Base64.text(canonicalizedBody))
        return object
    }
}

extension DSSEEnvelope {
    /// The envelope as JSON, its bytes as base64.
    public var json: JSONObject {
        [
            "payload": .string(Base64.text(payload)), "payloadType": .string(payloadType),
            "signatures": .array(
                signatures.map { signature in
                    var object: JSONObject = ["sig": .string(Base64.text(signature.bytes))]
                    if let keyID = signature.keyID { object["keyid"] = .string(keyID) }
                    return .object(object)
                }),
        ]
    }
}

extension PublicKey.HashAlgorithm {
    /// Source: `sigstore_common.proto`, HashAlgorithm.
    var protobuf: String {
        switch self {
        case .sha256: "SHA2_256"
        case .sha384: "SHA2_384"
        case .sha512: "SHA2_512"
        }
    }
}

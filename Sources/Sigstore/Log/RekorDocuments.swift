public import JSON

/// What a client and a transparency log say to each other; the sending is somebody else's.
///
/// Source: sigstore/rekor, openapi.yaml (version 1); sigstore/architecture-docs, rekor-v2-spec.md (version 2).
public enum RekorDocuments {
    /// By what an entry's signature is verified.
    public enum Signer: Sendable {
        /// In DER.
        case certificate([UInt8])
        case key(PublicKey)

        var pem: String {
            switch self {
            case .certificate(let der): PEM(label: "CERTIFICATE", bytes: der).text
            case .key(let key): key.pem
            }
        }
    }

    /// Asks a log of version 1 to take a signature of an artifact.
    public static func hashedRekord(digest: [UInt8], _ algorithm: PublicKey.HashAlgorithm, signature: [UInt8], by signer: Signer) -> JSONObject {
        [
            "apiVersion": "0.0.1", "kind": "hashedrekord",
            "spec": [
                "data": ["hash": ["algorithm": .string(algorithm.rawValue), "value": .string(Hexadecimal.text(digest))]],
                "signature": [
                    "content": .string(Base64.text(signature)), "publicKey": ["content": .string(Base64.text(Array(signer.pem.utf8)))],
                ],
            ],
        ]
    }

    /// Asks a log of version 1 to take a signed document.
    public static func dsse(_ envelope: DSSEEnvelope, by signer: Signer) -> JSONObject {
        [
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": [
                "proposedContent": [
                    "envelope": .string(envelope.json.text), "verifiers": [.string(Base64.text(Array(signer.pem.utf8)))],
                ]
            ],
        ]
    }

    /// Asks a log of version 2 to take a signature.
    ///
    /// - Parameter digest: of the signed bytes; of an envelope, of its pre-authentication encoding.
    public static func hashedRekordV2(digest: [UInt8], signature: [UInt8], by signer: Signer, key: PublicKey) throws(PublicKey.Unusable) -> JSONObject
    {
        let verifier: JSONValue =
            switch signer {
            case .certificate(let der): ["x509Certificate": ["rawBytes": .string(Base64.text(der))], "keyDetails": .string(try keyDetails(key))]
            case .key(let key): ["publicKey": ["rawBytes": .string(Base64.text(key.spki))], "keyDetails": .string(try keyDetails(key))]
            }
        return [
            "hashedRekordRequestV002": [
                "digest": .string(Base64.text(digest)), "signature": ["content": .string(Base64.text(signature)), "verifier": verifier],
            ]
        ]
    }

    /// Source: `sigstore_common.proto`, PublicKeyDetails.
    private static func keyDetails(_ key: PublicKey) throws(PublicKey.Unusable) -> String {
        switch key {
        case .p256: "PKIX_ECDSA_P256_SHA_256"
        case .p384: "PKIX_ECDSA_P384_SHA_384"
        case .p521: "PKIX_ECDSA_P521_SHA_512"
        case .ed25519, .rsa: throw PublicKey.Unusable(message: "a log of version 2 takes signatures of ECDSA keys from here")
        }
    }

    /// Chosen: an entry with its proof has some kilobytes; the envelope in it may be large.
    private static let answerBytesMax = 32 << 20

    /// Reads the answer of a log of version 1 to a new entry; nothing in it is verified yet.
    ///
    /// - Parameter bytes: a JSON object of one entry by its UUID.
    public static func entry(answer bytes: [UInt8]) throws(Refusal) -> Bundle.LogEntry {
        do throws(ProtobufReader.Mistake) {
            guard let object = try? JSONValue(parsing: bytes, limits: .init(bytesMax: answerBytesMax, depthMax: 32)).object,
                let member = object.members.first, object.members.count == 1, let entry = member.value.object
            else { throw .init(pointer: "", message: "it is no JSON object of one entry") }
            return try Bundle.LogEntry(rekor: ProtobufReader(entry, at: "/\(member.name)"))
        } catch { throw Self.unreadable(error) }
    }

    /// Reads the answer of a log of version 2; nothing in it is verified yet.
    public static func entryV2(answer bytes: [UInt8]) throws(Refusal) -> Bundle.LogEntry {
        do throws(ProtobufReader.Mistake) {
            return try Bundle.LogEntry(ProtobufReader(parsing: bytes, limits: .init(bytesMax: answerBytesMax, depthMax: 32)))
        } catch { throw Self.unreadable(error) }
    }

    private static func unreadable(_ mistake: ProtobufReader.Mistake) -> Refusal {
        Refusal(.logEntryMalformed, "The log's answer cannot be read at \"\(mistake.pointer)\": \(mistake.message).")
    }
}

extension Bundle.LogEntry {
    /// Reads an entry as the interface of a log of version 1 has it.
    fileprivate init(rekor reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        let body = try reader.needBytes("body")
        guard let value = try? JSONValue(parsing: body), let kind = value["kind"]?.string, let version = value["apiVersion"]?.string else {
            throw reader.mistake("body", "is no log entry")
        }
        guard let logID = Hexadecimal.bytes(try reader.needString("logID")) else { throw reader.mistake("logID", "is no hexadecimal number") }
        let verification = try reader.needChild("verification")
        let proof = try verification.child("inclusionProof").map { (proof) throws(ProtobufReader.Mistake) in
            guard let root = Hexadecimal.bytes(try proof.needString("rootHash")) else { throw proof.mistake("rootHash", "is no hexadecimal number") }
            return Bundle.InclusionProof(
                logIndex: try proof.int("logIndex"), rootHash: root, treeSize: try proof.int("treeSize"),
                hashes: try proof.hexadecimalList("hashes", max: 64),
                checkpoint: Array((try proof.string("checkpoint") ?? "").utf8))
        }
        self.init(
            logIndex: try reader.int("logIndex"), logID: logID, kind: kind, kindVersion: version, integratedTime: try reader.int("integratedTime"),
            signedEntryTimestamp: try verification.bytes("signedEntryTimestamp"), inclusionProof: proof, canonicalizedBody: body)
    }
}

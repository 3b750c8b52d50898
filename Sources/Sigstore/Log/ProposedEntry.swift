public import JSON

/// A signature that somebody wants in a transparency log: read, verified, and in the one form in which the log keeps it.
///
/// Kinds `hashedrekord` and `dsse`, both in version 0.0.1. Members that the log does not keep are passed over.
/// Source: sigstore/rekor, pkg/types/hashedrekord/v0.0.1 and pkg/types/dsse/v0.0.1.
public struct ProposedEntry: Sendable, Hashable {
    /// What the log keeps: RFC 8785 of `{apiVersion, kind, spec}`, at most ``LogEntryBundle/entryBytesMax`` bytes.
    public let body: [UInt8]
    /// By which digests it can be found: of the artifact; of the envelope, its payload and what a statement in it speaks of. Each is the
    /// algorithm's name, a colon and lower-case hexadecimal digits; each once, at most ``digestsMax``.
    public let digests: [String]

    /// Why an entry is not taken.
    public struct Refused: Error, Sendable, Hashable {
        /// The rule.
        public let code: Code
        /// In words, for whoever sent it.
        public let message: String

        /// The rules of admission.
        public enum Code: String, Sendable, Hashable, CaseIterable {
            /// A member is missing, or of another type.
            case malformed = "entry_malformed"
            /// A kind or version that the log does not take.
            case unknownKind = "entry_kind_unknown"
            /// A hash that signatures do not have, or a digest of another length.
            case digestMalformed = "entry_digest_malformed"
            /// No PEM document of one key or certificate.
            case keyMalformed = "entry_key_malformed"
            /// A digest alone does not show what an Ed25519 key signed.
            case keyNeedsContent = "entry_key_needs_content"
            /// The signature is not the key's over that.
            case signatureInvalid = "entry_signature_invalid"
            /// A signature of an envelope is none of the given keys'.
            case verifierMissing = "entry_verifier_missing"
            /// A key or certificate is given that signed nothing.
            case verifierUnused = "entry_verifier_unused"
            /// More than fits into the log.
            case tooLarge = "entry_too_large"
        }
    }

    /// Chosen: more than envelopes have. Each signature is tried with each key and hash, which takes time that strangers must not have.
    private static let signaturesMax = 8
    /// Chosen: what is more is not found by its digest; it is in the log all the same.
    public static let digestsMax = 256

    /// Reads a proposed entry and verifies its signatures.
    public init(_ object: JSONObject) throws(Refused) {
        let kept: (spec: JSONObject, digests: [String])
        let reader = ProtobufReader(object)
        let (kind, version): (String, String)
        do throws(ProtobufReader.Mistake) {
            (kind, version) = (try reader.needString("kind"), try reader.needString("apiVersion"))
        } catch { throw Refused(error) }
        switch (kind, version) {
        case ("hashedrekord", "0.0.1"): kept = try Self.hashedRekord(reader)
        case ("dsse", "0.0.1"): kept = try Self.dsse(reader)
        default:
            throw Refused(code: .unknownKind, message: "This log takes hashedrekord 0.0.1 and dsse 0.0.1, and not '\(kind)' '\(version)'.")
        }
        do throws(CanonicalJSON.Unrepresentable) {
            body = try CanonicalJSON.bytes(["apiVersion": .string(version), "kind": .string(kind), "spec": .object(kept.spec)])
        } catch {
            throw Refused(code: .malformed, message: "The number \(error.number) has no canonical form.")
        }
        guard body.count <= LogEntryBundle.entryBytesMax else {
            throw Refused(
                code: .tooLarge, message: "The entry has \(body.count) bytes, and the log takes at most \(LogEntryBundle.entryBytesMax).")
        }
        var seen: Set<String> = []
        digests = Array(kept.digests.filter { seen.insert($0).inserted }.prefix(Self.digestsMax))
    }

    // MARK: A signature over a digest

    private static func hashedRekord(_ reader: ProtobufReader) throws(Refused) -> (spec: JSONObject, digests: [String]) {
        let (algorithmName, digestText, signature, keyBytes): (String, String, [UInt8], [UInt8])
        do throws(ProtobufReader.Mistake) {
            let spec = try reader.needChild("spec")
            let hash = try spec.needChild("data").needChild("hash")
            (algorithmName, digestText) = (try hash.needString("algorithm"), try hash.needString("value"))
            let proposed = try spec.needChild("signature")
            (signature, keyBytes) = (try proposed.needBytes("content"), try proposed.needChild("publicKey").needBytes("content"))
        } catch { throw Refused(error) }
        guard let algorithm = PublicKey.HashAlgorithm(rawValue: algorithmName) else {
            throw Refused(code: .digestMalformed, message: "'\(algorithmName)' is none of sha256, sha384 and sha512.")
        }
        guard let digest = Hexadecimal.bytes(digestText), digest.count == algorithm.byteCount else {
            throw Refused(code: .digestMalformed, message: "The digest is not of \(algorithm.byteCount * 2) hexadecimal digits.")
        }
        let verifier = try LogVerifier(pem: keyBytes)
        if case .ed25519 = verifier.key {
            throw Refused(
                code: .keyNeedsContent,
                message: "An Ed25519 key signs the bytes themselves, and a hashedrekord shows only their digest. Log it as dsse, or sign with ECDSA.")
        }
        guard verifier.key.isSignature(signature, overDigest: digest, hash: algorithm) else {
            throw Refused(code: .signatureInvalid, message: "The signature is not the key's over this digest.")
        }
        let text = Hexadecimal.text(digest)
        let spec: JSONObject = [
            "data": ["hash": ["algorithm": .string(algorithm.rawValue), "value": .string(text)]],
            "signature": ["content": .string(Base64.text(signature)), "publicKey": ["content": .string(verifier.text)]],
        ]
        return (spec, ["\(algorithm.rawValue):\(text)"])
    }

    // MARK: A signed document

    private static func dsse(_ reader: ProtobufReader) throws(Refused) -> (spec: JSONObject, digests: [String]) {
        let (text, keys): (String, [[UInt8]])
        do throws(ProtobufReader.Mistake) {
            let content = try reader.needChild("spec").needChild("proposedContent")
            (text, keys) = (try content.needString("envelope"), try content.bytesList("verifiers", max: signaturesMax))
        } catch { throw Refused(error) }
        var verifiers: [LogVerifier] = []
        for key in keys { verifiers.append(try LogVerifier(pem: key)) }
        let envelope = try envelope(text)
        let signed = envelope.signedBytes
        var used: Set<Int> = []
        var signatures: [(signature: String, verifier: String)] = []
        for signature in envelope.signatures {
            let makers = verifiers.indices.filter { verifiers[$0].signed(signature.bytes, over: signed) }
            guard let maker = makers.first else {
                throw Refused(code: .verifierMissing, message: "A signature of the envelope is of none of the given keys and certificates.")
            }
            used.formUnion(makers)
            guard !signatures.contains(where: { $0.signature == Base64.text(signature.bytes) }) else { continue }
            signatures.append((Base64.text(signature.bytes), verifiers[maker].text))
        }
        guard used.count == verifiers.count else {
            throw Refused(code: .verifierUnused, message: "A key or certificate is given that has not signed the envelope.")
        }
        signatures.sort { $0.signature.utf8.lexicographicallyPrecedes($1.signature.utf8) }
        let envelopeHash = Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(text.utf8))
        let payloadHash = Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(envelope.payload))
        let spec: JSONObject = [
            "envelopeHash": ["algorithm": "sha256", "value": .string(envelopeHash)],
            "payloadHash": ["algorithm": "sha256", "value": .string(payloadHash)],
            "signatures": .array(signatures.map { ["signature": .string($0.signature), "verifier": .string($0.verifier)] }),
        ]
        return (spec, ["sha256:\(payloadHash)", "sha256:\(envelopeHash)"] + subjects(of: envelope))
    }

    private static func envelope(_ text: String) throws(Refused) -> DSSEEnvelope {
        // What is wrong inside matters less than that it cannot be read; what can be acted on is said by the reader below.
        guard let object = try? JSONValue(parsing: text, limits: .init(depthMax: 16)).object else {
            throw Refused(code: .malformed, message: "The envelope is no JSON object.")
        }
        do throws(ProtobufReader.Mistake) {
            let reader = ProtobufReader(object, at: "/spec/proposedContent/envelope")
            var signatures: [DSSEEnvelope.Signature] = []
            for signature in try reader.children("signatures", max: signaturesMax) {
                signatures.append(.init(bytes: try signature.needBytes("sig"), keyID: try signature.string("keyid")))
            }
            guard !signatures.isEmpty else { throw reader.mistake("signatures", "is empty") }
            return DSSEEnvelope(payload: try reader.needBytes("payload"), payloadType: try reader.needString("payloadType"), signatures: signatures)
        } catch { throw Refused(error) }
    }

    /// The digests of what a statement speaks of, in algorithms that signatures have.
    private static func subjects(of envelope: DSSEEnvelope) -> [String] {
        // Whatever is no statement can be logged too; it is found by its own digest.
        guard envelope.payloadType == DSSEEnvelope.inTotoType, let statement = try? InTotoStatement(parsing: envelope.payload) else { return [] }
        return statement.subjects.flatMap { subject in
            PublicKey.HashAlgorithm.allCases.compactMap { algorithm in
                guard let digest = subject.digests[algorithm.rawValue].flatMap(Hexadecimal.bytes), digest.count == algorithm.byteCount else {
                    return nil
                }
                return "\(algorithm.rawValue):\(Hexadecimal.text(digest))"
            }
        }
    }
}

extension ProposedEntry.Refused {
    fileprivate init(_ mistake: ProtobufReader.Mistake) {
        self.init(code: .malformed, message: "The entry cannot be read at \"\(mistake.pointer)\": it \(mistake.message).")
    }
}

/// The key or certificate that a proposed entry brings along.
private struct LogVerifier {
    let key: PublicKey
    /// Base64 of the PEM document, written anew.
    let text: String

    /// Reads a PEM document of one key or certificate.
    init(pem bytes: [UInt8]) throws(ProposedEntry.Refused) {
        guard let text = String(validating: bytes, as: UTF8.self), let document = try? PEM.only(in: text, labels: ["CERTIFICATE", "PUBLIC KEY"])
        else {
            throw .init(code: .keyMalformed, message: "The key is no PEM document of one public key or certificate.")
        }
        if document.label == "CERTIFICATE" {
            do throws(Refusal) { key = try SigningCertificate(der: document.bytes).publicKey } catch {
                throw .init(code: .keyMalformed, message: error.message)
            }
        } else {
            do throws(PublicKey.Unusable) { key = try PublicKey(spki: document.bytes) } catch {
                throw .init(code: .keyMalformed, message: "The key cannot be used: \(error.message).")
            }
        }
        self.text = Base64.text(Array(document.text.utf8))
    }

    /// Whether a signature over bytes is the key's, with whatever hash.
    func signed(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        if case .ed25519 = key { return key.isSignature(signature, over: bytes, hash: key.usualHash) }
        let hashes = [key.usualHash] + PublicKey.HashAlgorithm.allCases.filter { $0 != key.usualHash }
        return hashes.contains { key.isSignature(signature, over: bytes, hash: $0) }
    }
}

import JSON

/// What a transparency log keeps of a signature.
///
/// Source: sigstore/rekor, pkg/types; for version 2 sigstore/rekor-tiles. Kinds and versions that are not named here are refused.
struct LogEntryBody: Sendable {
    /// The signatures, each with the certificate or key in DER that it is of.
    let signatures: [(bytes: [UInt8], signer: [UInt8])]
    /// What they are over.
    let subject: Subject

    enum Subject: Sendable {
        /// Bytes with this digest; of an envelope, its signed bytes.
        case digest([UInt8], PublicKey.HashAlgorithm)
        /// An envelope with a payload of this SHA-256 digest; the payload itself where the log keeps it.
        case envelope(payloadHash: [UInt8], payload: [UInt8]?)
    }

    /// Chosen: as large as the log's own limit for an entry.
    private static let bytesMax = 32 << 20

    /// Reads the body of an entry, which must be of the kind that the bundle says.
    init(_ entry: Bundle.LogEntry) throws(Refusal) {
        do throws(ProtobufReader.Mistake) {
            guard let object = try? JSONValue(parsing: entry.canonicalizedBody, limits: .init(bytesMax: Self.bytesMax, depthMax: 16)).object else {
                throw .init(pointer: "", message: "it is no JSON object")
            }
            let reader = ProtobufReader(object)
            let (kind, version) = (try reader.needString("kind"), try reader.needString("apiVersion"))
            guard kind == entry.kind, version == entry.kindVersion else {
                throw Self.otherKind(kind, version)
            }
            let spec = try reader.needChild("spec")
            switch (kind, version) {
            case ("hashedrekord", "0.0.1"): (signatures, subject) = try Self.hashedRekord1(spec)
            case ("hashedrekord", "0.0.2"): (signatures, subject) = try Self.hashedRekord2(spec.needChild("hashedRekordV002"))
            case ("dsse", "0.0.1"): (signatures, subject) = try Self.dsse(spec)
            case ("intoto", "0.0.2"): (signatures, subject) = try Self.inToto(spec.needChild("content"))
            default: throw reader.mistake("kind", "\(kind) \(version) is not known here")
            }
        } catch {
            if error.pointer == Self.otherKindPointer { throw Refusal(.logEntryKindMismatch, error.message) }
            throw Refusal(.logEntryMalformed, "The log entry cannot be read at \"\(error.pointer)\": \(error.message).")
        }
    }

    private static let otherKindPointer = "kindVersion"

    private static func otherKind(_ kind: String, _ version: String) -> ProtobufReader.Mistake {
        .init(pointer: otherKindPointer, message: "The log entry is a \(kind) \(version), and the bundle says otherwise.")
    }

    private typealias Parts = ([(bytes: [UInt8], signer: [UInt8])], Subject)

    private static func hashedRekord1(_ spec: ProtobufReader) throws(ProtobufReader.Mistake) -> Parts {
        let hash = try spec.needChild("data").needChild("hash")
        guard let algorithm = PublicKey.HashAlgorithm(rawValue: try hash.needString("algorithm")) else {
            throw hash.mistake("algorithm", "is no hash that signatures have")
        }
        let signature = try spec.needChild("signature")
        let signer = try pem(signature.needChild("publicKey"), "content")
        return ([(try signature.needBytes("content"), signer)], .digest(try hexadecimal(hash, "value"), algorithm))
    }

    private static func hashedRekord2(_ spec: ProtobufReader) throws(ProtobufReader.Mistake) -> Parts {
        let data = try spec.needChild("data")
        guard let algorithm = PublicKey.HashAlgorithm(protobuf: try data.needString("algorithm")) else {
            throw data.mistake("algorithm", "is no hash that signatures have")
        }
        let signature = try spec.needChild("signature")
        let verifier = try signature.needChild("verifier")
        guard verifier.has("x509Certificate") != verifier.has("publicKey") else {
            throw verifier.mistake("publicKey", "or a certificate must be there, and not both")
        }
        let signer = try verifier.needChild(verifier.has("publicKey") ? "publicKey" : "x509Certificate").needBytes("rawBytes")
        return ([(try signature.needBytes("content"), signer)], .digest(try data.needBytes("digest"), algorithm))
    }

    private static func dsse(_ spec: ProtobufReader) throws(ProtobufReader.Mistake) -> Parts {
        var signatures: [(bytes: [UInt8], signer: [UInt8])] = []
        for signature in try spec.children("signatures", max: signaturesMax) {
            signatures.append((try signature.needBytes("signature"), try pem(signature, "verifier")))
        }
        return (signatures, .envelope(payloadHash: try sha256(spec.needChild("payloadHash")), payload: nil))
    }

    private static func inToto(_ content: ProtobufReader) throws(ProtobufReader.Mistake) -> Parts {
        let envelope = try content.needChild("envelope")
        var signatures: [(bytes: [UInt8], signer: [UInt8])] = []
        for signature in try envelope.children("signatures", max: signaturesMax) {
            signatures.append((try twice(signature, "sig"), try pem(signature, "publicKey")))
        }
        let payload = envelope.has("payload") ? try twice(envelope, "payload") : nil
        return (signatures, .envelope(payloadHash: try sha256(content.needChild("payloadHash")), payload: payload))
    }

    /// Chosen: as many as an envelope of any bundle has, and some.
    private static let signaturesMax = 32

    /// Base64 of base64, as this kind of entry has it.
    private static func twice(_ reader: ProtobufReader, _ name: String) throws(ProtobufReader.Mistake) -> [UInt8] {
        guard let text = String(validating: try reader.needBytes(name), as: UTF8.self), let bytes = Base64.bytes(text) else {
            throw reader.mistake(name, "is no base64 of base64")
        }
        return bytes
    }

    private static func sha256(_ hash: ProtobufReader) throws(ProtobufReader.Mistake) -> [UInt8] {
        guard try hash.needString("algorithm") == "sha256" else { throw hash.mistake("algorithm", "must be sha256") }
        return try hexadecimal(hash, "value")
    }

    private static func hexadecimal(_ reader: ProtobufReader, _ name: String) throws(ProtobufReader.Mistake) -> [UInt8] {
        guard let bytes = Hexadecimal.bytes(try reader.needString(name)) else { throw reader.mistake(name, "is no hexadecimal number") }
        return bytes
    }

    /// The DER in a PEM document of one certificate or key, which stands there as base64.
    private static func pem(_ reader: ProtobufReader, _ name: String) throws(ProtobufReader.Mistake) -> [UInt8] {
        guard let text = String(validating: try reader.needBytes(name), as: UTF8.self),
            let document = try? PEM.only(in: text, labels: ["CERTIFICATE", "PUBLIC KEY"])
        else { throw reader.mistake(name, "is no PEM document of a certificate or key") }
        return document.bytes
    }
}

extension LogEntryBody {
    /// Insists that the entry is of this signature, signer and content.
    func require(_ signature: [UInt8], signer: [UInt8], _ content: SignedContent) throws(Refusal) {
        // An entry of several signatures is of none of those that stand alone.
        guard let mine = signatures.first, signatures.count == 1, mine.bytes == signature else {
            throw Refusal(.logEntryOtherSignature, "The log entry is of another signature.")
        }
        guard mine.signer == signer else { throw Refusal(.logEntryOtherSigner, "The log entry is of another certificate or key.") }
        switch (subject, content) {
        case (.digest(let digest, let algorithm), _):
            guard try content.digest(algorithm) == digest else { throw Refusal(.logEntryOtherArtifact, "The log entry is of another artifact.") }
        case (.envelope(let payloadHash, let payload), .envelope(let envelope)):
            guard PublicKey.HashAlgorithm.sha256.hash(envelope.payload) == payloadHash, payload ?? envelope.payload == envelope.payload else {
                throw Refusal(.logEntryOtherArtifact, "The log entry is of another document.")
            }
        case (.envelope, .message):
            throw Refusal(.logEntryOtherArtifact, "The log entry is of an envelope, and there is none.")
        }
    }

    /// The hash under the signature, where the log says it.
    var algorithm: PublicKey.HashAlgorithm? { if case .digest(_, let algorithm) = subject { algorithm } else { nil } }
}

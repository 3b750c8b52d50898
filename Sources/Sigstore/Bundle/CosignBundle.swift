import JSON

extension Bundle.LogEntry {
    /// Reads a log entry as cosign kept it before there were bundles: with the log's promise and no proof.
    ///
    /// Source: sigstore/cosign, pkg/cosign/bundle/rekor.go.
    init(cosign bytes: [UInt8]) throws(Refusal) {
        do throws(ProtobufReader.Mistake) {
            guard let object = try? JSONValue(parsing: bytes).object else { throw .init(pointer: "", message: "it is no JSON object") }
            try self.init(cosign: ProtobufReader(object))
        } catch {
            throw Refusal(.logEntryMalformed, "The log entry cannot be read at \"\(error.pointer)\": \(error.message).")
        }
    }

    init(cosign reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        let payload = try reader.needChild("Payload")
        guard let logID = Hexadecimal.bytes(try payload.needString("logID")) else { throw payload.mistake("logID", "is no hexadecimal number") }
        let body = try payload.needBytes("body")
        // The entry alone says what it is.
        guard let value = try? JSONValue(parsing: body), let kind = value["kind"]?.string, let version = value["apiVersion"]?.string else {
            throw payload.mistake("body", "is no log entry")
        }
        self.init(
            logIndex: try payload.int("logIndex"), logID: logID, kind: kind, kindVersion: version, integratedTime: try payload.int("integratedTime"),
            signedEntryTimestamp: try reader.needBytes("SignedEntryTimestamp"), inclusionProof: nil, canonicalizedBody: body)
    }
}

extension Bundle {
    /// Reads what `cosign sign-blob --bundle` wrote before there were bundles.
    ///
    /// Source: sigstore/cosign, pkg/cosign/fetch.go, LocalSignedPayload.
    init(cosign reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        version = .v0_1
        content = .message(signature: try reader.needBytes("base64Signature"), hint: nil)
        logEntries = try reader.child("rekorBundle").map { (entry) throws(ProtobufReader.Mistake) in [try LogEntry(cosign: entry)] } ?? []
        timestamps = []
        guard let text = try reader.string("cert"), !text.isEmpty else {
            material = .publicKey(hint: "")
            return
        }
        // The PEM text itself, or that as base64.
        let pem = text.hasPrefix("-----") ? text : Base64.bytes(text).flatMap { String(validating: $0, as: UTF8.self) }
        guard let document = pem.flatMap({ try? PEM.only(in: $0, labels: ["CERTIFICATE", "PUBLIC KEY"]) }) else {
            throw reader.mistake("cert", "is no PEM document of a certificate or key")
        }
        material = document.label == "CERTIFICATE" ? .certificates([document.bytes]) : .publicKey(hint: "")
    }
}

public import JSON
import Storage

/// What a list tells of a version's signature; the whole of it stands beside the version.
public struct SignatureSummary: Sendable, Hashable {
    /// Whether it still counts: it does not once its signing identity was revoked.
    public var isVerified: Bool
    /// The fingerprint of the key, or the name in the certificate.
    public let signer: String
    /// The transparency log, in hexadecimal.
    public let logID: String
    /// The entry's place in the log, from 0.
    public let logIndex: Int
    /// When it was signed, as far as somebody trusted says so.
    public let signedAt: Timestamp?

    init(_ row: SubmissionSignatureRow) {
        isVerified = true
        signer = row.signer
        logID = row.logID
        logIndex = row.logIndex
        signedAt = row.signedAt.map(Timestamp.init(milliseconds:))
    }

    init(stored text: String) throws {
        let value = try JSONValue(parsing: text)
        guard let isVerified = value["verified"]?.bool, let signer = value["signer"]?.string, let logID = value["log_id"]?.string,
            let logIndex = value["log_index"]?.int
        else { throw StorageError(.unexpectedShape, "a signature's summary cannot be read") }
        self.isVerified = isVerified
        self.signer = signer
        self.logID = logID
        self.logIndex = logIndex
        signedAt = value["signed_at_ms"]?.int.map(Timestamp.init(milliseconds:))
    }

    /// As it is stored with its version.
    var stored: String {
        let object: JSONObject = [
            "verified": .bool(isVerified), "signer": .string(signer), "log_id": .string(logID), "log_index": .int(logIndex),
            "signed_at_ms": .optional(signedAt?.milliseconds),
        ]
        return object.text
    }

    /// As the API shows it: `verified`, `signer`, `log_index`, `log_id`, `signed_at`.
    public var json: JSONValue {
        [
            "verified": .bool(isVerified), "signer": .string(signer), "log_index": .int(logIndex), "log_id": .string(logID),
            "signed_at": .optional(signedAt?.description),
        ]
    }
}

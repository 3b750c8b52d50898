import Coordinator
import Domain
import Foundation
import JSON
import Storage

extension SigningIdentities.Challenge {
    /// The text that has to be signed.
    var json: JSONValue { ["challenge": .string(text), "expires_at": .string(expiresAt.description)] }
}

extension SigningIdentity {
    /// The signing identity as its account sees it.
    var json: JSONValue {
        [
            "id": .string(row.id), "kind": .string(kind.rawValue), "name": .string(row.name), "public_key": .optional(row.publicKey),
            "fingerprint": kind == .key ? .string(row.claim) : .null, "issuer": .optional(row.issuer), "identity": .optional(row.identity),
            "created_at": time(row.createdAt), "revoked_at": time(row.revokedAt),
        ]
    }
}

extension SubmissionSignatureRow {
    /// The whole signature of a version: `bundle` as it is stored beside the image, or in the older layout `payload` (base64) and
    /// `annotations`.
    func json(of submission: Submission) -> JSONValue {
        let isBundle = layout == "bundle"
        return [
            "slug": .string(submission.slug), "version": .string(submission.row.version), "digest": .string(digest),
            "verified": .bool(submission.signature?.isVerified == true), "layout": .string(layout), "kind": .string(kind),
            "signer": .string(signer), "issuer": .optional(issuer), "public_key": .optional(publicKey), "log_id": .string(logID),
            "log_index": .int(logIndex), "signed_at": time(signedAt), "verified_at": time(verifiedAt),
            // Both were read as JSON before they were stored; a text that is none any more is shown as null.
            "bundle": isBundle ? (try? JSONValue(parsing: content)) ?? .null : .null,
            "payload": isBundle ? .null : .string(Data(content).base64EncodedString()),
            "annotations": isBundle ? .null : (try? JSONValue(parsing: annotations)) ?? .null,
        ]
    }
}

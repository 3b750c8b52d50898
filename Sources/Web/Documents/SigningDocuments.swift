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

extension DigestRevocationRow {
    /// An image that nobody may run any more.
    var json: JSONValue {
        [
            "digest": .string(digest), "for_all": .bool(accountID == nil), "reason": .string(reason), "revoked_by": .string(revokedBy),
            "revoked_at": time(revokedAt),
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

extension Certifications.Standing {
    /// The live checklist of a Cargo, its badge, and its newest wish.
    var json: JSONValue {
        let level = cargo.submission.trustLevel ?? .untrusted
        return [
            "slug": .string(cargo.submission.slug), "version": .string(cargo.submission.row.version), "trust_level": .int(level.rawValue),
            "tier": .string(level.tier.rawValue), "badge": level >= .verified ? .string(level.tier.rawValue) : .null,
            "eligible": .bool(isEligible),
            "conditions": .array(
                checks.map { ["condition": .string($0.condition.rawValue), "met": .bool($0.isMet), "message": .string($0.message)] }),
            "request": newest?.json(of: cargo.submission) ?? .null,
        ]
    }
}

extension CertificationRow {
    /// A wish for a higher level, and what became of it.
    func json(of submission: Submission) -> JSONValue {
        [
            "id": .int(id), "slug": .string(submission.slug), "submission_id": .int(submissionID), "trust_level": .int(level),
            "state": .string(state), "requested_by": .string(requestedBy), "requested_at": time(requestedAt), "decided_by": .optional(decidedBy),
            "decided_at": time(decidedAt), "note": .string(note), "ended_at": time(endedAt), "ended_because": .optional(endedBecause),
        ]
    }
}

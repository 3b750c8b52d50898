import Coordinator
import Domain
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

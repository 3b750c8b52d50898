public import Domain
import JSON
import Sigstore
public import Storage

/// A key, or a name that an issuer vouches for, by which an account signs images.
public struct SigningIdentity: Sendable, Hashable {
    /// As it is stored.
    public let row: SigningIdentityRow
    /// Whether it is a key or a name.
    public let kind: SigningIdentityKind

    init(_ row: SigningIdentityRow) throws {
        guard let kind = SigningIdentityKind(rawValue: row.kind) else {
            throw StorageError(.unexpectedShape, "signing identity \(row.id) is of no known kind")
        }
        self.row = row
        self.kind = kind
    }

    /// The policy that takes what it signed.
    func policy() throws -> SignerPolicy {
        switch kind {
        case .oidc: return .identity(row.identity ?? "", issuer: row.issuer ?? "")
        case .key:
            do throws(PublicKey.Unusable) { return .key(try PublicKey(pem: row.publicKey ?? "")) } catch {
                throw StorageError(.unexpectedShape, "the key of signing identity \(row.id) cannot be read: \(error.message)")
            }
        }
    }

    /// Whether somebody who signed is this one.
    func isThe(_ signer: Verifier.Verified.Signer) -> Bool {
        switch signer {
        case .key(let key): return kind == .key && row.claim == Self.claim(of: key)
        case .certificate(let certificate):
            guard kind == .oidc, let identity = row.identity, let issuer = row.issuer else { return false }
            // As a verifier's policy compares them: byte for byte.
            return certificate.names.contains { $0.isSameText(as: identity) } && certificate.issuer?.isSameText(as: issuer) == true
        }
    }

    /// What tells a key apart from all others: `sha256:` and the digest of its SubjectPublicKeyInfo in hexadecimal.
    static func claim(of key: PublicKey) -> String { "sha256:" + Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(key.spki)) }

    /// What people know it by: the fingerprint of the key, or the name.
    public var signer: String {
        switch kind {
        case .key: row.claim
        case .oidc: row.identity ?? ""
        }
    }

    /// What the audit log keeps of it.
    var audited: JSONValue {
        ["account": .string(row.accountID), "kind": .string(row.kind), "signer": .string(signer), "issuer": .optional(row.issuer)]
    }
}

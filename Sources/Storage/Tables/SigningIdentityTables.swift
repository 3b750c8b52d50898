/// A row of `signing_identities`: a key, or a name that an issuer vouches for, by which an account signs.
public struct SigningIdentityRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The account.
    public let accountID: String
    /// `key` or `oidc`.
    public let kind: String
    /// The account's own name for it; may be empty.
    public let name: String
    /// What tells it apart from all others: `sha256:` and the digest of the key, or the issuer and the identity parted by a line end.
    public let claim: String
    /// The key as a PEM document; `nil` for a name.
    public let publicKey: String?
    /// The issuer's address; `nil` for a key.
    public let issuer: String?
    /// The exact name in certificates; `nil` for a key.
    public let identity: String?
    /// When it was registered, milliseconds since 1970 UTC.
    public let createdAt: Int
    /// When it was revoked, milliseconds since 1970 UTC; `nil` while it counts.
    public var revokedAt: Int?

    /// A row to store.
    public init(
        id: String, accountID: String, kind: String, name: String, claim: String, publicKey: String?, issuer: String?, identity: String?,
        createdAt: Int
    ) {
        self.id = id
        self.accountID = accountID
        self.kind = kind
        self.name = name
        self.claim = claim
        self.publicKey = publicKey
        self.issuer = issuer
        self.identity = identity
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        accountID = try row.text("account_id")
        kind = try row.text("kind")
        name = try row.text("name")
        claim = try row.text("claim")
        publicKey = try row.optionalText("public_key")
        issuer = try row.optionalText("issuer")
        identity = try row.optionalText("identity")
        createdAt = try row.int("created_at")
        revokedAt = try row.optionalInt("revoked_at")
    }
}

extension SQLReader {
    /// An account's signing identity, revoked or not.
    public func signingIdentity(id: String, accountID: String) throws -> SigningIdentityRow? {
        try first("SELECT * FROM signing_identities WHERE id = ? AND account_id = ?", [.text(id), .text(accountID)]).map(SigningIdentityRow.init)
    }

    /// An account's signing identities, newest first, revoked ones too, and how many there are.
    public func signingIdentities(accountID: String, limit: Int, offset: Int) throws -> (rows: [SigningIdentityRow], total: Int) {
        let filter = "FROM signing_identities WHERE account_id = ?"
        let total = try count("SELECT count(*) AS n \(filter)", [.text(accountID)])
        let rows = try query(
            "SELECT * \(filter) ORDER BY id DESC LIMIT ? OFFSET ?", [.text(accountID), .integer(limit), .integer(offset)])
        return (try rows.map(SigningIdentityRow.init), total)
    }

    /// An account's signing identities that are not revoked, oldest first.
    public func activeSigningIdentities(accountID: String) throws -> [SigningIdentityRow] {
        try query("SELECT * FROM signing_identities WHERE account_id = ? AND revoked_at IS NULL ORDER BY id", [.text(accountID)])
            .map(SigningIdentityRow.init)
    }

    /// Every registration of one key or name, of all accounts, oldest first.
    public func signingIdentities(claim: String) throws -> [SigningIdentityRow] {
        try query("SELECT * FROM signing_identities WHERE claim = ? ORDER BY id", [.text(claim)]).map(SigningIdentityRow.init)
    }

    /// Whether an account was given a challenge that has not ended.
    public func hasSigningChallenge(_ challenge: String, accountID: String, at now: Int) throws -> Bool {
        try count(
            "SELECT count(*) AS n FROM signing_challenges WHERE challenge = ? AND account_id = ? AND expires_at > ?",
            [.text(challenge), .text(accountID), .integer(now)]) > 0
    }
}

extension SQLWriter {
    /// Stores a new signing identity. Throws `alreadyExists` when the same key or name is active.
    public func insert(_ row: SigningIdentityRow) throws {
        try execute(
            """
            INSERT INTO signing_identities (id, account_id, kind, name, claim, public_key, issuer, identity, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.id), .text(row.accountID), .text(row.kind), .text(row.name), .text(row.claim), .optional(row.publicKey),
                .optional(row.issuer), .optional(row.identity), .integer(row.createdAt),
            ])
    }

    /// Ends a signing identity.
    public func revokeSigningIdentity(id: String, at now: Int) throws {
        try execute("UPDATE signing_identities SET revoked_at = ? WHERE id = ?", [.integer(now), .text(id)])
    }

    /// Stores a challenge; the account's ended ones go, and of the others the oldest beyond so many.
    ///
    /// - Parameter keptMax: how many the account may have at once, this one included.
    public func insertSigningChallenge(_ challenge: String, accountID: String, at now: Int, expiresAt: Int, keptMax: Int) throws {
        try execute("DELETE FROM signing_challenges WHERE expires_at <= ?", [.integer(now)])
        try execute(
            """
            DELETE FROM signing_challenges WHERE account_id = ? AND challenge NOT IN (
                SELECT challenge FROM signing_challenges WHERE account_id = ? ORDER BY created_at DESC, challenge LIMIT ?)
            """, [.text(accountID), .text(accountID), .integer(keptMax - 1)])
        try execute(
            "INSERT INTO signing_challenges (challenge, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            [.text(challenge), .text(accountID), .integer(now), .integer(expiresAt)])
    }

    /// Removes a challenge.
    public func deleteSigningChallenge(_ challenge: String) throws {
        try execute("DELETE FROM signing_challenges WHERE challenge = ?", [.text(challenge)])
    }
}

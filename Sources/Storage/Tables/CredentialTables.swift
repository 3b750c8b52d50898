/// A row of `api_keys`, without the key itself, which is never stored.
public struct APIKeyRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// Whose key it is.
    public let accountID: String
    /// Its name for people.
    public let name: String
    /// Its first characters, to tell keys apart.
    public let prefix: String
    /// SHA-256 of the key, in hexadecimal.
    public let hash: String
    /// Scope names parted by spaces.
    public let scopes: String
    /// Milliseconds since 1970 UTC, as are the times below.
    public let createdAt: Int
    /// When it ends by itself; `nil` for never.
    public let expiresAt: Int?
    /// When it was last used, to the minute; `nil` for never.
    public let lastUsedAt: Int?

    /// A new key to store.
    public init(id: String, accountID: String, name: String, prefix: String, hash: String, scopes: String, createdAt: Int, expiresAt: Int?) {
        self.id = id
        self.accountID = accountID
        self.name = name
        self.prefix = prefix
        self.hash = hash
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        lastUsedAt = nil
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        accountID = try row.text("account_id")
        name = try row.text("name")
        prefix = try row.text("prefix")
        hash = try row.text("hash")
        scopes = try row.text("scopes")
        createdAt = try row.int("created_at")
        expiresAt = try row.optionalInt("expires_at")
        lastUsedAt = try row.optionalInt("last_used_at")
    }
}

/// A row of `sessions`, without the token itself, which is never stored.
public struct SessionRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// Who signed in.
    public let accountID: String
    /// SHA-256 of the token, in hexadecimal.
    public let hash: String
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int
    /// When it ends by itself, milliseconds since 1970 UTC.
    public let expiresAt: Int

    /// A new session to store.
    public init(id: String, accountID: String, hash: String, createdAt: Int, expiresAt: Int) {
        self.id = id
        self.accountID = accountID
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        accountID = try row.text("account_id")
        hash = try row.text("hash")
        createdAt = try row.int("created_at")
        expiresAt = try row.int("expires_at")
    }
}

extension SQLReader {
    /// The key of a hash, unless it was revoked or has ended at `now`.
    public func liveAPIKey(hash: String, at now: Int) throws -> APIKeyRow? {
        try first(
            "SELECT * FROM api_keys WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
            [.text(hash), .integer(now)]
        ).map(APIKeyRow.init)
    }

    /// An account's key, unless it was revoked.
    public func apiKey(id: String, accountID: String) throws -> APIKeyRow? {
        try first("SELECT * FROM api_keys WHERE id = ? AND account_id = ? AND revoked_at IS NULL", [.text(id), .text(accountID)])
            .map(APIKeyRow.init)
    }

    /// An account's keys that were not revoked, newest first, and how many there are.
    public func apiKeys(accountID: String, limit: Int, offset: Int) throws -> (rows: [APIKeyRow], total: Int) {
        let filter = "FROM api_keys WHERE account_id = ? AND revoked_at IS NULL"
        let total = try count("SELECT count(*) AS n \(filter)", [.text(accountID)])
        let rows = try query(
            "SELECT * \(filter) ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", [.text(accountID), .integer(limit), .integer(offset)])
        return (try rows.map(APIKeyRow.init), total)
    }

    /// The session of a token's hash, unless it has ended at `now`.
    public func liveSession(hash: String, at now: Int) throws -> SessionRow? {
        try first("SELECT * FROM sessions WHERE hash = ? AND expires_at > ?", [.text(hash), .integer(now)]).map(SessionRow.init)
    }
}

extension SQLWriter {
    /// Stores a new key.
    public func insert(_ row: APIKeyRow) throws {
        try execute(
            "INSERT INTO api_keys (id, account_id, name, prefix, hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(row.id), .text(row.accountID), .text(row.name), .text(row.prefix), .text(row.hash), .text(row.scopes),
                .integer(row.createdAt), .optional(row.expiresAt),
            ])
    }

    /// Ends a key now; it never works again.
    public func revokeAPIKey(id: String, at now: Int) throws {
        try execute("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [.integer(now), .text(id)])
    }

    /// Notes that a key was used.
    public func noteUse(ofAPIKey id: String, at now: Int) throws {
        try execute("UPDATE api_keys SET last_used_at = ? WHERE id = ?", [.integer(now), .text(id)])
    }

    /// Stores a new session and drops those of everybody that ended before it began.
    public func insert(_ row: SessionRow) throws {
        try execute("DELETE FROM sessions WHERE expires_at <= ?", [.integer(row.createdAt)])
        try execute(
            "INSERT INTO sessions (id, account_id, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            [.text(row.id), .text(row.accountID), .text(row.hash), .integer(row.createdAt), .integer(row.expiresAt)])
    }

    /// Ends a session.
    public func deleteSession(id: String) throws { try execute("DELETE FROM sessions WHERE id = ?", [.text(id)]) }

    /// Ends the sessions of an account but one.
    public func deleteSessions(accountID: String, except id: String?) throws {
        try execute("DELETE FROM sessions WHERE account_id = ? AND id <> ?", [.text(accountID), .text(id ?? "")])
    }
}

/// A row of `accounts`.
public struct AccountRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The account's name for people.
    public let name: String
    /// `community`, `verified` or `first_party`.
    public let standing: String
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    /// A row to store.
    public init(id: String, name: String, standing: String, createdAt: Int) {
        self.id = id
        self.name = name
        self.standing = standing
        self.createdAt = createdAt
    }
}

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
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    /// A row to store.
    public init(id: String, accountID: String, name: String, prefix: String, hash: String, scopes: String, createdAt: Int) {
        self.id = id
        self.accountID = accountID
        self.name = name
        self.prefix = prefix
        self.hash = hash
        self.scopes = scopes
        self.createdAt = createdAt
    }
}

extension SQLReader {
    /// How many accounts there are.
    public func countAccounts() throws -> Int { try count("SELECT count(*) AS n FROM accounts", []) }

    /// The account of an id.
    public func account(id: String) throws -> AccountRow? {
        try first("SELECT id, name, standing, created_at FROM accounts WHERE id = ?", [.text(id)]).map {
            AccountRow(id: try $0.text("id"), name: try $0.text("name"), standing: try $0.text("standing"), createdAt: try $0.int("created_at"))
        }
    }

    /// The key of a hash, unless it was revoked.
    public func liveAPIKey(hash: String) throws -> APIKeyRow? {
        try first("SELECT * FROM api_keys WHERE hash = ? AND revoked_at IS NULL", [.text(hash)]).map {
            APIKeyRow(
                id: try $0.text("id"), accountID: try $0.text("account_id"), name: try $0.text("name"), prefix: try $0.text("prefix"),
                hash: try $0.text("hash"), scopes: try $0.text("scopes"), createdAt: try $0.int("created_at"))
        }
    }
}

extension SQLWriter {
    /// Stores a new account.
    public func insert(_ row: AccountRow) throws {
        try execute(
            "INSERT INTO accounts (id, name, standing, created_at) VALUES (?, ?, ?, ?)",
            [.text(row.id), .text(row.name), .text(row.standing), .integer(row.createdAt)])
    }

    /// Stores a new key.
    public func insert(_ row: APIKeyRow) throws {
        try execute(
            "INSERT INTO api_keys (id, account_id, name, prefix, hash, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .text(row.id), .text(row.accountID), .text(row.name), .text(row.prefix), .text(row.hash), .text(row.scopes),
                .integer(row.createdAt),
            ])
    }
}

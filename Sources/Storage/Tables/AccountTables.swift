/// A row of `accounts`.
public struct AccountRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The account's name for people.
    public let name: String
    /// The address it signs in with, in lower case; `nil` for accounts that only have keys.
    public let email: String?
    /// The password's hash in its own format; `nil` where there is no password to sign in with.
    public let passwordHash: String?
    /// `community`, `verified` or `first_party`.
    public let standing: String
    /// Role names parted by spaces.
    public let roles: String
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    /// A row to store.
    public init(id: String, name: String, email: String?, passwordHash: String?, standing: String, roles: String, createdAt: Int) {
        self.id = id
        self.name = name
        self.email = email
        self.passwordHash = passwordHash
        self.standing = standing
        self.roles = roles
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        name = try row.text("name")
        email = try row.optionalText("email")
        passwordHash = try row.optionalText("password_hash")
        standing = try row.text("standing")
        roles = try row.text("roles")
        createdAt = try row.int("created_at")
    }
}

extension SQLReader {
    /// How many accounts there are.
    public func countAccounts() throws -> Int { try count("SELECT count(*) AS n FROM accounts", []) }

    /// How many accounts have a role.
    public func countAccounts(withRole role: String) throws -> Int {
        try count("SELECT count(*) AS n FROM accounts WHERE ' ' || roles || ' ' LIKE ?", [.text("% \(role) %")])
    }

    /// The accounts that have a role.
    public func accountIDs(withRole role: String) throws -> [String] {
        try query("SELECT id FROM accounts WHERE ' ' || roles || ' ' LIKE ? ORDER BY id", [.text("% \(role) %")]).map { try $0.text("id") }
    }

    /// The account of an id.
    public func account(id: String) throws -> AccountRow? {
        try first("SELECT * FROM accounts WHERE id = ?", [.text(id)]).map(AccountRow.init)
    }

    /// The account of an e-mail address in lower case.
    public func account(email: String) throws -> AccountRow? {
        try first("SELECT * FROM accounts WHERE email = ?", [.text(email)]).map(AccountRow.init)
    }

    /// Accounts whose name or address holds `text` (all when `nil`), newest first, and how many there are.
    public func accounts(containing text: String?, limit: Int, offset: Int) throws -> (rows: [AccountRow], total: Int) {
        var filter = "FROM accounts"
        var arguments: [SQLValue] = []
        if let text {
            let escaped = text.lowercased().reduce(into: "") { $0 += "%_\\".contains($1) ? "\\\($1)" : String($1) }
            filter += " WHERE lower(name) LIKE ? ESCAPE '\\' OR email LIKE ? ESCAPE '\\'"
            arguments = [.text("%\(escaped)%"), .text("%\(escaped)%")]
        }
        let total = try count("SELECT count(*) AS n \(filter)", arguments)
        let rows = try query(
            "SELECT * \(filter) ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", arguments + [.integer(limit), .integer(offset)])
        return (try rows.map(AccountRow.init), total)
    }
}

extension SQLWriter {
    /// Stores a new account. Throws `alreadyExists` when the address is taken.
    public func insert(_ row: AccountRow) throws {
        try execute(
            "INSERT INTO accounts (id, name, email, password_hash, standing, roles, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .text(row.id), .text(row.name), .optional(row.email), .optional(row.passwordHash), .text(row.standing), .text(row.roles),
                .integer(row.createdAt),
            ])
    }

    /// Changes an account's name.
    public func setAccountName(_ name: String, id: String) throws {
        try execute("UPDATE accounts SET name = ? WHERE id = ?", [.text(name), .text(id)])
    }

    /// Changes the hash of an account's password.
    public func setPasswordHash(_ hash: String, accountID: String) throws {
        try execute("UPDATE accounts SET password_hash = ? WHERE id = ?", [.text(hash), .text(accountID)])
    }

    /// Changes what kind of publisher an account is.
    public func setStanding(_ standing: String, accountID: String) throws {
        try execute("UPDATE accounts SET standing = ? WHERE id = ?", [.text(standing), .text(accountID)])
    }

    /// Changes the roles of an account: names parted by spaces.
    public func setRoles(_ roles: String, accountID: String) throws {
        try execute("UPDATE accounts SET roles = ? WHERE id = ?", [.text(roles), .text(accountID)])
    }
}

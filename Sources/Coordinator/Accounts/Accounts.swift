public import Domain
public import JSON
public import Passwords
public import Storage

/// Accounts: opening them, looking at them, their roles. Sign-in, keys and recognising who asks stand in files beside this one.
public struct Accounts: Sendable {
    let database: any Database
    let passwords: PasswordHasher
    let surroundings: Surroundings
    let knownKeys = KnownKeys()

    /// Accounts of a database.
    public init(database: any Database, passwords: PasswordHasher, surroundings: Surroundings) {
        self.database = database
        self.passwords = passwords
        self.surroundings = surroundings
    }

    static let nameLengthMax = 200

    /// Whether nobody has an account yet.
    public var isEmpty: Bool {
        get async throws { try await database.read { try $0.countAccounts() == 0 } }
    }

    /// Opens an account by the operator's hand, without a password, and returns its id.
    public func open(name: String, email: EmailAddress?, standing: PublisherStanding, roles: Set<Role>) async throws -> String {
        let now = surroundings.now()
        let row = AccountRow(
            id: surroundings.newIdentifier(), name: name, email: email?.description, passwordHash: nil, standing: standing.rawValue,
            roles: roles.stored, createdAt: now.milliseconds)
        try await database.write { writer in
            try writer.insert(row)
            try writer.audit("account.open", "account/\(row.id)", by: "system", at: now, after: try Account(row).audited)
        }
        return row.id
    }

    /// What somebody says of themself to get an account.
    public struct Registration: Sendable {
        /// The address to sign in with.
        public let email: EmailAddress
        let password: String
        let name: String

        /// Reads a request body: `email`, `password`, `name` (default: what stands before the `@`); gathers everything wrong with it.
        public init(_ object: JSONObject) throws {
            var reader = FieldReader(object)
            let text = reader.required("email", reader.string("email"))
            let password = reader.required("password", reader.string("password"))
            let name = reader.text("name", lengthMax: Accounts.nameLengthMax)
            var email: EmailAddress?
            if let text {
                do { email = try EmailAddress(text) } catch { reader.note("email", error.description) }
            }
            if let password, let refusal = PasswordRule.refusal(of: password, email: text ?? "") { reader.note("password", refusal) }
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let email, let password else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            self.email = email
            self.password = password
            self.name = name ?? String(email.description.prefix { $0 != "@" })
        }
    }

    /// Opens an account with a password.
    ///
    /// - Throws: `conflict` (`email_taken`); `unavailable` (`busy`) when too many passwords wait to be hashed.
    public func register(_ registration: Registration) async throws -> Account {
        let hash = try await hashed(registration.password)
        let now = surroundings.now()
        let row = AccountRow(
            id: surroundings.newIdentifier(), name: registration.name, email: registration.email.description, passwordHash: hash,
            standing: PublisherStanding.community.rawValue, roles: "", createdAt: now.milliseconds)
        return try await database.write { writer in
            guard try writer.account(email: registration.email.description) == nil else {
                throw ServiceError(
                    .conflict, code: "email_taken", "An account with this e-mail address exists; sign in instead.",
                    details: [Problem("/email", "is taken")])
            }
            try writer.insert(row)
            let account = try Account(row)
            try writer.audit("account.register", "account/\(row.id)", by: row.id, at: now, after: account.audited)
            return account
        }
    }

    /// The asker's account.
    public func account(for principal: Principal) async throws -> Account {
        try principal.require(.read)
        return try await database.read { try Account.find(principal.accountID, in: $0) }
    }

    /// Changes the name of the asker's account, from a request body with `name`.
    public func rename(_ object: JSONObject, by principal: Principal) async throws -> Account {
        try principal.require(.write)
        var reader = FieldReader(object)
        let name = reader.required("name", reader.text("name", lengthMax: Self.nameLengthMax))
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let name else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let now = surroundings.now()
        return try await database.write { writer in
            let before = try Account.find(principal.accountID, in: writer)
            try writer.setAccountName(name, id: before.id)
            let after = try Account.find(before.id, in: writer)
            try writer.audit("account.rename", "account/\(before.id)", by: before.id, at: now, before: before.audited, after: after.audited)
            return after
        }
    }

    /// All accounts whose name or address holds a text, newest first; for administrators.
    public func list(containing text: String?, page: Page, for principal: Principal) async throws -> Listing<Account> {
        try principal.require(.admin)
        return try await database.read { reader in
            let found = try reader.accounts(containing: text, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map(Account.init), total: found.total, page: page)
        }
    }

    /// Gives an account exactly these roles, from a request body with `roles`; keys lose the scopes that went with the others at once.
    ///
    /// - Throws: `conflict` (`last_administrator`) when nobody would be left to administer the network.
    public func setRoles(_ object: JSONObject, accountID: String, by principal: Principal) async throws -> Account {
        try principal.require(.admin)
        var reader = FieldReader(object)
        let roles: [Role]? = reader.required("roles", reader.choices("roles"))
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let roles else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let (wanted, now) = (Set(roles), surroundings.now())
        let account = try await database.write { writer in
            let before = try Account.find(accountID, in: writer)
            if before.roles.contains(.admin), !wanted.contains(.admin), try writer.countAccounts(withRole: Role.admin.rawValue) <= 1 {
                throw ServiceError(.conflict, code: "last_administrator", "This is the last administrator; make another one first.")
            }
            try writer.setRoles(wanted.stored, accountID: accountID)
            let after = try Account.find(accountID, in: writer)
            try writer.audit(
                "account.roles", "account/\(accountID)", by: principal.accountID, at: now, before: before.audited, after: after.audited)
            return after
        }
        knownKeys.forgetAll()
        return account
    }

    /// A password's hash, its failures in the words of the API.
    func hashed(_ password: String) async throws -> String {
        do {
            return try await passwords.hash(password)
        } catch let error as PasswordError {
            throw ServiceError(error)
        }
    }
}

extension Account {
    /// What the audit log keeps of an account: nothing secret, and no e-mail address, since what stands there can never be taken out.
    var audited: JSONValue {
        [
            "name": .string(name), "standing": .string(standing.rawValue),
            "roles": .array(roles.map(\.rawValue).sorted().map(JSONValue.string)),
        ]
    }
}

extension ServiceError {
    init(_ error: PasswordError) {
        switch error {
        case .tooLong: self = .invalid([Problem("/password", "must be at most \(PasswordHasher.passwordBytesMax) bytes")])
        case .busy: self.init(.unavailable, code: "busy", "Too many sign-ins at once; try again in a moment.")
        case .unavailable: self.init(.unavailable, code: "busy", "There is not enough memory to check passwords; try again in a moment.")
        }
    }
}

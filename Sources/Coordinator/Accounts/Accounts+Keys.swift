import Crypto
public import Domain
public import JSON
public import Storage

extension Accounts {
    /// Characters of a key that are kept to tell keys apart.
    private static let prefixLength = 10
    /// Chosen: far more than machines of one account; bounds the list.
    private static let keysMax = 100

    /// What is asked of a new key.
    public struct KeyRequest: Sendable {
        let name: String
        let scopes: Set<Scope>
        let expiresInDays: Int?

        /// Reads a request body: `name`, `scopes` (default `read` and `write`), `expires_in_days` (default: never).
        public init(_ object: JSONObject) throws {
            var reader = FieldReader(object)
            let name = reader.required("name", reader.text("name", lengthMax: Accounts.nameLengthMax))
            let scopes: [Scope]? = reader.choices("scopes")
            expiresInDays = reader.int("expires_in_days", in: 1...3650)
            reader.refuseUnknown()
            if scopes?.isEmpty == true, reader.mistakes.isEmpty { reader.note("scopes", "must name at least one scope, or be left out") }
            guard reader.mistakes.isEmpty, let name else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            self.name = name
            self.scopes = scopes.map(Set.init) ?? Scope.standard
        }
    }

    /// Makes a key by the operator's hand and returns it; only its hash is stored, so it cannot be shown again.
    public func issueKey(accountID: String, name: String, scopes: Set<Scope>) async throws -> String {
        try await makeKey(accountID: accountID, name: name, scopes: scopes, expiresInDays: nil, by: "system").secret
    }

    /// Makes a key of the asker's account; nobody can give a key more than they may do themselves.
    ///
    /// - Throws: `forbidden` (`scope_not_yours`); `conflict` (`too_many_keys`).
    public func createKey(_ request: KeyRequest, by principal: Principal) async throws -> (key: APIKeyRow, secret: String) {
        try principal.require(.write)
        let mayGive = principal.scopes.union([.island]).union(principal.scopes.contains(.admin) ? Set(Scope.allCases) : [])
        let beyond = request.scopes.subtracting(mayGive).map(\.rawValue).sorted()
        guard beyond.isEmpty else {
            throw ServiceError(
                .forbidden, code: "scope_not_yours",
                "You may not give a key the scope \(beyond.joined(separator: ", ")), because you have not got it.")
        }
        return try await makeKey(
            accountID: principal.accountID, name: request.name, scopes: request.scopes, expiresInDays: request.expiresInDays,
            by: principal.accountID)
    }

    private func makeKey(
        accountID: String, name: String, scopes: Set<Scope>, expiresInDays: Int?, by actorID: String
    ) async throws -> (key: APIKeyRow, secret: String) {
        let secret = surroundings.newSecret(prefix: "ak_")
        let now = surroundings.now()
        let row = APIKeyRow(
            id: surroundings.newIdentifier(), accountID: accountID, name: name, prefix: String(secret.prefix(Self.prefixLength)),
            hash: Self.hash(secret), scopes: scopes.map(\.rawValue).sorted().joined(separator: " "), createdAt: now.milliseconds,
            expiresAt: expiresInDays.map { (now + .seconds($0 * 86_400)).milliseconds })
        try await database.write { writer in
            guard try writer.apiKeys(accountID: accountID, limit: 1, offset: 0).total < Self.keysMax else {
                throw ServiceError(.conflict, code: "too_many_keys", "An account has at most \(Self.keysMax) keys; revoke one first.")
            }
            try writer.insert(row)
            try writer.audit("key.create", "key/\(row.id)", by: actorID, at: now, after: row.audited)
        }
        return (row, secret)
    }

    /// The asker's keys, newest first.
    public func keys(page: Page, for principal: Principal) async throws -> Listing<APIKeyRow> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.apiKeys(accountID: principal.accountID, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    /// Ends a key of the asker's account at once.
    public func revokeKey(_ id: String, by principal: Principal) async throws {
        try principal.require(.write)
        let now = surroundings.now()
        try await database.write { writer in
            guard let key = try writer.apiKey(id: id, accountID: principal.accountID) else { throw ServiceError.notFound("API key \(id)") }
            try writer.revokeAPIKey(id: id, at: now.milliseconds)
            try writer.audit("key.revoke", "key/\(id)", by: principal.accountID, at: now, before: key.audited)
        }
        knownKeys.forgetAll()
    }

    /// Who holds an API key or a session token.
    ///
    /// The scopes are those of the key that the account's roles still allow, so a lost role takes effect at once.
    ///
    /// - Throws: `unauthenticated` (`invalid_api_key`, `invalid_session`) when nothing alive is this.
    public func authenticate(secret: String) async throws -> Principal {
        let hash = Self.hash(secret)
        let now = surroundings.now()
        if secret.hasPrefix(Self.sessionPrefix) {
            let found = try await database.read { reader in
                try reader.liveSession(hash: hash, at: now.milliseconds).map { ($0, try Account.find($0.accountID, in: reader)) }
            }
            guard let (session, account) = found else {
                throw ServiceError(.unauthenticated, code: "invalid_session", "The session has ended; sign in again.")
            }
            return Principal(accountID: account.id, scopes: Role.scopes(of: account.roles), credential: .session(id: session.id))
        }
        if let known = knownKeys.principal(hash: hash, at: now) { return known }
        let generation = knownKeys.generation
        let found = try await database.read { reader in
            try reader.liveAPIKey(hash: hash, at: now.milliseconds).map { ($0, try Account.find($0.accountID, in: reader)) }
        }
        guard let (key, account) = found else {
            throw ServiceError(.unauthenticated, code: "invalid_api_key", "The API key is not known; check it or make a new one.")
        }
        await noteUse(of: key, at: now)
        let scopes = Set(key.scopes.split(separator: " ").compactMap { Scope(rawValue: String($0)) })
        let principal = Principal(
            accountID: account.id, scopes: scopes.intersection(Role.scopes(of: account.roles)), credential: .key(id: key.id))
        let end = key.expiresAt.map(Timestamp.init(milliseconds:))
        knownKeys.keep(principal, hash: hash, at: now, end: end, since: generation)
        return principal
    }

    /// Notes when a key was last used; to the minute, so that requests do not wait for a commit each.
    private func noteUse(of key: APIKeyRow, at now: Timestamp) async {
        if let last = key.lastUsedAt, now.milliseconds - last < 60_000 { return }
        // On a full disk only the note is lost; reading must still be possible.
        _ = try? await database.write { try $0.noteUse(ofAPIKey: key.id, at: now.milliseconds) }
    }

    /// SHA-256 in hexadecimal. A secret has 160 random bits, so a fast hash is enough; equality is found by index, and what
    /// its timing could tell is the hash's prefix, never the secret's.
    static func hash(_ secret: String) -> String { Hexadecimal.text(SHA256.hash(data: Array(secret.utf8))) }
}

extension APIKeyRow {
    /// What the audit log keeps of a key; never the key.
    var audited: JSONValue {
        ["name": .string(name), "prefix": .string(prefix), "account": .string(accountID), "scopes": .string(scopes)]
    }
}

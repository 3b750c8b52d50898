import Domain
public import JSON
import Passwords
import Storage

extension Accounts {
    /// Chosen: a week; who is away longer signs in again.
    static let sessionLength = Duration.seconds(7 * 86_400)

    /// How long a session lasts, in seconds.
    public static var sessionSeconds: Int { Int(sessionLength.components.seconds) }

    /// What every session token begins with.
    public static let sessionPrefix = "as_"

    /// A session that has just begun.
    public struct NewSession: Sendable {
        /// Who signed in.
        public let account: Account
        /// The secret to show with each request; it cannot be shown again.
        public let token: String
        /// When it ends by itself.
        public let expiresAt: Timestamp
    }

    /// Begins a session, from a request body with `email` and `password`.
    ///
    /// An unknown address takes as long as a wrong password, and both get the same answer.
    ///
    /// - Throws: `unauthenticated` (`invalid_credentials`); `unavailable` (`busy`).
    public func signIn(_ object: JSONObject) async throws -> NewSession {
        var reader = FieldReader(object)
        let email = reader.required("email", reader.string("email"))
        let password = reader.required("password", reader.string("password"))
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let email, let password else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let row = try await database.read { try $0.account(email: email.lowercased()) }
        guard let hash = row?.passwordHash, let row else {
            _ = try await hashed(password)
            throw Self.invalidCredentials
        }
        guard try await isRight(password, hash: hash) else { throw Self.invalidCredentials }
        let renewed = passwords.isOutdated(hash: hash) ? try await hashed(password) : nil
        let now = surroundings.now()
        let token = surroundings.newSecret(prefix: Self.sessionPrefix)
        let session = SessionRow(
            id: surroundings.newIdentifier(), accountID: row.id, hash: Self.hash(token), createdAt: now.milliseconds,
            expiresAt: (now + Self.sessionLength).milliseconds)
        return try await database.write { writer in
            // Changed since it was checked: then it is no longer the password.
            guard try writer.account(id: row.id)?.passwordHash == hash else { throw Self.invalidCredentials }
            if let renewed { try writer.setPasswordHash(renewed, accountID: row.id) }
            try writer.insert(session)
            try writer.audit("session.begin", "account/\(row.id)", by: row.id, at: now, after: ["session": .string(session.id)])
            return NewSession(
                account: try Account(row), token: token, expiresAt: Timestamp(milliseconds: session.expiresAt))
        }
    }

    /// Ends the session that asks.
    ///
    /// - Throws: `conflict` (`no_session`) when the asker used an API key.
    public func signOut(_ principal: Principal) async throws {
        guard case .session(let id) = principal.credential else {
            throw ServiceError(.conflict, code: "no_session", "This request came with an API key, not a session; revoke the key instead.")
        }
        let now = surroundings.now()
        try await database.write { writer in
            try writer.deleteSession(id: id)
            try writer.audit(
                "session.end", "account/\(principal.accountID)", by: principal.accountID, at: now, before: ["session": .string(id)])
        }
    }

    /// Changes the password, from a request body with `current_password` and `new_password`; ends every other session.
    ///
    /// - Throws: `forbidden` (`wrong_password`), also for accounts that never had one.
    public func changePassword(_ object: JSONObject, by principal: Principal) async throws {
        try principal.require(.write)
        var reader = FieldReader(object)
        let current = reader.required("current_password", reader.string("current_password"))
        let new = reader.required("new_password", reader.string("new_password"))
        reader.refuseUnknown()
        let row = try await database.read { try $0.account(id: principal.accountID) }
        if let new, let refusal = PasswordRule.refusal(of: new, email: row?.email ?? "") { reader.note("new_password", refusal) }
        guard reader.mistakes.isEmpty, let current, let new else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        guard let row, let old = row.passwordHash, try await isRight(current, hash: old) else { throw Self.wrongPassword }
        let hash = try await hashed(new)
        let now = surroundings.now()
        try await database.write { writer in
            guard try writer.account(id: row.id)?.passwordHash == old else { throw Self.wrongPassword }
            try writer.setPasswordHash(hash, accountID: row.id)
            var kept: String?
            if case .session(let id) = principal.credential { kept = id }
            try writer.deleteSessions(accountID: row.id, except: kept)
            try writer.audit("account.password", "account/\(row.id)", by: row.id, at: now)
        }
    }

    private func isRight(_ password: String, hash: String) async throws -> Bool {
        do {
            return try await passwords.matches(password, hash: hash)
        } catch let error as PasswordError {
            throw ServiceError(error)
        }
    }

    private static var invalidCredentials: ServiceError {
        ServiceError(.unauthenticated, code: "invalid_credentials", "The e-mail address or the password is wrong.")
    }

    private static var wrongPassword: ServiceError {
        ServiceError(.forbidden, code: "wrong_password", "The current password is wrong, or this account has none.")
    }
}

public import Domain

/// Who asks, and what that one may do.
public struct Principal: Sendable, Hashable {
    /// By what the asker was recognised.
    public enum Credential: Sendable, Hashable {
        /// An API key, by its id.
        case key(id: String)
        /// A session of somebody who signed in with a password, by its id.
        case session(id: String)
        /// This process itself, for what an operator does at its command line.
        case process
    }

    /// The account.
    public let accountID: String
    /// What the asker may do.
    public let scopes: Set<Scope>
    /// By what it was recognised.
    public let credential: Credential

    /// Who asks.
    public init(accountID: String, scopes: Set<Scope>, credential: Credential = .process) {
        self.accountID = accountID
        self.scopes = scopes
        self.credential = credential
    }

    /// Throws `forbidden` (`missing_scope`) unless the asker has the scope; `admin` has every scope but `island`.
    public func require(_ scope: Scope) throws {
        if scopes.contains(scope) || (scope != .island && scopes.contains(.admin)) { return }
        throw ServiceError(.forbidden, code: "missing_scope", "This API key has not the scope '\(scope.rawValue)'; use a key that has it.")
    }
}

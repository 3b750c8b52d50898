public import Domain

/// Who asks, and what that one may do.
public struct Principal: Sendable, Hashable {
    /// The account.
    public let accountID: String
    /// What the key may do.
    public let scopes: Set<Scope>

    /// Who asks.
    public init(accountID: String, scopes: Set<Scope>) {
        self.accountID = accountID
        self.scopes = scopes
    }

    /// Throws `forbidden` (`missing_scope`) unless the key has the scope; `admin` has every scope but `island`.
    public func require(_ scope: Scope) throws {
        if scopes.contains(scope) || (scope != .island && scopes.contains(.admin)) { return }
        throw ServiceError(.forbidden, code: "missing_scope", "This API key has not the scope '\(scope.rawValue)'; use a key that has it.")
    }
}

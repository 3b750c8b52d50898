/// What an account may do for the network beside its own business.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// Reviews other publishers' submissions.
    case reviewer
    /// Administers the network.
    case admin

    /// The scopes that somebody with these roles may use, and may give to keys.
    ///
    /// Everybody may read, write and run Islands.
    public static func scopes(of roles: Set<Role>) -> Set<Scope> {
        var scopes: Set<Scope> = [.read, .write, .island]
        if roles.contains(.reviewer) { scopes.insert(.review) }
        if roles.contains(.admin) { scopes.formUnion([.review, .admin]) }
        return scopes
    }
}

/// What an API key may do.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Look at what the account may see.
    case read
    /// Publish, send jobs, change what is the account's own.
    case write
    /// Review other publishers' submissions.
    case review
    /// Administer the network.
    case admin
    /// Speak as an Island.
    case island

    /// What a key gets that is asked for by name alone. Source: DESIGN §5.1.
    public static let standard: Set<Scope> = [.read, .write]
}

/// What kind of publisher an account is.
public enum PublisherStanding: String, Sendable, Hashable, CaseIterable {
    case community, verified
    case firstParty = "first_party"

    /// The most active Cargos at once, or `nil` for no limit.
    ///
    /// Source: 3 is the product's documentation; 10 for a verified identity is chosen (DESIGN §4.2).
    public var activeCargosMax: Int? {
        switch self {
        case .community: 3
        case .verified: 10
        case .firstParty: nil
        }
    }
}

/// A place where credits are: every credit is in exactly one of them.
public enum LedgerAccount: Sendable, Hashable {
    /// What an account of the network can spend: bought, granted or earned. Never below zero.
    case wallet(accountID: String)
    /// What is set aside for jobs that are not over. Never below zero.
    case holds
    /// What the platform has earned. Never below zero.
    case platform
    /// Where granted credits come from and returned ones go: minus all credits there are elsewhere.
    case issued

    /// As stored: `wallet/ID`, `holds`, `platform` or `issued`.
    public var name: String {
        switch self {
        case .wallet(let accountID): "wallet/\(accountID)"
        case .holds: "holds"
        case .platform: "platform"
        case .issued: "issued"
        }
    }

    /// Reads a stored name; `nil` for one that is none.
    public init?(name: String) {
        switch name {
        case "holds": self = .holds
        case "platform": self = .platform
        case "issued": self = .issued
        default:
            let prefix = "wallet/"
            guard name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count else { return nil }
            self = .wallet(accountID: String(name.dropFirst(prefix.count)))
        }
    }

    /// Whether its balance may be below zero.
    public var mayOwe: Bool { self == .issued }
}

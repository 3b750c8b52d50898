/// How far the network trusts a Cargo, and so what the Cargo may use on an Island.
///
/// Source: the product's documentation, "Trust Levels" and "Cargo Tiers".
public enum TrustLevel: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// Level 0: every new submission.
    case untrusted = 0
    /// Level 1: scanned and reviewed.
    case basic = 1
    /// Level 2: signed by a verified publisher.
    case verified = 2
    /// Level 3: first-party or fully audited.
    case official = 3

    public static func < (left: TrustLevel, right: TrustLevel) -> Bool { left.rawValue < right.rawValue }

    /// The publishing tier that the level belongs to.
    public var tier: Tier {
        switch self {
        case .untrusted, .basic: .community
        case .verified: .certified
        case .official: .official
        }
    }

    /// The sandbox that the level runs in.
    public var sandboxProfile: SandboxProfile {
        switch self {
        case .untrusted: .restricted
        case .basic, .verified: .standard
        case .official: .elevated
        }
    }

    /// Whether an Island must find a valid cosign signature before it runs a Cargo of this level.
    public var requiresSignature: Bool { self >= .verified }

    /// The highest level that a reviewer may give a version: the higher ones are earned by certification or an audit.
    ///
    /// A new version of a certified Cargo may stay at level 2. An audit is of one version, so level 3 is never handed on.
    ///
    /// - Parameter replaced: the level of the version that is in the registry now; `nil` for none.
    public static func reviewMax(replacing replaced: TrustLevel?) -> TrustLevel {
        (replaced ?? .untrusted) >= .verified ? .verified : .basic
    }
}

/// The three publishing tiers.
public enum Tier: String, Sendable, Hashable, CaseIterable {
    case community, certified, official
}

/// The three sandboxes.
public enum SandboxProfile: String, Sendable, Hashable, CaseIterable {
    case restricted, standard, elevated
}

/// Which system calls a Cargo may make.
public enum SeccompProfile: String, Sendable, Hashable, CaseIterable {
    /// 14 calls: read, write, memory and exit. Enough for a static program.
    case minimal
    /// About 145 calls (149 with those whose arguments are looked at): files, threads, processes and loopback sockets.
    case `default`
    /// `default`, and what network clients need.
    case network
    /// `network`, and what GPU drivers need.
    case gpu
}

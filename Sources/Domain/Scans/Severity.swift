/// How bad a vulnerability is, as the scanners' databases rate it.
public enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
    case critical, high, medium, low, unknown

    /// A higher severity is greater; `unknown` is the least, because it decides nothing.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .critical: 4
        case .high: 3
        case .medium: 2
        case .low: 1
        case .unknown: 0
        }
    }

    /// What a finding of this severity means for approval.
    ///
    /// Source: the product's documentation, "Automated Scanning". Chosen: `unknown` is usual for fresh advisories, so it
    /// is shown and does not block.
    public var impact: Impact {
        switch self {
        case .critical, .high: .blocks
        case .medium: .needsJustification
        case .low, .unknown: .informs
        }
    }

    /// What a finding means for approval.
    public enum Impact: Sendable, Hashable {
        /// Approval is impossible until it is fixed.
        case blocks
        /// The publisher justifies it, or the reviewer accepts it in a note.
        case needsJustification
        /// It is shown.
        case informs
    }
}

/// Who gets how much of a job's charge, in whole credits; nothing is lost in rounding. Source: DESIGN §4.5.
public struct ChargeSplit: Sendable, Hashable {
    /// For the owner of the Island: `floor(charge × revenue share / 100)`.
    public let island: Int
    /// For the platform: `floor(charge × platform fee / 100)`, and no more than the Island's share leaves.
    public let platform: Int
    /// For the publisher: the rest.
    public let publisher: Int

    /// All of it.
    public var charge: Int { island + platform + publisher }

    /// Splits a charge.
    ///
    /// - Parameters:
    ///   - charge: credits, at least 0.
    ///   - revenueShare: the Island's percent, `0...100`, as the publisher set it.
    ///   - platformFee: the platform's percent, `0...100`, as the operator set it.
    public init(charge: Int, revenueShare: Int, platformFee: Int) {
        precondition(charge >= 0 && (0...100).contains(revenueShare) && (0...100).contains(platformFee), "a share is a percentage")
        island = Self.percent(revenueShare, of: charge)
        platform = min(Self.percent(platformFee, of: charge), charge - island)
        publisher = charge - island - platform
    }

    /// `floor(amount × percent / 100)` without a product that could overflow.
    private static func percent(_ percent: Int, of amount: Int) -> Int { amount / 100 * percent + amount % 100 * percent / 100 }
}

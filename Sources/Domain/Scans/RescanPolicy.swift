/// When published Cargos are scanned again, and what follows when a rescan finds what blocks.
public struct RescanPolicy: Sendable, Hashable {
    /// From one rescan of a Cargo to the next, at most. Source: the product's documentation, "weekly".
    public let interval: Duration
    /// From a critical finding to the suspension. Source: design, section 4.4.
    public let criticalGrace: Duration
    /// From a high finding to the suspension. Source: as above.
    public let highGrace: Duration

    /// A policy.
    ///
    /// - Parameters:
    ///   - interval: above zero.
    ///   - criticalGrace: at least zero, which suspends at once.
    ///   - highGrace: at least zero.
    public init(
        interval: Duration = .seconds(7 * 86_400), criticalGrace: Duration = .zero, highGrace: Duration = .seconds(7 * 86_400)
    ) {
        precondition(interval > .zero && criticalGrace >= .zero && highGrace >= .zero, "times do not run backwards")
        self.interval = interval
        self.criticalGrace = criticalGrace
        self.highGrace = highGrace
    }

    /// From a finding to the suspension; `nil` for a severity that suspends nothing.
    public func grace(for severity: Severity) -> Duration? {
        switch severity {
        case .critical: criticalGrace
        case .high: highGrace
        case .medium, .low, .unknown: nil
        }
    }

    /// The moment of a Cargo's next rescan: each has a moment of the week of its own, so that the work is spread whatever happened
    /// before, and after a downtime each goes back to its own.
    ///
    /// The moment is the first after `now` that leaves the remainder `mix(id) mod interval` when divided by the interval, with a
    /// 64-bit mixing function that scatters neighbouring ids. Source: G. Steele and others, "Fast Splittable Pseudorandom Number
    /// Generators", OOPSLA 2014, `mix64`.
    ///
    /// - Parameters:
    ///   - id: the submission.
    ///   - now: milliseconds since 1970 UTC.
    /// - Returns: milliseconds since 1970 UTC, in `now + 1 ... now + interval`.
    public func nextMoment(of id: Int, after now: Int) -> Int {
        let period = max(1, Int(interval.components.seconds) * 1000 + Int(interval.components.attoseconds / 1_000_000_000_000_000))
        let own = Int(Self.mix(UInt64(bitPattern: Int64(id))) % UInt64(period))
        let passed = ((now - own) % period + period) % period
        return now + period - passed
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

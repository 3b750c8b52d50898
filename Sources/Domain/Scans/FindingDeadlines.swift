/// How long each finding that blocks a published Cargo is put up with, finding by finding.
///
/// Source: design, section 4.4. A finding that gets worse or better is another one, with a time of its own; one that is gone takes its end
/// with it.
public struct FindingDeadlines: Sendable, Hashable {
    /// By ``key(of:)``: milliseconds since 1970 UTC; `nil` for one that an administrator puts up with.
    public private(set) var ends: [String: Int?]

    /// Deadlines as they were stored.
    public init(ends: [String: Int?] = [:]) { self.ends = ends }

    /// A finding and how bad it is.
    public static func key(of finding: Finding) -> String { "\(finding.id) \(finding.packageKey) \(finding.severity.rawValue)" }

    /// When the first of them is over, milliseconds since 1970 UTC; `nil` for never.
    public var first: Int? { ends.values.compactMap { $0 }.min() }

    /// Takes what a rescan found in place of what was there.
    ///
    /// - Parameters:
    ///   - found: the findings of the newest scan.
    ///   - now: milliseconds since 1970 UTC.
    /// - Returns: the blocking findings that were not there before, in the order of `found`.
    public mutating func replace(with found: [Finding], policy: RescanPolicy, now: Int) -> [Finding] {
        let blocking = found.filter { $0.severity.impact == .blocks }
        let fresh = blocking.filter { ends[Self.key(of: $0)] == nil }
        let there = Set(blocking.map(Self.key))
        var kept = ends.filter { there.contains($0.key) }
        for finding in fresh {
            kept.updateValue(policy.grace(for: finding.severity).map { now + Int($0 / .milliseconds(1)) }, forKey: Self.key(of: finding))
        }
        ends = kept
        return fresh
    }

    /// Puts up with everything that is known, for ever.
    public mutating func forgive() { ends = ends.mapValues { _ in nil } }
}

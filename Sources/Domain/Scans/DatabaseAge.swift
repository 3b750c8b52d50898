/// How old a vulnerability database may be.
public struct DatabaseAgePolicy: Sendable, Hashable {
    /// From this age on the operator is warned.
    public let warnsAfter: Duration
    /// From this age on nothing is scanned with it.
    public let refusesAfter: Duration

    /// A policy.
    ///
    /// - Parameters:
    ///   - warnsAfter: Source: five days, the age at which Grype refuses a database by default.
    ///   - refusesAfter: Chosen: two weeks; what was found since is what attackers use first.
    public init(warnsAfter: Duration = .seconds(5 * 86_400), refusesAfter: Duration = .seconds(14 * 86_400)) {
        self.warnsAfter = warnsAfter
        self.refusesAfter = refusesAfter
    }

    /// What an age means.
    public enum Judgement: String, Sendable, Hashable {
        case fresh, aging, stale
    }

    /// Judges an age; one below zero, of a database from the future, is as good as fresh.
    public func judge(age: Duration) -> Judgement {
        if age >= refusesAfter { return .stale }
        return age >= warnsAfter ? .aging : .fresh
    }
}

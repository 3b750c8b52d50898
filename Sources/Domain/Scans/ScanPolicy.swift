/// What a scan must have had to count.
public struct ScanPolicy: Sendable, Hashable {
    /// How old the scanners' databases may be.
    public let databaseAge: DatabaseAgePolicy
    /// Scanners that this network does without, to be named wherever a verdict is shown: with one scanner less, less is found.
    public let missingScanners: [String]

    /// A policy.
    public init(databaseAge: DatabaseAgePolicy = DatabaseAgePolicy(), missingScanners: [String] = []) {
        self.databaseAge = databaseAge
        self.missingScanners = missingScanners
    }
}

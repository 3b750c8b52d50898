/// One vulnerability in one package of an image.
public struct Finding: Sendable, Hashable {
    /// The advisory: a CVE id where there is one, else the database's own id.
    public let id: String
    /// The package's name.
    public let package: String
    /// The installed version.
    public let version: String
    /// The version, or versions parted by commas, that mend it; `nil` when there is none.
    public let fixedVersion: String?
    /// How bad it is.
    public let severity: Severity
    /// The package as a package URL, where the scanner gives one.
    public let packageURL: String?
    /// What each scanner that reported it rates it, by the scanner's name.
    public let ratings: [String: Severity]
    /// Other ids of the same advisory, sorted: a GHSA id beside the CVE.
    public let aliases: [String]

    /// The names of the scanners that reported it, sorted.
    public var scanners: [String] { ratings.keys.sorted() }

    /// A finding with one severity, as a scanner reports it.
    public init(
        id: String, package: String, version: String, fixedVersion: String?, severity: Severity, packageURL: String?, scanners: [String],
        aliases: [String] = []
    ) {
        self.init(
            id: id, package: package, version: version, fixedVersion: fixedVersion, packageURL: packageURL,
            ratings: Dictionary(scanners.map { ($0, severity) }) { first, _ in first }, severity: severity, aliases: aliases)
    }

    /// A finding of several scanners.
    public init(
        id: String, package: String, version: String, fixedVersion: String?, packageURL: String?, ratings: [String: Severity],
        severity: Severity, aliases: [String]
    ) {
        self.id = id
        self.package = package
        self.version = version
        self.fixedVersion = fixedVersion
        self.severity = severity
        self.packageURL = packageURL
        self.ratings = ratings
        self.aliases = aliases
    }

    /// Whether scanners that looked at the same image say different things of this finding: other severities, or nothing at all.
    ///
    /// - Parameter ran: the names of all scanners that ran.
    public func isDisputed(among ran: [String]) -> Bool { Set(ran.map { ratings[$0] }).count > 1 }
}

/// How many findings there are of each severity.
public struct SeverityCounts: Sendable, Hashable {
    private var counts: [Severity: Int] = [:]

    /// Counts findings.
    public init(of findings: [Finding]) { self.init(of: findings.map(\.severity)) }

    /// Counts severities.
    public init(of severities: [Severity]) { counts = Dictionary(severities.map { ($0, 1) }, uniquingKeysWith: +) }

    /// The number of findings of a severity, at least 0.
    public subscript(severity: Severity) -> Int { counts[severity] ?? 0 }
}

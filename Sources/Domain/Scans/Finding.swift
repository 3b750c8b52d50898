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
    /// The names of the scanners that reported it, sorted.
    public let scanners: [String]

    /// A finding as a scanner reports it.
    public init(
        id: String, package: String, version: String, fixedVersion: String?, severity: Severity, packageURL: String?, scanners: [String]
    ) {
        self.id = id
        self.package = package
        self.version = version
        self.fixedVersion = fixedVersion
        self.severity = severity
        self.packageURL = packageURL
        self.scanners = scanners
    }
}

/// How many findings there are of each severity.
public struct SeverityCounts: Sendable, Hashable {
    private var counts: [Severity: Int] = [:]

    /// Counts findings.
    public init(of findings: [Finding]) {
        for finding in findings { counts[finding.severity, default: 0] += 1 }
    }

    /// The number of findings of a severity, at least 0.
    public subscript(severity: Severity) -> Int { counts[severity] ?? 0 }
}

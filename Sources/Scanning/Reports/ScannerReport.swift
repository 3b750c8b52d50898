public import Domain

/// What one scanner found in one image.
public struct ScannerReport: Sendable, Hashable {
    /// The scanner's name: `trivy`.
    public let scanner: String
    /// The scanner's version as it printed it: `0.76.0`.
    public let scannerVersion: String
    /// When the vulnerability database was built: RFC 3339, as the database says it.
    public let databaseUpdatedAt: String
    /// The digest of the scanned image's configuration: `sha256:` and 64 hexadecimal digits.
    public let imageID: String
    /// The scanned image's platform, `os/architecture` or `os/architecture/variant`; `nil` when the report has none.
    public let platform: String?
    /// The operating system found in the image; `nil` when there is no trace of one, as in an image of one static program.
    public let operatingSystem: OperatingSystem?
    /// The number of packages that were looked at, at least 0; 0 means that there was nothing to look at, `nil` that the scanner does not
    /// say.
    public let packageCount: Int?
    /// How many of them are packages of the operating system; `nil` as above.
    public let systemPackageCount: Int?
    /// Every finding, in the scanner's order: one per advisory and package, so one advisory may show several times.
    public let findings: [Finding]
    /// The report itself: UTF-8, one JSON document, at most the configured number of bytes.
    public let raw: [UInt8]

    /// When the database was built, whole seconds since 1970 UTC; `nil` when the scanner's date cannot be read.
    public var databaseUpdatedSeconds: Int? { RFC3339.seconds(databaseUpdatedAt) }

    /// The operating system that an image is built on.
    public struct OperatingSystem: Sendable, Hashable {
        /// The family in lower case: `debian`, `alpine`.
        public let family: String
        /// The release: `12.1`.
        public let name: String
        /// Whether its makers no longer mend it; `nil` when the scanner says nothing, which is usual for supported ones.
        public let isEndOfLife: Bool?

        /// An operating system as a report names it.
        public init(family: String, name: String, isEndOfLife: Bool?) {
            self.family = family
            self.name = name
            self.isEndOfLife = isEndOfLife
        }
    }

    /// A report from its parts.
    public init(
        scanner: String, scannerVersion: String, databaseUpdatedAt: String, imageID: String, platform: String?,
        operatingSystem: OperatingSystem?, packageCount: Int?, systemPackageCount: Int?, findings: [Finding],
        raw: [UInt8]
    ) {
        self.scanner = scanner
        self.scannerVersion = scannerVersion
        self.databaseUpdatedAt = databaseUpdatedAt
        self.imageID = imageID
        self.platform = platform
        self.operatingSystem = operatingSystem
        self.packageCount = packageCount
        self.systemPackageCount = systemPackageCount
        self.findings = findings
        self.raw = raw
    }
}

internal import Foundation

/// How Grype is run.
public struct GrypeConfiguration: Sendable, Hashable {
    /// The absolute path of the program.
    public var executable: String
    /// The absolute path of Grype's database folder, its `GRYPE_DB_CACHE_DIR`. It is only read; `nil` when there is none to be seen,
    /// which the real Grype refuses.
    public var databaseFolder: String?
    /// The longest time for one scan. Chosen: as for Trivy.
    public var timeout: Duration
    /// The largest report read, in bytes. Chosen: as for Trivy.
    public var reportBytesMax: Int
    /// The most findings taken from one report. Chosen: as for Trivy.
    public var findingsMax: Int

    /// A configuration; paths are checked when a scan starts.
    public init(
        executable: String, databaseFolder: String?, timeout: Duration = .seconds(300), reportBytesMax: Int = 64 * 1024 * 1024,
        findingsMax: Int = 100_000
    ) {
        precondition(timeout > .zero && reportBytesMax > 0 && findingsMax > 0, "a scan needs time and room")
        self.executable = executable
        self.databaseFolder = databaseFolder
        self.timeout = timeout
        self.reportBytesMax = reportBytesMax
        self.findingsMax = findingsMax
    }
}

/// Scans images with Grype, offline, from the database on this machine.
///
/// The real Grype was never run while this was written: what is said of it comes from its sources (about 0.116) and from stored
/// reports of real runs.
public struct GrypeScanner: VulnerabilityScanner {
    /// The name in findings and reports.
    static let scannerName = "grype"

    /// `grype`.
    public var name: String { Self.scannerName }

    public let databaseRemedy = "grype db update; without a network: grype db import ARCHIVE"

    private let configuration: GrypeConfiguration
    private let tool: ScannerTool
    private let queue = BlockingQueue(label: "scanning.grype")

    /// Where Grype's makers say how to get it, and the commands that bring its database.
    static let install =
        "Install Grype (https://oss.anchore.com/docs/installation/grype/), then run: grype db update; without a network: grype db import ARCHIVE"

    /// A scanner; nothing is read or started before the first scan.
    public init(configuration: GrypeConfiguration, cage: any ScannerCage) {
        self.configuration = configuration
        tool = ScannerTool(name: "Grype", cage: cage, installRemedy: Self.install, failure: GrypeErrorTable.failure)
    }

    /// Scans one image: success is exit code 0, and a report that can be read, and the expected image in it.
    public func scan(_ subject: ScanSubject) async throws(ScanFailure) -> ScannerReport {
        let (configuration, tool) = (configuration, tool)
        try await queue.run { () throws(ScanFailure) in
            try tool.requireProgram(at: configuration.executable)
            try SubjectLayout.check(subject)
        }
        let printed = try await tool.output(of: program(subject))
        let parser = GrypeReportParser(reportBytesMax: configuration.reportBytesMax, findingsMax: configuration.findingsMax)
        return try await queue.run { () throws(ScanFailure) in try Self.report(try parser.parse(printed), on: subject, raw: printed) }
    }

    /// - `--by-cve`: language packages under their CVE too; the parser does not rely on it.
    /// - The scheme `oci-dir:` is always written: without one Grype guesses, and asks a Docker daemon first.
    private func program(_ subject: ScanSubject) -> ScannerProgram {
        ScannerProgram(
            executable: configuration.executable, image: subject.layoutFolder, databases: configuration.databaseFolder,
            timeout: configuration.timeout, outputBytesMax: configuration.reportBytesMax
        ) { places in
            [
                "GRYPE_DB_AUTO_UPDATE": "false", "GRYPE_CHECK_FOR_APP_UPDATE": "false", "GRYPE_DB_CACHE_DIR": places.databases,
                // The age of the database is judged here, by one rule for all scanners.
                "GRYPE_DB_VALIDATE_AGE": "false",
            ]
        } arguments: { places in
            ["oci-dir:\(places.image)", "-o", "json", "--by-cve", "-q"]
        }
    }

    private static func report(
        _ content: GrypeReportParser.Content, on subject: ScanSubject, raw: [UInt8]
    ) throws(ScanFailure) -> ScannerReport {
        guard content.sourceType == "image", let imageID = content.imageID else { throw .unreadable("it is not about an image") }
        guard let builtAt = content.databaseBuiltAt, RFC3339.isWellFormed(builtAt) else { throw .unreadable("no date of the database") }
        let report = ScannerReport(
            scanner: scannerName, scannerVersion: content.version ?? "unknown", databaseUpdatedAt: builtAt, imageID: imageID,
            // Grype names the platform only since some version; the image id above is the digest of what names it.
            platform: content.platform ?? subject.platform, operatingSystem: content.operatingSystem, packageCount: nil,
            systemPackageCount: nil,
            findings: content.findings, raw: raw)
        try report.require(subject)
        return report
    }
}

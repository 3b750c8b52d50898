internal import Foundation

/// Scans images with Trivy, offline, from databases on this machine, and lists their packages.
///
/// Each run lives in a cage with an environment of its own, so that neither the image, nor files left in a folder, nor variables
/// of this process can configure it. The cache is used in memory only: Trivy's cache on disk takes the diff ids of an image for
/// true, so one submission could make another look clean.
///
/// A scan takes the memory of a Trivy process, 125 to 260 MB; how many run at once is the caller's choice.
public struct TrivyScanner: VulnerabilityScanner, SBOMGenerator {
    /// The name in findings and reports.
    static let scannerName = "trivy"

    /// `trivy`.
    public var name: String { Self.scannerName }

    public var databaseRemedy: String { remedy.download }

    private let configuration: TrivyConfiguration
    private let tool: ScannerTool
    private let queue = BlockingQueue(label: "scanning.trivy")
    private let versions = AcceptedVersions()
    private let releases = TrivyReleases()
    private let remedy: TrivyRemedy

    /// A scanner; nothing is read or started before the first scan.
    public init(configuration: TrivyConfiguration, cage: any ScannerCage) {
        self.configuration = configuration
        let remedy = TrivyRemedy(cacheFolder: configuration.cacheFolder)
        let table = TrivyErrorTable(cacheFolder: configuration.cacheFolder)
        self.remedy = remedy
        tool = ScannerTool(name: "Trivy", cage: cage, installRemedy: remedy.install) { code, error in
            table.failure(exitCode: code, standardError: error)
        }
    }

    /// Scans one image: success is exit code 0, and a report that can be read, and the expected image and platform in it, made with one state
    /// of the database that knows the image's operating system.
    public func scan(_ subject: ScanSubject) async throws(ScanFailure) -> ScannerReport {
        for _ in 0..<Self.triesMax {
            let (report, isOfOneState) = try await scanOnce(subject)
            if isOfOneState { return report }
        }
        throw ScanFailure(
            .databaseChanging, message: "Trivy's vulnerability database was replaced each time while it was used.",
            remedy: "Let the update end; the scan is tried again.", retryable: true)
    }

    /// Scans that an update of the database may spoil one after the other. Chosen: updates come hours apart.
    private static let triesMax = 3

    private func scanOnce(_ subject: ScanSubject) async throws(ScanFailure) -> (report: ScannerReport, isOfOneState: Bool) {
        let folder = configuration.cacheFolder
        let before = TrivyDatabaseState(cacheFolder: folder)
        let database = try await prepare(subject)
        let version = try await acceptedVersion()
        let printed = try await tool.output(of: TrivyCommand.scan(configuration, image: subject.layoutFolder))
        let parser = TrivyReportParser(reportBytesMax: configuration.reportBytesMax, findingsMax: configuration.findingsMax)
        let releases = releases
        let report = try await queue.run { () throws(ScanFailure) in
            let report = try parser.parse(printed, databaseUpdatedAt: database.updatedAt)
            if let system = report.operatingSystem, report.systemPackageCount != 0 {
                let bucket = TrivyReleases.bucket(of: system)
                guard let bucket, try releases.contains(bucket, state: before, cacheFolder: folder) else {
                    let name = bucket ?? ScannerText.oneLine("\(system.family) \(system.name)")
                    throw ScanFailure(
                        .releaseUnknown, message: "Trivy's vulnerability database knows nothing of \(name), so nothing can be said of its packages.",
                        remedy:
                            "Build the image on a release that is maintained; or update the database: \(TrivyRemedy(cacheFolder: folder).download)")
                }
            }
            return report
        }
        try report.require(subject)
        guard report.scannerVersion == version else { throw refusedVersion("it changed while scanning: \(report.scannerVersion)") }
        return (report, TrivyDatabaseState(cacheFolder: folder) == before)
    }

    public func makeSBOM(of subject: ScanSubject, format: SBOMFormat) async throws(ScanFailure) -> SBOMDocument {
        _ = try await prepare(subject)
        _ = try await acceptedVersion()
        let printed = try await tool.output(of: TrivyCommand.bill(configuration, image: subject.layoutFolder, format: format))
        return try await queue.run { () throws(ScanFailure) in try SBOMDocument(printed, format: format, generator: Self.scannerName) }
    }

    /// Checks what can be checked before the program is started.
    private func prepare(_ subject: ScanSubject) async throws(ScanFailure) -> TrivyDatabase {
        let (configuration, tool) = (configuration, tool)
        return try await queue.run { () throws(ScanFailure) in
            try tool.requireProgram(at: configuration.executable)
            let database = try TrivyDatabase.check(cacheFolder: configuration.cacheFolder)
            try SubjectLayout.check(subject)
            return database
        }
    }

    /// Asks the program for its version before it sees an image.
    private func acceptedVersion() async throws(ScanFailure) -> String {
        try await versions.version(of: configuration.executable) { () async throws(ScanFailure) in
            let printed = try await tool.output(of: TrivyCommand.version(configuration))
            let document: VersionDocument
            do {
                document = try JSONDecoder().decode(VersionDocument.self, from: Data(printed))
            } catch {
                throw refusedVersion("it prints no version")
            }
            guard let version = TrivyVersion(document.Version), version.isAccepted else { throw refusedVersion(document.Version) }
            return document.Version
        }
    }

    private func refusedVersion(_ detail: String) -> ScanFailure {
        ScanFailure(
            .scannerRefusedVersion, message: "This version of Trivy is not accepted; \(TrivyVersion.minimum) or newer is needed.",
            remedy: remedy.update, detail: detail)
    }

    /// What `trivy version --format json` prints; the name is Trivy's.
    private struct VersionDocument: Decodable {
        let Version: String
    }
}

internal import Foundation

/// Scans images with Trivy, offline, from databases on this machine.
///
/// Each scan runs in a folder of its own with an environment of its own, so that neither the image, nor files left in a
/// folder, nor variables of this process can configure it. The cache is used in memory only: Trivy's cache on disk takes
/// the diff ids of an image for true, so one submission could make another look clean.
///
/// A scan takes the memory of a Trivy process, 125 to 260 MB; how many run at once is the caller's choice.
public struct TrivyScanner: VulnerabilityScanner {
    /// The name in findings and reports.
    static let scannerName = "trivy"

    /// `trivy`.
    public var name: String { Self.scannerName }

    private let configuration: TrivyConfiguration
    private let queue = BlockingQueue(label: "scanning.trivy")
    private let remedy: TrivyRemedy

    /// A scanner; nothing is read or started before the first scan.
    public init(configuration: TrivyConfiguration) {
        self.configuration = configuration
        remedy = TrivyRemedy(cacheFolder: configuration.cacheFolder)
    }

    /// Scans one image: success is exit code 0, and a report that can be read, and the expected image and platform in it.
    public func scan(_ subject: ScanSubject) async throws(ScanFailure) -> ScannerReport {
        let configuration = configuration
        let database = try await queue.run { () throws(ScanFailure) in
            try Self.checkExecutable(configuration)
            let database = try TrivyDatabase.check(cacheFolder: configuration.cacheFolder)
            try SubjectLayout.check(subject)
            return database
        }
        let workspace = try await queue.run { () throws(ScanFailure) in
            try ScanWorkspace.make(in: configuration.workFolder, layoutFolder: subject.layoutFolder)
        }
        let result: Result<ScannerReport, ScanFailure>
        do {
            result = .success(try await scan(subject, database: database, workspace: workspace))
        } catch {
            result = .failure(error)
        }
        try await queue.run { () throws(ScanFailure) in workspace.remove() }
        return try result.get()
    }

    private func scan(
        _ subject: ScanSubject, database: TrivyDatabase, workspace: ScanWorkspace
    ) async throws(ScanFailure) -> ScannerReport {
        let version = try await acceptedVersion(workspace)
        _ = try await output(
            of: process(TrivyCommand.scan(configuration, workspace: workspace), in: workspace, timeout: configuration.timeout))
        let configuration = configuration
        let report = try await queue.run { () throws(ScanFailure) in
            try Self.readReport(configuration, database: database, workspace: workspace)
        }
        guard report.imageID == subject.imageID else { throw wrongImage("the report is about \(report.imageID)") }
        guard Platform.matches(report.platform, expected: subject.platform) else {
            throw wrongImage("the image is for \(report.platform ?? "no platform"), not \(subject.platform)")
        }
        guard report.scannerVersion == version else { throw refusedVersion("it changed while scanning: \(report.scannerVersion)") }
        return report
    }

    /// Asks the program for its version before it sees an image.
    private func acceptedVersion(_ workspace: ScanWorkspace) async throws(ScanFailure) -> String {
        let printed = try await output(
            of: process(TrivyCommand.version(configuration), in: workspace, timeout: configuration.versionTimeout))
        let document: VersionDocument
        do {
            document = try JSONDecoder().decode(VersionDocument.self, from: Data(printed))
        } catch {
            throw refusedVersion("it prints no version")
        }
        guard let version = TrivyVersion(document.Version), version.isAccepted else { throw refusedVersion(document.Version) }
        return document.Version
    }

    private func process(_ arguments: [String], in workspace: ScanWorkspace, timeout: Duration) -> ScannerProcess {
        ScannerProcess(
            executable: configuration.executable, arguments: arguments, environment: TrivyCommand.environment(workspace),
            workingFolder: workspace.workingFolder, timeout: timeout, outputBytesMax: TrivyCommand.outputBytesMax)
    }

    private func output(of process: ScannerProcess) async throws(ScanFailure) -> [UInt8] {
        let table = TrivyErrorTable(cacheFolder: configuration.cacheFolder)
        switch await process.run() {
        case .exited(let code, let output, let error):
            if let failure = table.failure(exitCode: code, standardError: error) { throw failure }
            return output
        case .signalled(let signal, let error): throw table.failure(signal: signal, standardError: error)
        case .timedOut: throw .scanTimedOut
        case .cancelled: throw .scanCancelled
        case .outputTooLarge: throw .unreadable("it printed more than \(TrivyCommand.outputBytesMax) bytes")
        case .notStarted(let detail):
            throw ScanFailure(
                .scannerUnusable, message: "Trivy cannot be started on this machine.", remedy: remedy.install, detail: detail)
        case .lost(let detail):
            throw ScanFailure(
                .unknownFailure, message: "The scan was lost.", remedy: "Scan again.", retryable: true, detail: detail)
        }
    }

    private static func checkExecutable(_ configuration: TrivyConfiguration) throws(ScanFailure) {
        guard ScannerLookup.isProgram(configuration.executable) else {
            throw ScanFailure(
                .scannerMissing, message: "Trivy was not found. No image can pass review without it.",
                remedy: TrivyRemedy(cacheFolder: configuration.cacheFolder).install)
        }
    }

    private static func readReport(
        _ configuration: TrivyConfiguration, database: TrivyDatabase, workspace: ScanWorkspace
    ) throws(ScanFailure) -> ScannerReport {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(workspace.report, bytesMax: configuration.reportBytesMax)
        } catch {
            throw .unreadable(error.text)
        }
        let parser = TrivyReportParser(reportBytesMax: configuration.reportBytesMax, findingsMax: configuration.findingsMax)
        return try parser.parse(bytes, databaseUpdatedAt: database.updatedAt)
    }

    private func wrongImage(_ detail: String) -> ScanFailure {
        ScanFailure(
            .wrongImage, message: "The scanner looked at another image than the one to scan.",
            remedy: "Push the image again, then submit it again.", detail: detail)
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

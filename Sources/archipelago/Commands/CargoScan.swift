import ArgumentParser
import Coordinator
import Domain
import Foundation
import JSON
import OCI

/// `archipelago cargo scan`.
struct CargoScan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Scan an image as the network does when it is submitted.",
        discussion: """
            IMAGE is a reference, an OCI layout folder, an OCI or docker-save tar, or a .wasm, .onnx, .mlmodel or .mlpackage. The verdict
            is the one that a network with the same scanners and databases comes to. Exits 0 when it is clean or flagged (medium findings,
            which need a justification), 1 when it would block the approval or is of a kind that cannot be scanned, 4 when the image itself
            is refused (damaged, or not an image), 5 when it could not scan.

            Needs root: scanners run in the sandbox. Uses Trivy, and Grype where it is installed, with the databases that
            ARCHIPELAGO_TRIVY_CACHE and ARCHIPELAGO_GRYPE_DATABASE name.

              archipelago cargo scan hello.tar
              archipelago cargo scan ghcr.io/archipelag-io/text-stats:v1.0.0 --json
            """)

    @Argument(help: "The image.") var image: String
    @OptionGroup var options: ScanOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let scan = try await Interruptible.run { try await Workshop.use { try await judged($0) } }
        output.show(scan.json, Self.lines(scan), styled: SubmissionLines.coloured)
        switch (scan.state, scan.verdict) {
        case (.finished, .clean), (.finished, .flagged): return
        case (.couldNotScan, _): throw ExitCode(CommandExit.unavailable.rawValue)
        default: throw ExitCode(CommandExit.failed.rawValue)
        }
    }

    private func judged(_ workshop: Workshop) async throws -> Scan {
        let content = try await workshop.openContent(image)
        var scanning = ScanningConfiguration.laptop(ProcessInfo.processInfo.environment)
        options.apply(to: &scanning)
        let (cage, sandboxed) = SandboxedScannerCage.make(folder: workshop.folder + "/scanners")
        let judge = try scanning.makeJudge(
            store: workshop.store, layouts: workshop.folder + "/layouts", bills: false, cage: cage, now: Surroundings.live.now)
        let scan = await Scan(of: content, by: judge, at: Surroundings.live.now())
        await sandboxed?.shutdown()
        try Task.checkCancellation()
        return scan
    }

    private static func lines(_ scan: Scan) -> [String] {
        let json = scan.json
        var lines = SubmissionLines.findings(json)
        if !lines.isEmpty { lines.append("") }
        lines.append(SubmissionLines.verdict(json))
        if let detail = scan.failure?["detail"]?.string { lines.append("  the scanner said: \(detail)") }
        lines += scan.reports.map { report in
            let packages = report["packages"]?.int.map { ", \($0) packages" } ?? ""
            let system = report["os"]?["family"]?.string.map { ", \($0) \(report["os"]?["name"]?.string ?? "")" } ?? ""
            let database = report["database_age_days"]?.int.map { ", database \($0) days old" } ?? ""
            let share = report["inspected_percent"]?.int.map { ", \($0) % of \(report["bytes"].words) bytes inspected" } ?? ""
            return "  \(report["scanner"].words) \(report["version"].words), \(report["platform"].words)\(system)\(packages)\(database)\(share)"
        }
        lines += SubmissionLines.remarks(json)
        return lines
    }
}

/// What scanners may use: how old a database, how long a time.
struct ScanOptions: ParsableArguments {
    @Option(help: "Days from which on nothing is scanned with a vulnerability database (default 365).") var databaseDaysMax: Int?
    @Option(help: "Seconds that one scanner may take for one image (default 300).") var scanTimeout: Int?

    func validate() throws {
        if let scanTimeout, !(1...86_400).contains(scanTimeout) { throw ValidationError("--scan-timeout must be 1 to 86400.") }
        if let databaseDaysMax, !(1...1_000_000).contains(databaseDaysMax) { throw ValidationError("--database-days-max must be at least 1.") }
    }

    func apply(to configuration: inout ScanningConfiguration) {
        if let scanTimeout { configuration.timeout = .seconds(scanTimeout) }
        if let databaseDaysMax { configuration.databaseDaysMax = databaseDaysMax }
    }
}

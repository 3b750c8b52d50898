import ArgumentParser
import Coordinator
import Domain
import Foundation
import JSON
import Logging
import ServiceLifecycle
import Sigstore
import Storage
import UnixSignals

/// `archipelago serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run a coordinator.",
        discussion: """
            Settings come from flags, else from --config, a YAML file with the keys data_dir, host, port, approved_registries,
            trivy and grype (their programs), trivy_cache and grype_database (the folders of their databases), scanners (those that must
            have run, default both), sbom (trivy or syft), scans_at_once (default 4),
            scan_timeout_seconds (of one scanner for one image, default 300), database_warning_days (default 5),
            database_days_max (default 14: nothing is scanned with an older database), critical_grace_hours (default 0) and
            high_grace_hours (default 168: from a finding in a rescan to the suspension), platform_fee_percent (of each charge, default 0),
            requests_per_minute (for each key, default 100, 0 for no limit), sign_ins_per_minute (for each address, default 5), mail_command (a list: the absolute path of a sendmail and its arguments), mail_from,
            allow_loopback (webhooks and publishers' domains may lead to this machine; for tests), trusted_root (the file of whom to believe in
            signatures, read anew each time, default that of Sigstore's public instance); unknown keys are refused.
            On an empty data folder the command prints the first administrator's API key, once.
            """)

    @Option(help: "A YAML file with settings.") var config: String?
    @Option(help: "Where everything is kept.") var dataDir: String?
    @Option(help: "The address to listen on (default 127.0.0.1).") var host: String?
    @Option(help: "The port to listen on (default 8080; 0 for any free one).") var port: Int?
    @Option(name: .customLong("approve-registry"), help: "A registry, with an optional path, approved beside the standard ones. May be repeated.")
    var approvedRegistries: [String] = []
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try settings()
        try FileManager.default.createDirectory(
            atPath: settings.dataFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = try FolderLock(settings.dataFolder)
        defer { withExtendedLifetime(lock) {} }
        let logger = Logger.process("archipelago")
        let coordinator = try CoordinatorAssembly(settings, logger: logger)
        try await coordinator.prepare()
        let (host, output) = (settings.host, output)
        let services = coordinator.makeServices { port in
            let key: String?
            do {
                key = try await Self.firstKey(coordinator)
            } catch {
                logger.error("the first administrator's key could not be made", metadata: ["error": "\(error)"])
                key = nil
            }
            let url = "http://\(host):\(port)"
            output.show(
                ["url": .string(url), "admin_key": .optional(key)],
                ["Listening on \(url)"] + (key.map { ["Administrator's API key (shown once): \($0)"] } ?? []))
        }
        let group = ServiceGroup(
            configuration: .init(services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        let result: Result<Void, any Error>
        do { result = .success(try await group.run()) } catch { result = .failure(error) }
        try await coordinator.close()
        try result.get()
    }

    /// The first administrator's key, made once the coordinator listens, so that it is surely shown; `nil` when accounts exist.
    private static func firstKey(_ coordinator: CoordinatorAssembly) async throws -> String? {
        guard try await coordinator.accounts.isEmpty else { return nil }
        let account = try await coordinator.accounts.open(name: "administrator", email: nil, standing: .firstParty, roles: [.admin])
        return try await coordinator.accounts.issueKey(accountID: account, name: "first", scopes: [.read, .write, .review, .admin])
    }

    private func settings() throws -> CoordinatorConfiguration {
        let file = try config.map(ServeFile.init(path:)) ?? ServeFile()
        guard let folder = dataDir ?? file.dataDir else { throw CommandFailure(.usage, "Give --data-dir, or data_dir in the configuration file.") }
        var settings = CoordinatorConfiguration(
            dataFolder: URL(fileURLWithPath: folder).path, scanning: Self.scanning(file))
        let hour = 3600
        settings.rescans = RescanPolicy(
            criticalGrace: file.criticalGraceHours.map { .seconds($0 * hour) } ?? settings.rescans.criticalGrace,
            highGrace: file.highGraceHours.map { .seconds($0 * hour) } ?? settings.rescans.highGrace)
        settings.host = host ?? file.host ?? settings.host
        settings.port = port ?? file.port ?? settings.port
        guard (0...65_535).contains(settings.port) else { throw CommandFailure(.usage, "A port is a number from 0 to 65535.") }
        settings.approvedRegistries = approvedRegistries + (file.approvedRegistries ?? [])
        settings.crashPoints = ProcessInfo.processInfo.environment["ARCHIPELAGO_CRASH_AT"].flatMap(CrashPoints.init)
        settings.platformFee = file.platformFeePercent ?? settings.platformFee
        if let limit = file.requestsPerMinute { settings.requestsPerMinute = limit == 0 ? nil : limit }
        if let limit = file.signInsPerMinute { settings.signInsPerMinute = limit == 0 ? nil : limit }
        settings.mailCommand = file.mailCommand
        settings.mailFrom = file.mailFrom ?? settings.mailFrom
        if let path = file.trustedRoot {
            // Read once now, so that a wrong file is told at the start.
            _ = try TrustedRoot(file: path)
            settings.trustedRoot = { try InputFile.bytes(path) }
        }
        settings.allowsLoopback = file.allowsLoopback ?? settings.allowsLoopback
        return settings
    }

    /// The scanners of a production network, with what the file says of them.
    private static func scanning(_ file: ServeFile) -> ScanningConfiguration {
        var scanning = ScanningConfiguration.production(ProcessInfo.processInfo.environment)
        if let trivy = file.trivy { scanning.programs[.trivy] = trivy }
        if let grype = file.grype { scanning.programs[.grype] = grype }
        if let names = file.scanners {
            let wanted = Set(names)
            scanning.required = ScanningConfiguration.ScannerName.allCases.filter { wanted.contains($0.rawValue) }
        }
        scanning.trivyCache = file.trivyCache ?? scanning.trivyCache
        scanning.grypeDatabase = file.grypeDatabase ?? scanning.grypeDatabase
        scanning.billing = file.sbom.flatMap(ScanningConfiguration.BillingTool.init) ?? scanning.billing
        scanning.scansMax = file.scansAtOnce ?? scanning.scansMax
        scanning.timeout = file.scanTimeoutSeconds.map { .seconds($0) } ?? scanning.timeout
        scanning.databaseWarningDays = file.databaseWarningDays ?? scanning.databaseWarningDays
        scanning.databaseDaysMax = file.databaseDaysMax ?? scanning.databaseDaysMax
        return scanning
    }
}

import ArgumentParser
import Coordinator
import Domain
import Foundation
import JSON
import Logging
import ServiceLifecycle
import UnixSignals
import Yams

/// `archipelago serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run a coordinator.",
        discussion: """
            Settings come from flags, else from --config, a YAML file with the keys data_dir, host, port, approved_registries,
            trivy, trivy_cache; unknown keys are refused. On an empty data folder the command prints the first administrator's
            API key, once.
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
        let account = try await coordinator.accounts.open(name: "administrator", standing: .firstParty)
        return try await coordinator.accounts.issueKey(accountID: account, name: "first", scopes: [.read, .write, .review, .admin])
    }

    private func settings() throws -> CoordinatorConfiguration {
        let file = try config.map(ServeFile.init(path:)) ?? ServeFile()
        guard let folder = dataDir ?? file.dataDir else { throw CommandFailure(.usage, "Give --data-dir, or data_dir in the configuration file.") }
        var settings = CoordinatorConfiguration(
            dataFolder: URL(fileURLWithPath: folder).path,
            trivyCache: file.trivyCache ?? Programs.trivyCache(ProcessInfo.processInfo.environment))
        settings.host = host ?? file.host ?? settings.host
        settings.port = port ?? file.port ?? settings.port
        guard (0...65_535).contains(settings.port) else { throw CommandFailure(.usage, "A port is a number from 0 to 65535.") }
        settings.approvedRegistries = approvedRegistries + (file.approvedRegistries ?? [])
        settings.trivy = file.trivy ?? Programs.find("trivy")
        return settings
    }
}

/// The configuration file of `serve`.
struct ServeFile {
    var dataDir: String?
    var host: String?
    var port: Int?
    var approvedRegistries: [String]?
    var trivy: String?
    var trivyCache: String?

    init() {}

    /// Reads the file; all that is wrong in it is told at once.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure(.notFound, "There is no readable configuration file '\(path)'.")
        }
        let node: Node?
        do { node = try compose(yaml: text) } catch { throw CommandFailure(.usage, "\(path) is not YAML: \(error)") }
        guard let node else { return }
        guard let mapping = node.mapping else { throw CommandFailure(.usage, "\(path) must hold keys and values.") }
        var mistakes: [String] = []
        for (key, value) in mapping {
            let place = "line \(value.mark?.line ?? 0): \(key.string ?? "?")"
            func text(_ node: Node) -> String? {
                if node.scalar == nil { mistakes.append("\(place) must be a text") }
                return node.scalar?.string
            }
            switch key.string {
            case "data_dir": dataDir = text(value)
            case "host": host = text(value)
            case "port":
                port = value.int
                if port == nil { mistakes.append("\(place) must be a number") }
            case "approved_registries":
                approvedRegistries = value.sequence.map { $0.compactMap(\.scalar?.string) }
                if approvedRegistries == nil || approvedRegistries?.count != value.sequence?.count {
                    mistakes.append("\(place) must be a list of texts")
                }
            case "trivy": trivy = text(value)
            case "trivy_cache": trivyCache = text(value)
            default: mistakes.append("\(place) is not a known key")
            }
        }
        guard mistakes.isEmpty else { throw CommandFailure(.usage, "\(path) is wrong:\n  " + mistakes.joined(separator: "\n  ")) }
    }
}

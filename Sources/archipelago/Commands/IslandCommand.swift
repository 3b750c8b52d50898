import ArgumentParser
import Domain
import Foundation
import Island
import JSON
import Logging
import Sandbox
import ServiceLifecycle
import Sigstore
import UnixSignals

/// `archipelago island …`.
struct IslandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "island", abstract: "Lend this machine to the network.",
        subcommands: [Register.self, List.self, Drain.self, Resume.self, Karma.self, Run.self, Doctor.self])

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Register this machine and print its token, once.")
        @Option(help: "The Island's name.") var name: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().call(.post, "/islands", ["name": .string(name)])
            guard let id = answer["data"]?["id"]?.string, let token = answer["token"]?.string else {
                throw CommandFailure(.unavailable, "The coordinator's answer has no token.")
            }
            output.show(answer, ["Island \(id)", "Token (shown once): \(token)", "Next: ARCHIPELAGO_ISLAND_TOKEN=… archipelago island run"])
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Connect to a coordinator and run its jobs, until Ctrl-C.",
            discussion: "The token comes from ARCHIPELAGO_ISLAND_TOKEN or --token. Needs root: the sandbox uses user namespaces and cgroups.")
        @Option(help: "The coordinator's address (default: $ARCHIPELAGO_URL, else http://127.0.0.1:8080).") var url: String?
        @Option(help: "The Island's token (default: $ARCHIPELAGO_ISLAND_TOKEN).") var token: String?
        @Option(help: "Where images and state are kept.") var dataDir = ".archipelago-island"
        @Option(help: "Jobs at once (default: one for each core).") var slots: Int?
        @Option(help: "GiB on disk for images; those not used for longest go first.") var diskGib = 20
        @Option(help: "Where the machine stands, in your words.") var region = ""
        @Option(name: .customLong("approve-registry"), help: "A registry approved beside the standard ones. May be repeated.")
        var approvedRegistries: [String] = []
        @Option(
            help: ArgumentHelp(
                "Whom to believe when signatures are verified, a Sigstore trusted root (default: what the coordinator says at the first start; kept in the data folder).",
                valueName: "file"))
        var trustedRoot: String?
        @OptionGroup var sandbox: SandboxOptions

        func validate() throws {
            for path in [trustedRoot].compactMap(\.self) { try InputFile.requireExists(path) }
            if !(1...65_536).contains(diskGib) { throw ValidationError("--disk-gib must be from 1 to 65536.") }
            if let slots, !(1...4096).contains(slots) { throw ValidationError("--slots must be from 1 to 4096.") }
        }

        func run() async throws {
            let environment = ProcessInfo.processInfo.environment
            guard let token = token ?? environment["ARCHIPELAGO_ISLAND_TOKEN"], !token.isEmpty else {
                throw CommandFailure(.usage, "No token: register with 'archipelago island register', then set ARCHIPELAGO_ISLAND_TOKEN.")
            }
            let folder = URL(fileURLWithPath: dataDir).path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let lock = try FolderLock(folder)
            defer { withExtendedLifetime(lock) {} }
            let logger = Logger.process("archipelago.island")
            let backend = try sandbox.backend()
            let coordinator = url ?? environment["ARCHIPELAGO_URL"] ?? "http://127.0.0.1:8080"
            let root =
                if let trustedRoot {
                    try TrustedRoot(file: trustedRoot)
                } else {
                    try await KeptTrustedRoot.load(folder: folder, coordinator: coordinator, logger: logger)
                }
            var configuration = IslandConfiguration(
                dataFolder: folder, coordinator: coordinator, token: token, trustedRoot: root, approvedRegistries: approvedRegistries,
                region: region)
            configuration.slots = slots ?? configuration.slots
            configuration.backend = backend
            configuration.diskGibibytes = diskGib
            try await serve(configuration, logger)
        }

        private func serve(_ configuration: IslandConfiguration, _ logger: Logger) async throws {
            let island = try await IslandAssembly(configuration, logger: logger)
            for report in island.levels where !report.isEnforceable {
                logger.warning(
                    "a trust level is not offered",
                    metadata: [
                        "level": "\(report.level.rawValue)",
                        "reason": "\(report.obstacles.map { "\($0.problem) \($0.remedy)" }.joined(separator: " "))",
                    ])
            }
            guard island.levels.contains(where: \.isEnforceable) else {
                try await island.close()
                throw CommandFailure(.unavailable, "This machine can enforce no trust level; 'archipelago island doctor' says why.")
            }
            let agent = island.agent
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: LoopService { try await agent.run() })], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
            let result: Result<Void, any Error>
            do { result = .success(try await group.run()) } catch { result = .failure(error) }
            try await island.close()
            do { try result.get() } catch let refusal as LinkRefused { throw CommandFailure(.refused, refusal.description) }
        }
    }

    struct Doctor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Try which trust levels this machine can enforce, and say why not.")
        @OptionGroup var sandbox: SandboxOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let folder = NSTemporaryDirectory() + "archipelago-doctor-\(UUID().uuidString)"
            let tried = try IslandAssembly.makeSandbox(sandbox.backend(), folder: folder)
            let levels = await tried.enforceableLevels()
            await tried.shutdown()
            // What stays lies in the temporary folder, which the system empties.
            try? FileManager.default.removeItem(atPath: folder)
            let rows = levels.map { report -> JSONValue in
                let obstacles = report.obstacles.map { obstacle -> JSONValue in
                    ["problem": .string(obstacle.problem), "remedy": .string(obstacle.remedy)]
                }
                return ["trust_level": .int(report.level.rawValue), "enforceable": .bool(report.isEnforceable), "obstacles": .array(obstacles)]
            }
            let lines = levels.flatMap { report in
                ["Level \(report.level.rawValue): \(report.isEnforceable ? "ok" : "not offered")"]
                    + report.obstacles.map { "  \($0.problem) \($0.remedy)" }
            }
            output.show(.array(rows), lines)
            if !levels.contains(where: \.isEnforceable) { throw ExitCode(CommandExit.unavailable.rawValue) }
        }
    }
}

/// What runs the jobs.
struct SandboxOptions: ParsableArguments {
    @Option(help: "The container runtime of this machine that runs jobs: runc, crun or runsc (gVisor, no level 3).", transform: Self.runtime)
    var runtime = OCIRuntime.runc
    @Option(help: "A device for Cargos with a GPU, by its name in /etc/cdi or /var/run/cdi, such as nvidia.com/gpu=0.") var gpu: String?
    @Option(
        name: .customLong("allow-range"),
        help: "A range such as 10.1.0.0/16 that Cargos with a network may reach, though it is private. May be repeated.",
        transform: Self.range) var allowedRanges: [AddressRange] = []
    @Option(name: .customLong("name-server"), help: "Where Cargos with a network ask for names (default: 9.9.9.9 and 1.1.1.1). May be repeated.")
    var nameServers: [String] = []
    @Option(help: "The socket of Docker or Podman to run jobs with instead, such as /var/run/docker.sock.") var engine: String?

    /// - Throws: ``CommandFailure`` where the GPU has no description.
    func backend() throws -> SandboxBackend {
        var network = CageNetworkConfiguration(allowed: allowedRanges)
        if !nameServers.isEmpty { network.nameServers = nameServers }
        if let engine { return .engine(socket: engine) }
        return .runtime(runtime, network, gpu: try gpu.map { try GPUDevices.edits(for: $0) })
    }

    private static func range(_ text: String) throws -> AddressRange {
        guard let range = AddressRange(text) else { throw ValidationError("'\(text)' is no range of IPv4 addresses, such as 10.1.0.0/16.") }
        return range
    }

    private static func runtime(_ text: String) throws -> OCIRuntime {
        guard let runtime = OCIRuntime(rawValue: text) else {
            throw ValidationError("--runtime is \(OCIRuntime.allCases.map(\.rawValue).joined(separator: " or ")).")
        }
        return runtime
    }

    func validate() throws {
        for server in nameServers where AddressRange(server) == nil || server.contains("/") {
            throw ValidationError("--name-server is an IPv4 address, not '\(server)'.")
        }
        if engine?.isEmpty == true { throw ValidationError("--engine needs the path of a socket.") }
    }
}

import Coordinator
import Domain
import Foundation
import Island
import JSON
import Logging
import Sandbox
import ServiceLifecycle
import Sigstore
import UnixSignals

/// The whole network in one process, but for the registry, which is a child.
struct DevNetwork {
    let folder: String
    let port: Int
    let registryPort: Int
    /// Requests a minute for each key; `nil` for no limit.
    let rateLimit: Int?
    /// What scanners may use.
    let scanning: ScanOptions

    /// Runs until SIGINT or SIGTERM; leaves no process, mount or cgroup behind.
    func run(onReady: @escaping @Sendable (DevReady) -> Void) async throws {
        let logger = Logger.process("archipelago", default: .warning)
        let earlier = try DevState.load(folder)
        guard let program = Programs.find("docker-registry") else {
            throw CommandFailure(.unavailable, "docker-registry is not installed; run 'make setup', or: apt-get install docker-registry.")
        }
        let registry = LoopbackRegistry(
            program: program, folder: folder + "/registry",
            port: registryPort == 0 ? try await LoopbackRegistry.freePort(preferred: earlier?.registryPort) : registryPort, logger: logger)
        let webPort = port == 0 ? try await LoopbackRegistry.freePort(preferred: earlier?.port) : port
        var configuration = CoordinatorConfiguration(
            dataFolder: folder + "/coordinator", port: webPort, approvedRegistries: [registry.name],
            scanning: .laptop(ProcessInfo.processInfo.environment))
        scanning.apply(to: &configuration.scanning)
        configuration.requestsPerMinute = rateLimit
        configuration.signInsPerMinute = rateLimit == nil ? nil : configuration.signInsPerMinute
        configuration.allowsLoopback = true
        for scanner in configuration.scanning.missing {
            Terminal.talk("Note: \(scanner.name) is not installed, so scans find less than two scanners would. \(scanner.remedy)")
        }
        let coordinator = try CoordinatorAssembly(configuration, logger: logger)
        try await coordinator.prepare()
        var state: DevState
        if let earlier { state = earlier } else { state = try await DevState.create(coordinator) }
        try await state.endow(coordinator)
        (state.port, state.registryPort) = (webPort, registry.port)
        try state.save(folder)
        let island: IslandAssembly
        do {
            island = try await makeIsland(webPort, registry, state, try await coordinator.networkRoot(), logger)
        } catch {
            try await coordinator.close()
            throw error
        }
        for report in island.levels where report.level == .untrusted {
            for obstacle in report.obstacles {
                Terminal.complain("This machine cannot enforce trust level 0: \(obstacle.problem) \(obstacle.remedy)")
            }
        }
        let result = await serve(coordinator, island, registry, state, logger, onReady)
        try await island.close()
        try await coordinator.close()
        try result.get()
    }

    private func makeIsland(
        _ port: Int, _ registry: LoopbackRegistry, _ state: DevState, _ root: TrustedRoot, _ logger: Logger
    ) async throws -> IslandAssembly {
        let configuration = IslandConfiguration(
            dataFolder: folder + "/island", coordinator: "http://127.0.0.1:\(port)", token: state.islandToken, trustedRoot: root,
            approvedRegistries: [registry.name])
        return try await IslandAssembly(configuration, logger: logger)
    }

    private func serve(
        _ coordinator: CoordinatorAssembly, _ island: IslandAssembly, _ registry: LoopbackRegistry, _ state: DevState, _ logger: Logger,
        _ onReady: @escaping @Sendable (DevReady) -> Void
    ) async -> Result<Void, any Error> {
        let listening = Once<Int>()
        let agent = island.agent
        let announcer = LoopService {
            let port = try await listening.value
            try await registry.waitUntilReady()
            try await Self.waitForIsland(port: port, key: state.keys["admin"] ?? "")
            onReady(DevReady(url: "http://127.0.0.1:\(port)", registry: registry.name, keys: state.keysJSON))
            try await Task.sleep(for: .seconds(Int32.max))
        }
        let islandService = LoopService {
            _ = try await listening.value
            try await agent.run()
        }
        let services = [registry] + coordinator.makeServices { listening.set($0) } + [islandService, announcer]
        let group = ServiceGroup(
            configuration: .init(services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        do { return .success(try await group.run()) } catch { return .failure(error) }
    }

    /// Returns once the Island's link stands.
    private static func waitForIsland(port: Int, key: String) async throws {
        let client = try APIClient(address: "http://127.0.0.1:\(port)", key: key)
        while true {
            let islands = try await client.data(.get, "/islands")
            if islands[0]?["connected"]?.bool == true { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

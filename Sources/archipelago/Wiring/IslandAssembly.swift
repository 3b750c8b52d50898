import Domain
import Foundation
import Island
import Logging
import OCI
import Sandbox
import SignedImages
import Sigstore

/// What an Island's owner decides.
struct IslandConfiguration {
    /// Where images and state are kept.
    var dataFolder: String
    /// The coordinator's address.
    var coordinator: String
    /// The Island's token.
    var token: String
    /// Whom the Island believes when it verifies signatures.
    var trustedRoot: TrustedRoot
    /// Registries approved beside the standard ones.
    var approvedRegistries: [String] = []
    /// Jobs at once.
    var slots = max(1, ProcessInfo.processInfo.activeProcessorCount)
    /// Where the machine stands, in the owner's words.
    var region = ""
    /// Room for images, in GiB.
    var diskGibibytes = 20
    /// What runs the jobs.
    var backend = SandboxBackend.runtime(.runc, CageNetworkConfiguration(), gpu: nil)
}

/// What runs an Island's jobs.
enum SandboxBackend {
    /// A container runtime of this machine, where Cargos with a network may go, and what those with a GPU get.
    case runtime(OCIRuntime, CageNetworkConfiguration, gpu: ContainerEdits?)
    /// A container engine, by its socket.
    case engine(socket: String)
}

/// An Island put together from its parts.
struct IslandAssembly {
    let agent: IslandAgent
    /// What the Island can enforce, with the reasons where it cannot.
    let levels: [LevelReport]
    private let sandbox: any HostSandbox
    private let images: ImageCabinet
    private let registryClient: RegistryClient

    /// Makes the parts, clears what a crash left behind, and finds out which levels this machine can enforce.
    init(_ configuration: IslandConfiguration, logger: Logger) async throws {
        let folder = configuration.dataFolder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let sandbox = try Self.makeSandbox(configuration.backend, folder: folder)
        self.sandbox = sandbox
        await sandbox.removeLeftovers()
        levels = await sandbox.enforceableLevels()
        let registry = RegistryClient(configuration: .fromEnvironment())
        registryClient = registry
        images = try await ImageCabinet(
            registry: registryClient,
            configuration: .init(
                folder: URL(fileURLWithPath: folder).resolvingSymlinksInPath().path, platform: Workshop.hostPlatform, idOffset: UInt32(Self.idOffset),
                bytesMax: Int64(configuration.diskGibibytes) << 30)
        ) { await sandbox.forget(rootFolder: $0) }
        let signatures = try SignatureAdmission(root: configuration.trustedRoot, folder: folder + "/signatures", now: { .now }) {
            SignedRepository(client: registry, $0)
        }
        let enforceable = Set(levels.filter(\.isEnforceable).map(\.level))
        let runners = [ContainerRunner(images: images)]
        let approved = ApprovedRegistries(adding: configuration.approvedRegistries)
        let runner = AttemptRunner(
            sandbox: sandbox, runners: runners, approved: approved, levels: enforceable, signatures: signatures, logger: logger)
        let processInfo = ProcessInfo.processInfo
        let capabilities = IslandCapabilities(
            runtimes: Set(runners.map(\.runtime)), levels: enforceable, cores: max(1, processInfo.activeProcessorCount),
            memoryMegabytes: Int(processInfo.physicalMemory >> 20), vramMegabytes: 0, platform: Workshop.hostPlatform.description,
            region: configuration.region, slots: configuration.slots, registries: approved.prefixes)
        let cabinet = images
        agent = IslandAgent(
            link: WebSocketLink(coordinator: configuration.coordinator, token: configuration.token), runner: runner,
            capabilities: capabilities, images: { await cabinet.digests }, signatures: signatures, clock: ContinuousClock(),
            jitter: { Double.random(in: 0..<1) },
            logger: logger)
    }

    /// The number of user 0 of every unpacked image, whichever sandbox runs it. Chosen: the first that useradd gives to subordinate ids.
    static let idOffset = 100_000

    /// The sandbox of an Island.
    static func makeSandbox(_ backend: SandboxBackend, folder: String) throws -> any HostSandbox {
        switch backend {
        case .runtime(let runtime, let network, let gpu):
            try makeSandbox(runtime, network: network, gpu: gpu, stateFolder: folder + "/cages", isWarm: true)
        case .engine(let socket):
            try EngineSandbox(
                configuration: EngineConfiguration(
                    socketPath: URL(fileURLWithPath: socket).path, cageEntryPath: Programs.besideThisOne("archipelago-cage-entry"),
                    stateFolder: folder + "/engine", idOffset: idOffset))
        }
    }

    /// A sandbox of this machine.
    ///
    /// - Parameters:
    ///   - stateFolder: made if missing; containers and cgroups are named after it, so two Islands do not meet.
    ///   - isWarm: whether containers are made ahead of jobs. Chosen: two for each kind of job and core, in all four times the cores.
    static func makeSandbox(
        _ runtime: OCIRuntime = .runc, network: CageNetworkConfiguration = .init(), gpu: ContainerEdits? = nil, stateFolder: String,
        isWarm: Bool = false
    ) throws -> RuncSandbox {
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        var configuration = RuncConfiguration(
            runtime: runtime, runtimePath: Programs.find(runtime.rawValue), cageEntryPath: Programs.besideThisOne("archipelago-cage-entry"),
            stateFolder: stateFolder, idOffset: idOffset, warmPerKindMax: isWarm ? 2 * cores : 0, warmTotalMax: isWarm ? 4 * cores : 0)
        configuration.network = network
        configuration.gpu = gpu
        return try RuncSandbox(configuration: configuration)
    }

    /// Ends what runs and leaves nothing behind; call once the agent has ended.
    func close() async throws {
        await sandbox.shutdown()
        try await images.close()
        try await registryClient.shutdown()
    }
}

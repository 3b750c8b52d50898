import Coordinator
import Crypto
import Domain
import Fabric
import Foundation
import JSON
import Logging
import OCI
import Outbound
import Passwords
import Scanning
import ServiceLifecycle
import Sigstore
import Storage
import Web

/// What an operator decides about a coordinator.
struct CoordinatorConfiguration {
    /// Where everything is kept.
    var dataFolder: String
    /// The address to listen on.
    var host = "127.0.0.1"
    /// The port to listen on; 0 for any free one.
    var port = 8080
    /// Registries approved beside the standard ones.
    var approvedRegistries: [String] = []
    /// The scanners and what they must have.
    var scanning: ScanningConfiguration
    /// When published Cargos are scanned again, and what follows.
    var rescans = RescanPolicy()
    /// Whom the network believes in signatures beside its own log: a trusted root document as it is now; that of Sigstore's public instance where
    /// nobody says another.
    var trustedRoot: @Sendable () throws -> [UInt8] = { Array(TrustedRoot.publicGood.utf8) }
    /// Where the coordinator is to die; for the crash harness.
    var crashPoints: CrashPoints?
    /// The platform's percent of each charge, `0...100`.
    var platformFee = 0
    /// Requests a minute for each key, or for each address without one; `nil` for no limit.
    var requestsPerMinute: Int? = 100
    /// Sign-ins a minute for each address; `nil` for no limit.
    var signInsPerMinute: Int? = 5
    /// Whether webhooks and publishers' domains may lead to this machine; for the laptop network and tests.
    var allowsLoopback = false
    /// The program, with its arguments, that takes e-mail; `nil` to send none.
    var mailCommand: [String]?
    /// The address that e-mail comes from.
    var mailFrom = "archipelago@localhost"
}

/// A coordinator put together from its parts.
struct CoordinatorAssembly {
    let database: any Database
    let accounts: Accounts
    let islands: Islands
    let ledger: Ledger
    private let services: Services
    private let pipeline: ScanPipeline
    private let rescans: Rescans
    private let scannerCage: SandboxedScannerCage?
    private let courier: Courier
    private let log: TransparencyLog
    private let trustedRoot: NetworkRoot
    private let registry: Registry
    private let registryClient: RegistryClient
    private let configuration: CoordinatorConfiguration
    private let logger: Logger

    /// Opens the database and makes the parts; nothing runs yet.
    init(_ configuration: CoordinatorConfiguration, logger: Logger) throws {
        let folder = configuration.dataFolder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let surroundings = Surroundings.live
        let bus = InProcessBus()
        database = try SQLiteDatabase(path: folder + "/coordinator.sqlite", crashPoints: configuration.crashPoints)
        let store = try ContentStore(root: folder + "/blobs")
        registryClient = RegistryClient(configuration: .fromEnvironment())
        let images = RegistryImageSource(client: registryClient, store: store)
        let approved = ApprovedRegistries(adding: configuration.approvedRegistries)
        let announcer = Announcer(bus: bus, surroundings: surroundings, sendsMail: configuration.mailCommand != nil)
        let moves = SubmissionMoves(database: database, announcer: announcer)
        let door = HTTPDoor(policy: AddressPolicy(allowsLoopback: configuration.allowsLoopback))
        accounts = Accounts(database: database, passwords: try PasswordHasher(), surroundings: surroundings)
        registry = Registry(database: database)
        islands = Islands(database: database, surroundings: surroundings)
        let dispatcher = Dispatcher(
            database: database, bus: bus, surroundings: surroundings, platformFee: configuration.platformFee, crashPoints: configuration.crashPoints)
        let jobs = Jobs(database: database, bus: bus, surroundings: surroundings, platformFee: configuration.platformFee)
        ledger = Ledger(database: database, surroundings: surroundings)
        let (cage, sandboxed) = SandboxedScannerCage.make(folder: folder + "/scanners")
        scannerCage = sandboxed
        let judge = try configuration.scanning.makeJudge(store: store, layouts: folder + "/layouts", bills: true, cage: cage, now: surroundings.now)
        pipeline = ScanPipeline(
            moves: moves, images: images, judge: judge, rescans: configuration.rescans, scansMax: configuration.scanning.scansMax, bus: bus,
            surroundings: surroundings, logger: logger)
        log = TransparencyLog(
            database: database, signer: try LogKeyFile(folder: folder).signer(), surroundings: surroundings)
        trustedRoot = NetworkRoot(base: configuration.trustedRoot, log: log)
        let trust = trustedRoot.trust
        let gate = SignatureGate(
            database: database, source: RegistrySignatureSource(client: registryClient), trust: trust, surroundings: surroundings)
        rescans = Rescans(moves: moves, gate: gate, policy: configuration.rescans, bus: bus, surroundings: surroundings)
        services = Services(
            accounts: accounts,
            identities: PublisherIdentities(
                database: database, door: door, announcer: announcer, surroundings: surroundings),
            signingIdentities: SigningIdentities(moves: moves, gate: gate, trust: trust, dispatcher: dispatcher, surroundings: surroundings),
            digestRevocations: DigestRevocations(moves: moves, dispatcher: dispatcher, surroundings: surroundings),
            certifications: Certifications(moves: moves, gate: gate, surroundings: surroundings),
            notifications: Notifications(database: database, policy: door.policy, bus: bus, surroundings: surroundings),
            moderation: Moderation(moves: moves, surroundings: surroundings), rescans: rescans,
            justifications: Justifications(moves: moves, surroundings: surroundings), scanDocuments: ScanDocuments(database: database),
            audit: Audit(database: database),
            publishing: Publishing(moves: moves, images: images, approved: approved, gate: gate, bus: bus, surroundings: surroundings),
            review: Review(moves: moves, images: images, gate: gate, surroundings: surroundings), registry: registry, ledger: ledger,
            jobs: jobs, batches: Batches(jobs: jobs, dispatcher: dispatcher),
            chat: Chat(jobs: jobs, dispatcher: dispatcher), islands: islands, dispatcher: dispatcher, log: log, trustedRoot: trustedRoot,
            gate: IslandGate(dispatcher: dispatcher, logger: logger))
        courier = Courier(
            database: database, door: door, mailer: try configuration.mailCommand.map { try SendmailMailer(command: $0) },
            mailFrom: configuration.mailFrom, bus: bus, surroundings: surroundings, logger: logger)
        self.configuration = configuration
        self.logger = logger
    }

    /// Whom the network believes in signatures; after ``prepare()``.
    func networkRoot() async throws -> TrustedRoot { try TrustedRoot(parsing: try await trustedRoot.document(baseURL: "").bytes) }

    /// Brings what an earlier version of the program left up to date; call once before anything runs.
    func prepare() async throws {
        await scannerCage?.removeLeftovers()
        try await registry.fillIfEmpty()
        try await log.begin()
    }

    /// Everything that runs for the life of the coordinator.
    ///
    /// - Parameter onListening: told the port once connections are taken.
    func makeServices(onListening: @escaping @Sendable (Int) async -> Void) -> [any Service] {
        let dispatcher = services.dispatcher
        let pipeline = pipeline
        let rescans = rescans
        let courier = courier
        let retention = Retention(database: database, surroundings: .live)
        let limits = RequestLimits(
            requestsPerMinute: configuration.requestsPerMinute, signInsPerMinute: configuration.signInsPerMinute, now: Surroundings.live.now)
        return [
            LoopService { try await dispatcher.run() },
            LoopService { try await pipeline.run() },
            LoopService { try await rescans.run() },
            LoopService { try await courier.run() },
            LoopService { try await retention.run() },
            LoopService { [logger] in try await MachineClock.watch(logger) },
            WebServer(
                host: configuration.host, port: configuration.port, services: services, limits: limits, logger: logger, onListening: onListening),
        ]
    }

    /// Closes what the parts hold; call once nothing runs any more.
    func close() async throws {
        await scannerCage?.shutdown()
        await database.close()
        try await registryClient.shutdown()
    }
}

/// A loop that has no ending of its own: it is cancelled when the process is asked to stop.
struct LoopService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // The usual end.
        }
    }
}

extension Surroundings {
    /// Time and randomness of this machine.
    static let live = Surroundings(
        now: { MachineClock.steady.now },
        randomBytes: { count in SymmetricKey(size: .init(bitCount: count * 8)).withUnsafeBytes { Array($0) } },
        clock: ContinuousClock())
}

import Domain
import FoundationEssentials
import Glibc
import SandboxKernel

/// Runs Cargos in containers of the runtime `runc`.
///
/// This process becomes the subreaper of its descendants and waits for each container's first process itself, which is the only
/// way to tell exactly how a Cargo ended. Needs root. Two sandboxes of one process or host are independent if their state
/// folders differ.
public actor RuncSandbox: HostSandbox {
    /// Where the parts are.
    public nonisolated let configuration: RuncConfiguration

    private let groups: ControlGroups
    /// Held locked for the life of the sandbox: two owners of a state folder would remove each other's containers.
    private let lock: Descriptor
    private let processors: Int
    private let pool: WarmPool
    private var running: [ContainerID: CageLink] = [:]
    private var isShutDown = false
    private var trials = 0
    /// What this host could enforce when it was tried last, and what it was like then.
    private var proven: (host: HostFingerprint, levels: [LevelReport])?
    private var proving: Task<[LevelReport], Never>?
    private var waitingForIdle: [CheckedContinuation<Void, Never>] = []

    /// Takes the state folder into use, making it if it is missing. Blocks shortly; removes nothing: see ``removeLeftovers()``.
    ///
    /// - Throws: ``SandboxError`` `unavailable` if another sandbox has the folder; `system_call` if it cannot be made.
    public init(configuration: RuncConfiguration) throws {
        self.configuration = configuration
        groups = try ControlGroups.ofHost()
        let (groups, processors) = (groups, ProcessInfo.processInfo.activeProcessorCount)
        self.processors = processors
        pool = WarmPool(
            plan: WarmPlan(perKeyMax: configuration.warmPerKindMax, totalMax: configuration.warmTotalMax),
            memoryBytesMin: configuration.warmMemoryBytesMin
        ) { Cage(job: $0, configuration: configuration, groups: groups, processors: processors) }
        do {
            // The trial images lie below the state folder, and their root is opened as the mapped user.
            try Self.makeFolder(configuration.stateFolder, mode: 0o711)
            try Self.makeFolder(configuration.trialsFolder, mode: 0o711)
            try Self.makeFolder(configuration.runtimeFolder, mode: 0o700)
            try Self.makeFolder(configuration.bundlesFolder, mode: 0o700)
        } catch {
            throw SandboxError(.systemCall, "The sandbox's state folder cannot be made.", cause: "\(error)")
        }
        let lock = try Descriptor.open(configuration.stateFolder + "/lock", O_RDWR | O_CREAT, mode: 0o600)
        guard kernel_lock_exclusively(lock.number) == 0 else {
            throw SandboxError(.unavailable, "Another process uses the sandbox's state folder.", cause: configuration.stateFolder)
        }
        self.lock = lock
    }

    public func run(_ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        try requireOffered(job.level)
        try await requireProven(job.level)
        return try await run(contents(of: job), pool: pool, onOutput: onOutput)
    }

    private func contents(of job: CagedJob) -> CageContents {
        var contents = CageContents(job)
        guard job.level.limits.gpu else { return contents }
        contents.devices = configuration.gpu
        // Without a GPU its calls are of no use.
        contents.seccomp = configuration.gpu == nil ? .network : .gpu
        return contents
    }

    private func requireOffered(_ level: TrustLevel) throws {
        guard level.limits.network, !configuration.runtime.hasHostNetworking else { return }
        throw SandboxError(.levelNotEnforced, "The container runtime gives Cargos no network.", cause: configuration.runtime.rawValue)
    }

    /// Tries the levels again if the host has changed since they were tried, and refuses a job of one that no longer holds.
    private func requireProven(_ level: TrustLevel) async throws {
        guard let proven, proven.host != HostFingerprint(configuration) || proving != nil else { return }
        let report = await enforceableLevels().first { $0.level == level }
        guard let report, report.isEnforceable else {
            throw SandboxError(
                .levelNotEnforced, "This host has changed, and can no longer enforce the level.",
                cause: report.map { $0.obstacles.map(\.problem).joined(separator: " ") })
        }
    }

    /// Runs a job as ``run(_:onOutput:)-(CagedJob,_)`` does, but for the filter of its level: its system calls are recorded instead.
    ///
    /// Only for a Cargo of the one who asks: calls that its level forbids may happen, as far as any level allows them.
    public func record(
        _ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> (end: JobEnd, calls: CallRecord) {
        guard !configuration.runtime.keepsEntry else {
            throw SandboxError(
                .unavailable, "System calls cannot be recorded: they do not reach the host's kernel.", cause: configuration.runtime.rawValue)
        }
        let recorder = CallRecorder()
        var contents = contents(of: job)
        contents.recorder = recorder
        let end = try await run(contents, onOutput: onOutput)
        return (end, CallRecord(recorder.counts))
    }

    /// Runs a tool to its end, as ``run(_:onOutput:)-(CagedJob,_)`` does a job.
    public func run(_ tool: CagedTool, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        try await run(CageContents(tool), onOutput: onOutput)
    }

    /// Runs whatever is to live in a cage.
    ///
    /// - Parameter pool: where a container may be ready for it.
    func run(
        _ contents: CageContents, pool: WarmPool? = nil, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> JobEnd {
        guard !isShutDown else { throw SandboxError(.unavailable, "The sandbox is shut down.") }
        guard running[contents.id] == nil else {
            throw SandboxError(.alreadyRunning, "A job of this name is running.", cause: contents.id.text)
        }
        try Task.checkCancellation()
        let link = try CageLink()
        running[contents.id] = link
        defer { forget(contents.id) }
        let cage = Cage(job: contents, configuration: configuration, groups: groups, processors: processors)
        try BlockingThread.start {
            link.finish(Result { try pool.map { try $0.run(cage, link: link) } ?? cage.run(link: link) })
        }
        return try await withTaskCancellationHandler {
            try await link.relay(onOutput)
        } onCancel: {
            link.stop()
        }
    }

    /// Removes what an earlier process left in the state folder: containers, control groups and bundles. Jobs that run now are
    /// left alone. What cannot be removed is tried again at the next call.
    public func removeLeftovers() async {
        let active = Set(running.keys.map(\.text)).union(pool.names)
        let configuration = configuration
        let groups = groups
        // An error means that no thread could be started; what is left stays for the next call.
        try? await BlockingThread.value {
            Leftovers(configuration: configuration, groups: groups).remove(except: active)
        }
    }

    public func forget(rootFolder: String) async {
        let pool = pool
        // An error means that no thread could be started; what waits is removed when the sandbox is shut down.
        try? await BlockingThread.value { pool.forget(rootFolder) }
    }

    /// Kills every job, waits until all are gone, and removes what the sandbox has made outside its state folder. Idempotent;
    /// after it ``run(_:onOutput:)`` throws.
    public func shutdown() async {
        isShutDown = true
        for link in running.values { link.stop() }
        if !running.isEmpty { await withCheckedContinuation { waitingForIdle.append($0) } }
        let pool = pool
        // An error means that no thread could be started; what waits is removed with the leftovers.
        try? await BlockingThread.value { pool.close() }
        await removeLeftovers()
        groups.removeIfEmpty("/" + configuration.cgroupParent)
    }

    /// Tries every level. A job that comes later has them tried again if the kernel, the runtime, the control groups or the cage entry have changed
    /// meanwhile.
    public func enforceableLevels() async -> [LevelReport] {
        if let proving { return await proving.value }
        let host = HostFingerprint(configuration)
        let checks = LevelChecks(configuration: configuration, groups: groups, sandbox: self)
        // Unstructured: whoever asks meanwhile waits for the same trials.
        let proving = Task { await checks.reports() }
        self.proving = proving
        let levels = await proving.value
        proven = (host, levels)
        self.proving = nil
        return levels
    }

    /// Containers that wait for a job.
    var readyCount: Int { pool.readyCount }

    /// A number for one trial of the levels, so that two at once do not meet.
    func nextTrial() -> Int {
        trials += 1
        return trials
    }

    private static func makeFolder(_ path: String, mode: mode_t) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try checked("chmod", path) { chmod(path, mode) == 0 ? 0 : -errno }
    }

    private func forget(_ id: ContainerID) {
        running[id] = nil
        guard running.isEmpty else { return }
        waitingForIdle.forEach { $0.resume() }
        waitingForIdle = []
    }
}

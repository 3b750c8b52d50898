import Domain

/// Runs Cargos in containers of a container engine, Docker or Podman, through the Docker Engine API.
///
/// For hosts without `runc`, or whose owner gives the Island no root. It offers levels 0 to 2: no engine keeps a container with a
/// network away from the host's own networks, which level 3 needs.
///
/// A root folder becomes an image once, and a container's read-only root; `archipelago-cage-entry` is the container's first
/// process and puts the level's strict filter in force, waits until every limit has been looked at, and tells how the Cargo ended.
/// What it cannot tell: the name of a forbidden call; and where the engine is not on this host, whether memory ran out is the
/// engine's own word, processor time is that of processes that were waited for, and the memory peak that of the largest process.
public actor EngineSandbox: HostSandbox {
    /// Where the parts are.
    public nonisolated let configuration: EngineConfiguration

    private let state: EngineState
    private let groups: ControlGroups
    private let shelf: ImageShelf
    private let random: @Sendable () -> UInt64
    private var knownEngine: (engine: Engine, machine: MachineFacts)?
    private var running: [ContainerID: CageLink] = [:]
    private var isShutDown = false
    private var trials = 0
    private var waitingForIdle: [CheckedContinuation<Void, Never>] = []

    /// Takes the state folder into use, making it if it is missing. Blocks shortly. Does not ask the engine anything, and removes
    /// nothing: see ``removeLeftovers()``.
    ///
    /// - Throws: ``SandboxError`` `unavailable` if another sandbox has the folder; `system_call` if it cannot be made.
    public init(configuration: EngineConfiguration) throws {
        let random: @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) }
        self.configuration = configuration
        self.random = random
        state = try EngineState(folder: configuration.stateFolder, random: random)
        groups = try ControlGroups.ofHost()
        shelf = ImageShelf(configuration: configuration, state: state, random: random)
    }

    /// Runs a job to its end, as the port says. The engine keeps nothing of it but the image of its root folder, within bounds.
    public func run(_ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        let level = job.level.limits
        guard !level.network, !level.gpu else {
            throw SandboxError(.levelNotEnforced, "A container engine cannot enforce this level.", cause: "level \(job.level.rawValue)")
        }
        guard job.mounts.isEmpty else {
            // It may run on another machine, which has not this one's files.
            throw SandboxError(.levelNotEnforced, "A container engine runs no Cargo that needs files of this machine.")
        }
        let machine = try await engine().machine
        let contents = EngineCage.Contents(
            id: job.id, command: job.command, environment: CageContents(job).environment, workingFolder: job.workingFolder,
            limits: EngineLimits(level, processors: machine.NCPU), timeout: job.timeout, input: job.input)
        return try await run(contents, root: job.rootFolder, onOutput: onOutput)
    }

    /// Runs anything in a container made of a root folder.
    func run(
        _ contents: EngineCage.Contents, root: String, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> JobEnd {
        try Task.checkCancellation()
        guard !isShutDown else { throw SandboxError(.unavailable, "The sandbox is shut down.") }
        guard running[contents.id] == nil else {
            throw SandboxError(.alreadyRunning, "A job of this name is running.", cause: contents.id.text)
        }
        defer { forget(contents.id) }
        do {
            return try await attempt(contents, root: root, onOutput: onOutput)
        } catch is Engine.ImageLost {
            // Nothing of the job has run. The second try makes the image anew.
            do {
                return try await attempt(contents, root: root, onOutput: onOutput)
            } catch is Engine.ImageLost {
                throw SandboxError(.runtime, "The container engine lost the image of the root folder twice.")
            }
        }
    }

    private func attempt(
        _ contents: EngineCage.Contents, root: String, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> JobEnd {
        guard !isShutDown else { throw CancellationError() }
        let link = try CageLink()
        running[contents.id] = link
        return try await withTaskCancellationHandler {
            try await run(contents, root: root, link: link, onOutput: onOutput)
        } onCancel: {
            link.stop()
        }
    }

    private func run(
        _ contents: EngineCage.Contents, root: String, link: CageLink, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> JobEnd {
        let engine = try await engine().engine
        let image = try await shelf.borrow(root, from: engine)
        let result: Result<JobEnd, any Error>
        do {
            // The image may have taken its time.
            if link.isStopped { throw CancellationError() }
            let cage = EngineCage(
                contents: contents, image: image.name, engine: engine, configuration: configuration, state: state, groups: groups,
                nonce: EntryCommand.newNonce())
            try BlockingThread.start { link.finish(Result { try cage.run(link: link) }) }
            result = .success(try await link.relay(onOutput))
        } catch {
            if error is Engine.ImageLost { await shelf.forget(image) }
            result = .failure(error)
        }
        await shelf.giveBack(image, to: engine)
        return try result.get()
    }

    /// The engine, which is asked for its name and machine once.
    func engine() async throws -> (engine: Engine, machine: MachineFacts) {
        if let knownEngine { return knownEngine }
        let configuration = configuration
        let found = try await BlockingThread.value {
            let client = EngineClient(socketPath: configuration.socketPath, requestTimeout: configuration.requestTimeout)
            let engine = try Engine(client: client)
            return (engine: engine, machine: try engine.machine())
        }
        knownEngine = found
        return found
    }

    /// Forgets what is known of the engine: it may be another one since.
    func forgetEngine() { knownEngine = nil }

    /// Removes from the engine what an earlier process left: containers, volumes and images with this sandbox's label. Jobs that
    /// run now, and their images, are left alone. What cannot be removed is tried again at the next call.
    public func removeLeftovers() async {
        // An engine that cannot be reached keeps what it has for the next call.
        guard let engine = try? await engine().engine else { return }
        let owner = state.owner
        // As above.
        let found = try? await BlockingThread.value { (try engine.containers(of: owner), try engine.images(of: owner)) }
        guard let (containers, images) = found else { return }
        // What runs now is known only after the lists are made: a job is known before its container is.
        let kept = await shelf.names
        let containersLeft = containers.filter { container in !running.keys.contains { $0.text == state.job(of: container.name) } }
        let imagesLeft = images.filter { !kept.contains($0) }
        // A thread that cannot be started leaves everything for the next call.
        try? await BlockingThread.value {
            for container in containersLeft {
                // One that cannot be removed must not keep the others.
                _ = try? engine.remove(container.id)
            }
            for image in imagesLeft {
                // As above.
                try? engine.removeImage(image)
            }
        }
    }

    /// The engine has an image of its own, which goes when others need the room.
    public func forget(rootFolder: String) async {}

    /// Kills every job, waits until all are gone, and removes the kept images. Idempotent; after it ``run(_:onOutput:)`` throws.
    public func shutdown() async {
        isShutDown = true
        for link in running.values { link.stop() }
        if !running.isEmpty { await withCheckedContinuation { waitingForIdle.append($0) } }
        if let engine = try? await engine().engine { await shelf.clear(in: engine) }
        await removeLeftovers()
    }

    public func enforceableLevels() async -> [LevelReport] {
        await EngineLevelChecks(configuration: configuration, sandbox: self).reports()
    }

    /// A number for one trial of the levels, so that two at once do not meet.
    func nextTrial() -> Int {
        trials += 1
        return trials
    }

    private func forget(_ id: ContainerID) {
        running[id] = nil
        guard running.isEmpty else { return }
        waitingForIdle.forEach { $0.resume() }
        waitingForIdle = []
    }
}

import Glibc
import SandboxKernel

/// One run in one container of an engine, from its making to its removal. Blocks; runs on a thread of its own.
struct EngineCage: Sendable {
    /// What is run, and how long.
    struct Contents: Sendable {
        var id: ContainerID
        var command: [String]
        var environment: [String]
        var workingFolder: String
        var limits: EngineLimits
        var timeout: Duration
        var input: [UInt8]
    }

    let contents: Contents
    let engine: Engine
    let configuration: EngineConfiguration
    let groups: ControlGroups
    /// The container's name in the engine.
    let name: String
    /// 32 characters that nobody else knows.
    let nonce: String
    let request: ContainerRequest

    /// - Parameter image: the name of the image of the job's root folder.
    init(
        contents: Contents, image: String, engine: Engine, configuration: EngineConfiguration, state: EngineState, groups: ControlGroups,
        nonce: String
    ) {
        self.contents = contents
        self.engine = engine
        self.configuration = configuration
        self.groups = groups
        self.nonce = nonce
        name = state.containerName(contents.id)
        let entry = EntryCommand(
            nonce: nonce, innerFilter: contents.limits.innerFilter, workingFolder: contents.workingFolder, environment: contents.environment,
            command: contents.command)
        request = ContainerRequest(
            image: image, command: [ContainerRequest.entryPath] + entry.arguments, limits: contents.limits, owner: state.owner,
            userNamespace: configuration.userNamespace, kind: engine.kind,
            profile: state.profile, files: state.files)
    }

    /// Runs the job. By the end nothing of it is left in the engine, whatever is returned or thrown.
    ///
    /// - Throws: ``SandboxError``; `CancellationError` if the link was stopped.
    func run(link: CageLink) throws -> JobEnd {
        // A name is removed as well as an id, so that a container whose making was cut off does not stay.
        let result = Result { try runContainer(try engine.create(request, name: name), link: link) }
        do {
            try cleanUp()
        } catch {
            // The first failure tells more: the engine that vanished then cannot clean up either.
            guard case .failure(let first) = result else { throw error }
            throw SandboxError(.cleanUp, "The container engine failed, and a container may be left.", cause: "\(first); \(error)")
        }
        if link.isStopped { throw CancellationError() }
        return try result.get()
    }

    private func runContainer(_ container: String, link: CageLink) throws -> JobEnd {
        let problems = try engine.inspect(container).problems(against: request, kind: engine.kind)
        guard problems.isEmpty else { throw Self.notEnforced(problems) }
        let connection = try engine.attach(container)
        try engine.start(container)
        var supervision = EngineSupervision(cage: self, container: container, link: link, connection: connection)
        do {
            let outcome = try supervision.watch()
            if link.isStopped { throw CancellationError() }
            return try end(outcome, container, supervision.local)
        } catch {
            // Whatever went wrong, the Cargo must be dead before anything else happens.
            supervision.local?.kill(atMost: configuration.killTimeout)
            // The removal that follows kills too, and fails loudly where this fails.
            try? engine.kill(container)
            throw error
        }
    }

    static func notEnforced(_ problems: [String]) -> SandboxError {
        SandboxError(.levelNotEnforced, "The container engine does not hold every limit.", cause: problems.joined(separator: ", "))
    }

    // MARK: How it ended

    private func end(_ outcome: EngineSupervision.Outcome, _ container: String, _ local: LocalContainer?) throws -> JobEnd {
        if let failure = outcome.failure,
            let error = EntryReport.failed(stage: failure.stage, errorNumber: CInt(truncatingIfNeeded: failure.value)).error
        {
            throw error
        }
        let facts = try finalFacts(container, mayRun: outcome.end != nil || outcome.hadTimedOut)
        guard outcome.hasCargoStarted || outcome.hadTimedOut else {
            throw SandboxError(
                .cageEntry, "The container ended before its filter was in force.",
                cause: "exit code \(facts.State.ExitCode) \(facts.State.Error ?? "")")
        }
        return JobEnd(
            cause: try cause(outcome, facts.State), wallTime: outcome.end?.wallTime ?? outcome.wallTime,
            cpuTime: outcome.usage?.cpuTime ?? outcome.end?.cpuTime ?? .zero,
            peakMemoryBytes: outcome.usage?.peakMemoryBytes ?? outcome.end?.largestProcessBytes ?? 0, standardError: outcome.standardError)
    }

    /// How long an engine may take to note the end of a container whose streams have ended. Chosen: Podman takes up to 300 ms.
    private static let noticeTime = Duration.seconds(3)

    /// The engine's last word on the container, whose streams have ended.
    ///
    /// - Parameter mayRun: whether the kill may still be under way.
    private func finalFacts(_ container: String, mayRun: Bool) throws -> ContainerFacts {
        let deadline = ContinuousClock.now + Self.noticeTime
        while true {
            let facts = try engine.inspect(container)
            if !facts.State.Running || mayRun { return facts }
            guard ContinuousClock.now < deadline else {
                throw SandboxError(.runtime, "The container engine closed the streams of a running container.")
            }
            Self.pause()
        }
    }

    /// Tells the cause. An end that the entry saw stands, whatever was sent to the container after that; the kill for time may
    /// reach the Cargo a moment before it reaches the entry, which then still tells of signal 9.
    private func cause(_ outcome: EngineSupervision.Outcome, _ state: ContainerFacts.StateFacts) throws -> EndCause {
        let memoryKills = outcome.usage?.memoryKills ?? (state.OOMKilled == true ? 1 : 0)
        if let end = outcome.end {
            let status = Int32(truncatingIfNeeded: end.value)
            return EndCause(
                EndEvidence(waitStatus: status, memoryKills: memoryKills, hadTimedOut: outcome.hadTimedOut, forbiddenCall: nil))
        }
        if outcome.hadTimedOut {
            return EndCause(EndEvidence(waitStatus: SIGKILL, memoryKills: memoryKills, hadTimedOut: true, forbiddenCall: nil))
        }
        // The entry itself was killed: for memory, or by somebody on the host.
        if memoryKills > 0 || state.OOMKilled == true { return .outOfMemory }
        guard state.ExitCode > 128 else {
            throw SandboxError(.runtime, "The container ended without a word.", cause: "exit code \(state.ExitCode)")
        }
        return .killed(signal: state.ExitCode - 128)
    }

    // MARK: Removal

    private func cleanUp() throws {
        let deadline = ContinuousClock.now + configuration.killTimeout
        while true {
            var failure: (any Error)?
            do {
                if try engine.remove(name) { return }
            } catch {
                failure = error
            }
            guard ContinuousClock.now < deadline, !Self.isUnreachable(configuration.socketPath) else {
                throw SandboxError(.cleanUp, "The container could not be removed.", cause: failure.map { "\($0)" })
            }
            Self.pause()
        }
    }

    /// Whether nothing listens on the engine's socket, so that another try is in vain.
    private static func isUnreachable(_ path: String) -> Bool { (try? EngineConnection(to: path, deadline: .now)) == nil }

    /// Waits a moment before an engine is asked again. Chosen: short beside the 100 ms and more that a container takes.
    static func pause() {
        // Safety: an empty list; the call only waits.
        kernel_poll(nil, 0, 20)
    }
}

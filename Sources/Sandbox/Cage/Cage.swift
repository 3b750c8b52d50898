import FoundationEssentials
import Glibc
import SandboxKernel

/// One run in one container, from the first folder to the last. Blocks; runs on a thread of its own.
struct Cage: Sendable {
    let job: CageContents
    let configuration: RuncConfiguration
    let groups: ControlGroups
    /// How many cores the host has.
    let processors: Int

    private var bundle: String { "\(configuration.bundlesFolder)/\(job.id)" }
    private var group: String { "/\(configuration.cgroupParent)/\(job.id)" }
    private var runtime: RuntimeCommand { RuntimeCommand(configuration: configuration) }

    /// Runs the job. By the end nothing of it is left, whatever is returned or thrown.
    ///
    /// - Throws: ``SandboxError``; `CancellationError` if the link was stopped.
    func run(link: CageLink) throws -> JobEnd {
        try becomeSubreaper()
        let root = RootFolder(path: job.rootFolder)
        let stage = try root.isReachable(owner: configuration.idOffset) ? nil : RootStage(root: job.rootFolder)
        try root.prepare(owner: configuration.idOffset)
        try checked("mkdir", bundle) { mkdir(bundle, 0o700) == 0 ? 0 : -errno }
        let result = Result {
            try writeSpecification(root: stage?.folder ?? job.rootFolder)
            return try runContainer(stage: stage, link: link)
        }
        try cleanUp()
        if link.isStopped { throw CancellationError() }
        return try result.get()
    }

    /// The runtime leaves the container's first process as an orphan: it becomes this process's child, to wait for.
    private func becomeSubreaper() throws { try checked("prctl") { kernel_become_subreaper() } }

    private func writeSpecification(root: String) throws {
        let specification = RuntimeSpecification(
            job: job, root: root, configuration: configuration, architecture: .current, processors: processors)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let text = try encoder.encode(specification)
        try SmallFiles.write([UInt8](text), to: "\(bundle)/config.json", create: true)
    }

    private func runContainer(stage: RootStage?, link: CageLink) throws -> JobEnd {
        let filter = job.innerFilter.flatMap(\.bytes)
        let (process, own) = try create(filter: filter, stage: stage)
        do {
            return try watch(process, own, link: link)
        } catch {
            // Whatever went wrong, the container must be dead before anything else happens.
            process.kill()
            guard try process.wait(atMost: configuration.killTimeout) != nil else {
                throw SandboxError(.cleanUp, "A killed container did not end.", cause: "\(error)")
            }
            throw error
        }
    }

    /// Makes the container. The ends of its streams are closed here when this returns.
    private func create(filter: [UInt8], stage: RootStage?) throws -> (ChildProcess, CageStreams.OwnEnds) {
        let streams = try CageStreams(filter: filter)
        let ends = streams.cage
        let id = try runtime.create(
            job.id, bundle: bundle, stage: stage, descriptors: [ends.input, ends.output, ends.error], inherited: ends.report)
        return (try ChildProcess(adopting: id), streams.own)
    }

    private func watch(_ process: ChildProcess, _ own: CageStreams.OwnEnds, link: CageLink) throws -> JobEnd {
        if link.isStopped { throw CancellationError() }
        let before = try groups.usage(of: group)
        groups.forgetPeak(of: group)
        let log = KernelLog.fromNow()
        try release(process)
        var supervision = Supervision(
            job: job, link: link, streams: own, killTimeout: configuration.killTimeout, start: ContinuousClock.now)
        let outcome = try supervision.watch(process)
        let after = try groups.usage(of: group)
        // A container that was killed in its first moment has said nothing, and needs no other explanation than the kill.
        if !outcome.hadTimedOut, !link.isStopped, let error = outcome.report.error { throw error }

        var evidence = EndEvidence(
            waitStatus: outcome.waitStatus, memoryKills: after.memoryKills, hadTimedOut: outcome.hadTimedOut, forbiddenCall: nil)
        var cause = EndCause(evidence)
        if case .forbiddenSyscall = cause {
            evidence.forbiddenCall = log?.forbiddenCall(of: process.id)
            cause = EndCause(evidence)
        }
        return JobEnd(
            cause: cause, wallTime: outcome.wallTime, cpuTime: max(after.cpuTime - before.cpuTime, .zero),
            peakMemoryBytes: after.peakMemoryBytes, standardError: outcome.standardError)
    }

    /// Lets the waiting container go on to its first program, as `runc start` does: it waits until somebody reads its fifo.
    private func release(_ process: ChildProcess) throws {
        let path = "\(configuration.runtimeFolder)/\(job.id)/exec.fifo"
        // Without O_NONBLOCK this would wait for ever for a container that has died.
        let fifo = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        let deadline = ContinuousClock.now + configuration.commandTimeout
        while true {
            var entries = [
                pollfd(fd: fifo.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: process.descriptor.number, events: Int16(POLLIN), revents: 0),
            ]
            let remaining = ContinuousClock.now.duration(to: deadline)
            // Safety: the array holds the two entries that are announced, for the length of the call.
            try checked("poll") { kernel_poll(&entries, 2, remaining.pollMilliseconds) }
            if entries[0].revents != 0, let bytes = try fifo.read(atMost: 1), !bytes.isEmpty { return }
            if entries[1].revents != 0 { throw SandboxError(.runtime, "The container died before it was started.") }
            guard remaining > .zero else { throw SandboxError(.runtime, "The container did not start.") }
        }
    }

    /// Removes the container, its control groups and its bundle, in this order: the bundle is how a restart finds the others.
    private func cleanUp() throws {
        let runtimeError: (any Error)?
        do {
            try runtime.delete(job.id.text)
            runtimeError = nil
        } catch {
            runtimeError = error
        }
        // The runtime has removed the groups; this makes sure, and is what is left if the runtime failed.
        let isGone = groups.remove(group)
        if let runtimeError { throw runtimeError }
        guard isGone else { throw SandboxError(.cleanUp, "The job's control groups could not be removed.") }
        do {
            try FileManager.default.removeItem(atPath: bundle)
        } catch {
            throw SandboxError(.cleanUp, "The job's folder could not be removed.", cause: "\(error)")
        }
    }
}

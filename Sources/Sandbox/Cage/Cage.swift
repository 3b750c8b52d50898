import FoundationEssentials
import Glibc
import SandboxKernel

/// One run in one container, from the first folder to the last. Blocks; runs on a thread of its own.
struct Cage: Sendable {
    var job: CageContents
    let configuration: RuncConfiguration
    let groups: ControlGroups
    /// How many cores the host has.
    let processors: Int

    private var bundle: String { "\(configuration.bundlesFolder)/\(job.id)" }
    private var group: String { "/\(configuration.cgroupParent)/\(job.id)" }
    private var runtime: RuntimeCommand { RuntimeCommand(configuration: configuration) }

    /// A container that was made and waits before its first program.
    struct Prepared {
        let process: ChildProcess
        let streams: CageStreams.OwnEnds
        /// Of the cage entry's reports, where it stays in front of the Cargo.
        var nonce: String?
        /// Other processes of the container on the host, which end with it.
        var helpers: [ChildProcess] = []
        var network: CageNetwork?
    }

    /// Runs the job. By the end nothing of it is left, whatever is returned or thrown.
    ///
    /// - Throws: ``SandboxError``; `CancellationError` if the link was stopped.
    func run(link: CageLink) throws -> JobEnd { try run(try prepare(), link: link) }

    /// Makes the container. After an error nothing of it is left.
    func prepare() throws -> Prepared {
        try becomeSubreaper()
        let root = RootFolder(path: job.rootFolder)
        let hidden = configuration.runtime.refusesMixedGroups && groups.isVersion1 ? groups.unified : nil
        let isStaged = try hidden != nil || !root.isReachable(owner: configuration.idOffset)
        let stage = isStaged ? RootStage(root: job.rootFolder, hidden: hidden) : nil
        try root.prepare(owner: configuration.idOffset)
        try root.prepare(for: job.mounts, owner: configuration.idOffset)
        try checked("mkdir", bundle) { mkdir(bundle, 0o700) == 0 ? 0 : -errno }
        var made: Prepared?
        do {
            let nonce = configuration.runtime.keepsEntry ? EntryCommand.newNonce() : nil
            try writeSpecification(root: stage?.folder ?? job.rootFolder, nonce: nonce)
            var prepared = try create(nonce: nonce, stage: stage)
            made = prepared
            // An entry that stays waits for its job by itself.
            if nonce != nil { try runtime.start(job.id) }
            if job.hasNetwork {
                prepared.network = try CageNetwork.connect(
                    prepared.process.id, bundle: bundle, configuration: configuration.network, atMost: configuration.commandTimeout)
            }
            return prepared
        } catch {
            // The runtime may have come half the way, and knows best what to take back.
            // Its processes are this one's children by now: the runtime would wait for them in vain.
            try made.map(end)
            try runtime.delete(job.id.text)
            try cleanUp()
            throw error
        }
    }

    /// Runs the job in a container that was made for it, and removes it.
    func run(_ prepared: Prepared, link: CageLink) throws -> JobEnd {
        let result = Result { try watchToTheEnd(prepared, link: link) }
        try remove(prepared)
        if link.isStopped { throw CancellationError() }
        return try result.get()
    }

    /// Ends and removes a container in which nothing ran.
    func discard(_ prepared: Prepared) throws { try remove(prepared) }

    /// Removes all that belongs to a container.
    private func remove(_ prepared: Prepared) throws {
        try end(prepared)
        try prepared.network?.end(atMost: configuration.killTimeout)
        try cleanUp()
    }

    /// Ends the container's processes on the host.
    private func end(_ prepared: Prepared) throws {
        for process in [prepared.process] + prepared.helpers {
            process.kill()
            guard try process.wait(atMost: configuration.killTimeout) != nil else {
                throw SandboxError(.cleanUp, "A part of the container did not end.")
            }
        }
        if configuration.runtime.leavesOrphans { try reapOrphans() }
    }

    /// Reaps what a container's first process on the host has started: orphans by now, and so this process's children. All of them die with it.
    private func reapOrphans() throws {
        let deadline = ContinuousClock.now + configuration.killTimeout
        while try !groups.processes(of: group).isEmpty {
            guard ContinuousClock.now < deadline else { throw SandboxError(.cleanUp, "A part of the container did not end.") }
            // Chosen: a killed process is gone within microseconds unless the host is stuck.
            usleep(1000)
        }
        try ChildProcess.reapOrphans(named: "exe")
    }

    /// The runtime leaves the container's first process as an orphan: it becomes this process's child, to wait for.
    private func becomeSubreaper() throws { try checked("prctl") { kernel_become_subreaper() } }

    private func writeSpecification(root: String, nonce: String?) throws {
        var job = job
        if job.hasNetwork, ResolverFile.canBeCovered(in: job.rootFolder) {
            let file = "\(bundle)/resolv.conf"
            try SmallFiles.write(Array(ResolverFile.text(configuration.network.nameServers).utf8), to: file, create: true)
            // The runtime opens it as the mapped user, and the bundle is closed to that one: it is opened before by the mount itself.
            try checked("chmod", file) { chmod(file, 0o644) == 0 ? 0 : -errno }
            job.mounts.append(ReadOnlyMount(source: file, destination: ResolverFile.path))
        }
        var specification = RuntimeSpecification(
            job: job, nonce: nonce, root: root, configuration: configuration, architecture: .current, processors: processors)
        if let devices = job.devices { try specification.add(devices) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let text = try encoder.encode(specification)
        try SmallFiles.write([UInt8](text), to: "\(bundle)/config.json", create: true)
    }

    private func watchToTheEnd(_ prepared: Prepared, link: CageLink) throws -> JobEnd {
        do {
            return try watch(prepared, link: link)
        } catch {
            // Whatever went wrong, the container must be dead before anything else happens.
            prepared.process.kill()
            guard try prepared.process.wait(atMost: configuration.killTimeout) != nil else {
                throw SandboxError(.cleanUp, "A killed container did not end.", cause: "\(error)")
            }
            throw error
        }
    }

    /// Makes the container. The ends of its streams are closed here when this returns.
    private func create(nonce: String?, stage: RootStage?) throws -> Prepared {
        let streams = try CageStreams(filter: nonce == nil ? job.innerFilter.flatMap(\.bytes) : nil)
        let ends = streams.cage
        let id = try runtime.create(
            job.id, bundle: bundle, stage: stage, descriptors: [ends.input, ends.output, ends.error], inherited: ends.report)
        var prepared = Prepared(process: try ChildProcess(adopting: id), streams: streams.own, nonce: nonce)
        guard nonce != nil else { return prepared }
        // Those that are no children of this process are of the first one, and end with it.
        prepared.helpers = try groups.processes(of: group).filter { $0 != id }.compactMap { try? ChildProcess(adopting: $0) }
        return prepared
    }

    private func watch(_ prepared: Prepared, link: CageLink) throws -> JobEnd {
        if link.isStopped { throw CancellationError() }
        let process = prepared.process
        let before = try groups.usage(of: group)
        groups.forgetPeak(of: group)
        let log = KernelLog.fromNow()
        // Before the release: this thread may have to wait for a processor while the Cargo runs already.
        let start = ContinuousClock.now
        if prepared.nonce == nil { try release(process) }
        var supervision = Supervision(
            job: job, link: link, streams: prepared.streams, nonce: prepared.nonce, killTimeout: configuration.killTimeout, start: start)
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
        guard configuration.runtime.startsByFifo else { return try runtime.start(job.id) }
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
            if entries[1].revents != 0 { throw SandboxError(.notStarted, "The container died before it was started.") }
            guard remaining > .zero else { throw SandboxError(.notStarted, "The container did not start.") }
        }
    }

    /// Removes the control groups, the runtime's notes and the bundle of a container that is dead, in this order: the bundle is how a restart
    /// finds the others.
    ///
    /// What `runc delete` does beside this is for containers that live, with hooks or with mounts outside of their namespace; ours have none
    /// of these, and starting it takes as long as a short job does.
    private func cleanUp() throws {
        // Its notes are files of many names.
        if configuration.runtime.keepsEntry { try runtime.delete(job.id.text) }
        guard groups.remove(group) else { throw SandboxError(.cleanUp, "The job's control groups could not be removed.") }
        do {
            for folder in ["\(configuration.runtimeFolder)/\(job.id)", bundle] where access(folder, F_OK) == 0 {
                try FileManager.default.removeItem(atPath: folder)
            }
        } catch {
            throw SandboxError(.cleanUp, "The job's folder could not be removed.", cause: "\(error)")
        }
    }
}

import Domain
import FoundationEssentials
import Glibc
import SandboxKernel

/// Measures how long it takes from the wish to run a program to its first byte of output, in several ways, on one root folder.
///
/// The program is the cage entry itself, which writes one line and ends; so what is measured is the way to it.
public struct StartMeasurement: Sendable {
    /// A way to start a program.
    public enum Way: String, Sendable, Hashable, CaseIterable {
        case forkAndExec = "fork and exec, no cage"
        case runcRun = "runc run, level 0's description"
        case cold = "our cage, cold"
        case warm = "our cage, warm"
        case podman = "podman run, same limits"
    }

    private let sandbox: RuncSandbox
    private let warm: RuncSandbox
    private let folder: String
    private let root: String
    private let podman: String?

    /// - Parameters:
    ///   - sandbox: keeps no containers ready.
    ///   - warm: keeps some.
    ///   - folder: a folder of this measurement alone, open to everybody.
    ///   - podman: the program, if there is one.
    /// - Throws: ``SandboxError`` when the root folder cannot be made.
    public init(sandbox: RuncSandbox, warm: RuncSandbox, folder: String, podman: String?) throws {
        self.sandbox = sandbox
        self.warm = warm
        self.folder = folder
        self.podman = podman
        root = folder + "/root"
        let configuration = sandbox.configuration
        do {
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: configuration.cageEntryPath, toPath: root + "/cage-entry")
        } catch {
            throw SandboxError(.systemCall, "The folder for measurements cannot be made.", cause: "\(error)")
        }
        for path in [root, root + "/cage-entry"] {
            try checked("chown", path) { chown(path, uid_t(configuration.idOffset), gid_t(configuration.idOffset)) == 0 ? 0 : -errno }
        }
    }

    /// The ways that this machine has.
    public var ways: [Way] { Way.allCases.filter { $0 != .podman || podman != nil } }

    /// Starts the program once and returns the time to its first byte.
    public func measure(_ way: Way, round: Int) async throws -> Duration {
        switch way {
        case .forkAndExec:
            let path = root + "/cage-entry"
            return try await BlockingThread.value { try Self.firstByte(of: path, ["--probe-output"]) }
        case .runcRun: return try await runcRun(round)
        case .cold: return try await caged("cold-\(round)", in: sandbox)
        case .warm:
            // One of this kind has run before; what it let expect is there once the pool has made it.
            if await warm.readyCount == 0 { _ = try await caged("first-\(round)", in: warm) }
            while await warm.readyCount == 0 { await Task.yield() }
            return try await caged("warm-job-\(round)", in: warm)
        case .podman:
            guard let podman else { throw SandboxError(.unavailable, "There is no podman.") }
            return try await podmanRun(podman)
        }
    }

    private func caged(_ name: String, in sandbox: RuncSandbox) async throws -> Duration {
        let job = try CagedJob(
            id: ContainerID(name), rootFolder: root, command: ["/cage-entry", "--probe-output"], level: .untrusted, input: [])
        let first = FirstMoment()
        let start = ContinuousClock.now
        _ = try await sandbox.run(job) { _ in await first.note() }
        guard let moment = await first.moment else { throw SandboxError(.runtime, "The program wrote nothing.") }
        return start.duration(to: moment)
    }

    /// The description of a level 0 job, but for the cage entry's step: runc alone starts the program.
    private func runcRun(_ round: Int) async throws -> Duration {
        let configuration = sandbox.configuration
        let bundle = "\(folder)/bundle-\(round)"
        let job = try CagedJob(
            id: ContainerID("bare-\(round)"), rootFolder: root, command: ["/cage-entry", "--probe-output"], level: .untrusted, input: [])
        var specification = RuntimeSpecification(
            job: CageContents(job), configuration: configuration, architecture: .current, processors: ProcessInfo.processInfo.activeProcessorCount)
        specification.process.args = job.command
        let text = try JSONEncoder().encode(specification)
        return try await BlockingThread.value {
            try checked("mkdir", bundle) { mkdir(bundle, 0o700) == 0 ? 0 : -errno }
            try SmallFiles.write([UInt8](text), to: "\(bundle)/config.json", create: true)
            return try Self.firstByte(
                of: configuration.runtimePath,
                configuration.runtime.arguments + ["--root", configuration.runtimeFolder, "run", "--bundle", bundle, "bare-\(round)"])
        }
    }

    private static let podmanImage = "localhost/archipelago-bench:1"

    /// Makes podman's image of the root folder; call once before the podman way.
    public func preparePodman() async throws {
        guard let podman else { return }
        let (root, archive) = (root, folder + "/root.tar")
        try await BlockingThread.value {
            _ = try Self.firstByte(of: "/bin/sh", ["-c", "tar -C \(root) -cf \(archive) . && echo done"])
            _ = try Self.firstByte(of: podman, ["import", "--quiet", archive, Self.podmanImage])
        }
    }

    private func podmanRun(_ podman: String) async throws -> Duration {
        try await BlockingThread.value {
            try Self.firstByte(
                of: podman,
                [
                    "--runtime", OCIRuntime.runc.standardPath, "run", "--rm", "--network", "none", "--read-only", "--memory", "256m", "--cpus", "1",
                    "--pids-limit", "32", "--cap-drop", "all",
                    "--security-opt", "no-new-privileges", "--ulimit", "nofile=256:256", "--ulimit", "nproc=4096:4096", Self.podmanImage,
                    "/cage-entry", "--probe-output",
                ])
        }
    }

    /// Starts a program and returns the time until it has written a byte; waits for its end. Blocks.
    private static func firstByte(of path: String, _ arguments: [String]) throws -> Duration {
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let (output, errors) = (try DescriptorPair.pipe(), try DescriptorPair.pipe())
        try errors.first.setNonblocking()
        let start = ContinuousClock.now
        let process = try ChildProcess(
            path: path, arguments: arguments, environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"],
            descriptors: [nothing, output.second, errors.second])
        let pipe = output.first
        var waiting = [pollfd(fd: pipe.number, events: Int16(POLLIN), revents: 0)]
        // Safety: the array holds the one entry that is announced, for the length of the call.
        try checked("poll") { kernel_poll(&waiting, 1, Duration.seconds(60).pollMilliseconds) }
        let time = start.duration(to: .now)
        let status = try process.reap()
        guard status == 0 else {
            let text = String(decoding: (try? errors.first.read(atMost: 2000)) ?? [], as: UTF8.self)  // only says more
            throw SandboxError(.runtime, "\(path) did not come through: \(text)", cause: "wait status \(status)")
        }
        return time
    }
}

/// When the first output came.
private actor FirstMoment {
    private(set) var moment: ContinuousClock.Instant?

    func note() { moment = moment ?? .now }
}

import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// A container engine of the tests' own, with its storage, socket and settings in a folder that goes with it. Nothing of the
/// machine's own engine is touched.
final class EngineService: Sendable {
    /// The engines that the tests can start.
    enum Program: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case podman, dockerd

        var path: String? {
            EngineService.path.split(separator: ":").map { "\($0)/\(rawValue)" }.first { access($0, X_OK) == 0 }
        }

        var testDescription: String { rawValue }
    }

    /// Where programs are looked for: an engine may lie beside the system's own.
    private static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let folder: TemporaryFolder
    let socketPath: String
    private let process: Mutex<ChildProcess>

    /// Starts a service and waits until it answers.
    ///
    /// - Parameter folder: one that another service had, to find what that one left.
    init(_ program: Program, in folder: TemporaryFolder? = nil) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        socketPath = "\(folder.path)/engine.sock"
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let log = try Descriptor.open("\(folder.path)/log", O_WRONLY | O_CREAT, mode: 0o600)
        let (arguments, environment) = try Self.command(program, folder: folder)
        let path = try #require(program.path)
        process = Mutex(
            try ChildProcess(
                // Podman's monitor leaves a file `oom` where the service was started.
                path: "/usr/bin/env", arguments: ["-C", folder.path, path] + arguments,
                environment: environment + ["PATH=\(Self.path)", "HOME=\(folder.path)"],
                descriptors: [nothing, log, log]))
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let client = EngineClient(socketPath: socketPath, requestTimeout: .seconds(10))
            if (try? Engine(client: client)) != nil { break }
            try #require(ContinuousClock.now < deadline, "\((try? SmallFiles.read(folder.path + "/log")) ?? "")")
            // Waiting for another program is not synchronisation between tests.
            EngineCage.pause()
        }
    }

    private static func command(_ program: Program, folder: TemporaryFolder) throws -> (arguments: [String], environment: [String]) {
        let path = folder.path
        switch program {
        case .podman:
            try folder.write("/storage.conf", "[storage]\ndriver = \"overlay\"\ngraphroot = \"\(path)/root\"\nrunroot = \"\(path)/run\"\n")
            // The machine's podman and this one would share locks in memory. Without the limits nothing starts where root may not raise
            // its own. No `static_dir`: the process that cleans up behind a container is not told of it, and the container never ends.
            try folder.write(
                "/containers.conf",
                """
                [containers]
                default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
                [engine]
                cgroup_manager = "cgroupfs"
                runtime = "runc"
                events_logger = "none"
                lock_type = "file"
                tmp_dir = "\(path)/tmp"
                """)
            // It ends by itself when the tests were killed.
            return (
                ["system", "service", "--time=300", "unix://\(path)/engine.sock"],
                ["CONTAINERS_CONF=\(path)/containers.conf", "CONTAINERS_STORAGE_CONF=\(path)/storage.conf"]
            )
        case .dockerd:
            return (
                [
                    "--data-root=\(path)/root", "--exec-root=\(path)/exec", "--pidfile=\(path)/pid", "--host=unix://\(path)/engine.sock",
                    "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false", "--storage-driver=vfs",
                ], []
            )
        }
    }

    /// Ends the service, as a crash would. Containers may go on without it.
    func kill() { process.withLock { $0.kill() } }

    /// Ends the service in order and removes its mounts.
    func stop() {
        process.withLock { process in
            Glibc.kill(process.id, SIGTERM)
            // An engine that does not end is killed; the folder goes with the object.
            if ((try? process.wait(atMost: .seconds(10))) ?? nil) == nil {
                process.kill()
                _ = try? process.reap()
            }
            for mount in mounts().reversed() { umount2(mount, CInt(MNT_DETACH)) }
            for group in (try? ControlGroups.ofHost().mountPoints) ?? [] { rmdir("\(group)/libpod_parent") }
        }
    }

    /// What is mounted below the folder.
    private func mounts() -> [String] {
        ((try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && fields[4].hasPrefix(folder.path) ? String(fields[4]) : nil
        }
    }

    // MARK: One for all tests

    private static let shared = Mutex<[Program: EngineService]>([:])

    /// The service that the tests of this process share, started when first asked for and stopped when the process ends.
    static func shared(_ program: Program) throws -> EngineService {
        try shared.withLock { services in
            if let service = services[program] { return service }
            let service = try EngineService(program)
            if services.isEmpty { atexit { EngineService.stopShared() } }
            services[program] = service
            return service
        }
    }

    private static func stopShared() {
        let services = shared.withLock { services in
            defer { services = [:] }
            return Array(services.values)
        }
        for service in services {
            service.stop()
            try? FileManager.default.removeItem(atPath: service.folder.path)
        }
    }

    /// Reaps the monitors of containers, which outlive the engine's own processes: this process is a subreaper once it has had a
    /// runc sandbox.
    static func reapMonitors() {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = pid_t(entry), let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
                status.hasPrefix("Name:\tconmon\n") || status.hasPrefix("Name:\tcontainerd-shim\n"), status.contains("PPid:\t\(getpid())\n"),
                status.contains("State:\tZ")
            else { continue }
            waitpid(id, nil, WNOHANG)
        }
    }
}

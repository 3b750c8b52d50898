import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// Every sandbox that the contract is run on, here.
enum SandboxKind: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case runc, crun, runsc, podman, docker

    var testDescription: String { rawValue }

    /// The engine's program, for those that have one.
    var engine: EngineService.Program? {
        switch self {
        case .runc, .crun, .runsc: nil
        case .podman: .podman
        case .docker: .dockerd
        }
    }

    /// The runtime of those that have no engine.
    var runtime: OCIRuntime? {
        switch self {
        case .runc: .runc
        case .crun: .crun
        case .runsc: .runsc
        case .podman, .docker: nil
        }
    }

    /// Why it cannot be tested here; `nil` if it can. Each printed once.
    static let reasonsAgainst: [SandboxKind: String] = {
        var reasons: [SandboxKind: String] = [:]
        for kind in SandboxKind.allCases {
            reasons[kind] = reasonAgainstLiveTests ?? (kind.engine.map { $0.path == nil ? "no \($0.rawValue)" : nil } ?? nil)
            if let runtime = kind.runtime, access(runtime.standardPath, X_OK) != 0 { reasons[kind] = "no \(runtime.rawValue)" }
            if let reason = reasons[kind] { print("The sandbox \(kind) is not tested: \(reason).") }
        }
        return reasons
    }()

    static let here = allCases.filter { reasonsAgainst[$0] == nil }
    static let enginesHere = here.filter { $0.engine != nil }
}

/// A sandbox of its own on this host, with images of example programs, and the proof that it leaves nothing.
final class SandboxHost: Sendable {
    let kind: SandboxKind
    let folder: TemporaryFolder
    let sandbox: any HostSandbox
    let socketPath: String
    private let jobs = Atomic<Int>(0)
    private let images: ImageFolders

    init(_ kind: SandboxKind, service: EngineService? = nil, configure: (inout EngineConfiguration) -> Void = { _ in }) throws {
        self.kind = kind
        folder = try TemporaryFolder()
        images = ImageFolders(in: folder.path, ownerID: 100_000)
        if let program = kind.engine {
            socketPath = try (service ?? EngineService.shared(program)).socketPath
            var configuration = EngineConfiguration(socketPath: socketPath, cageEntryPath: cageEntryPath, stateFolder: folder.path + "/state")
            configure(&configuration)
            sandbox = try EngineSandbox(configuration: configuration)
        } else {
            socketPath = ""
            sandbox = try RuncSandbox(
                configuration: RuncConfiguration(
                    runtime: kind.runtime ?? .runc, cageEntryPath: cageEntryPath, stateFolder: folder.path + "/state"))
        }
    }

    var engineSandbox: EngineSandbox? { sandbox as? EngineSandbox }
    private var runcTraces: RuncTraces? {
        (sandbox as? RuncSandbox).map { RuncTraces(configuration: $0.configuration, folder: folder.path) }
    }

    /// The host's number of the first process of a job.
    func process(of job: CagedJob) async throws -> pid_t {
        if let runcTraces { return try runcTraces.process(of: job) }
        let engine = try await #require(engineSandbox).engine().engine
        let owner = try SmallFiles.read(folder.path + "/state/owner")
        let container = try #require(engine.containers(of: owner).first { $0.name.hasSuffix(job.id.text) })
        return try pid_t(engine.inspect(container.id).State.Pid)
    }

    /// Whether a process still runs. One that nobody has waited for yet has ended all the same.
    static func isAlive(_ process: pid_t) -> Bool {
        guard let status = try? SmallFiles.read("/proc/\(process)/status") else { return false }
        return !status.contains("State:\tZ")
    }

    /// How much output may be under way to a reader that reads nothing: the buffers of pipes, and for an engine those of its own
    /// processes and of two sockets.
    var outputUnderWayMax: Int { kind.runtime != nil ? 131_072 : 4 << 20 }

    /// Runs the body on a new host, shuts down and checks that nothing is left.
    static func with(_ kind: SandboxKind, _ body: (SandboxHost) async throws -> Void) async throws {
        let host = try SandboxHost(kind)
        do {
            try await body(host)
            try await host.expectNoContainers()
        } catch {
            await host.sandbox.shutdown()
            throw error
        }
        await host.sandbox.shutdown()
        try await host.expectNoContainers()
        if let sandbox = host.engineSandbox {
            let engine = try await sandbox.engine().engine
            #expect(try engine.images(of: SmallFiles.read(host.folder.path + "/state/owner")).isEmpty)
        } else {
            #expect(host.runcTraces?.groupFolders("") == [])
        }
        EngineService.reapMonitors()
    }

    /// No container of this sandbox is left, running or not, nor anything else of a job.
    func expectNoContainers(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        if let engineSandbox {
            let engine = try await engineSandbox.engine().engine
            let owner = try SmallFiles.read(folder.path + "/state/owner")
            #expect(try engine.containers(of: owner).map(\.name) == [], sourceLocation: sourceLocation)
        } else {
            try runcTraces?.expectNone(sourceLocation: sourceLocation)
        }
    }

    /// An image that holds one program as `/cargo`.
    func image(_ program: String) throws -> String { try images.image(program) }

    func job(
        _ program: String, input: [UInt8] = Array("{}".utf8), level: TrustLevel = .untrusted, timeout: Duration? = nil,
        command: [String] = ["/cargo"], environment: [String] = [], workingFolder: String = "/"
    ) throws -> CagedJob {
        try CagedJob(
            id: ContainerID("job-\(jobs.wrappingAdd(1, ordering: .relaxed).newValue)"), rootFolder: image(program), command: command,
            environment: environment, workingFolder: workingFolder, level: level, timeout: timeout, input: input)
    }

    /// Runs a job and collects its output.
    func run(_ job: CagedJob) async throws -> (end: JobEnd, output: [UInt8]) {
        let output = Mutex<[UInt8]>([])
        let end = try await sandbox.run(job) { bytes in
            #expect((1...65536).contains(bytes.count))
            output.withLock { $0 += bytes }
        }
        return (end, output.withLock { $0 })
    }

    func text(_ job: CagedJob) async throws -> String { String(decoding: try await run(job).output, as: UTF8.self) }
}

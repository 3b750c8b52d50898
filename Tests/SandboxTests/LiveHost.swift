import Domain
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

extension Tag {
    /// Really uses the kernel and runc.
    @Tag static var live: Self
}

/// Why live tests cannot run here; `nil` if they can. Printed once.
let reasonAgainstLiveTests: String? = {
    var reason: String?
    if geteuid() != 0 { reason = "not root" }
    if access("/usr/sbin/runc", X_OK) != 0 { reason = "no /usr/sbin/runc" }
    if access("/usr/bin/cc", X_OK) != 0 { reason = "no C compiler" }
    if let reason { print("Live tests of the sandbox are skipped: \(reason).") }
    return reason
}()

/// Whatever really uses the kernel. One after the other: each uses the host's two cores, and some count what this process has open.
@Suite(.tags(.live), .serialized, .enabled(if: reasonAgainstLiveTests == nil, "needs root, runc and a C compiler"))
enum LiveSandbox {}

/// The program that the package builds beside the tests.
let cageEntryPath: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("archipelago-cage-entry").path
    if access(beside, X_OK) == 0 { return beside }
    // The test runner is another program: then the bundle's path is among the arguments.
    for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
        let beside = URL(fileURLWithPath: argument).deletingLastPathComponent().appendingPathComponent("archipelago-cage-entry").path
        if access(beside, X_OK) == 0 { return beside }
    }
    return beside
}()

/// A folder that goes with its owner. Others may enter it: the mapped user must.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = try makeTemporaryFolder("archipelago-sandbox")
        chmod(path, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path + name)) }
}

/// A sandbox of its own on this host, and the proof that it leaves nothing.
final class LiveHost: Sendable {
    static let idOffset = 100_000

    let folder: TemporaryFolder
    let configuration: RuncConfiguration
    let sandbox: RuncSandbox
    private let jobs = Atomic<Int>(0)
    private let images: ImageFolders

    /// - Parameters:
    ///   - runc: another runtime in place of the real one.
    ///   - warm: containers kept ready.
    init(runc: String = "/usr/sbin/runc", warm: Int = 0, network: CageNetworkConfiguration = .init(), gpu: ContainerEdits? = nil) throws {
        folder = try TemporaryFolder()
        images = ImageFolders(in: folder.path, ownerID: UInt32(Self.idOffset))
        var configuration = RuncConfiguration(
            runtimePath: runc, cageEntryPath: cageEntryPath, stateFolder: folder.path + "/state", warmPerKindMax: warm, warmTotalMax: 2 * warm)
        configuration.network = network
        configuration.gpu = gpu
        self.configuration = configuration
        sandbox = try RuncSandbox(configuration: configuration)
    }

    /// Runs the body on a new host, shuts down and checks that nothing is left.
    static func with(_ body: (LiveHost) async throws -> Void) async throws {
        let host = try LiveHost()
        do {
            try await body(host)
        } catch {
            await host.sandbox.shutdown()
            throw error
        }
        try host.expectNothingLeft()
        await host.sandbox.shutdown()
        #expect(host.groupFolders("").isEmpty)
    }

    /// An image that holds one program as `/cargo`.
    func image(_ program: String) throws -> String { try images.image(program) }

    func job(
        _ program: String, input: String = "{}", timeout: Duration? = nil, command: [String] = ["/cargo"], environment: [String] = [],
        workingFolder: String = "/", level: TrustLevel = .untrusted
    ) throws -> CagedJob {
        try CagedJob(
            id: ContainerID("job-\(jobs.wrappingAdd(1, ordering: .relaxed).newValue)"), rootFolder: image(program), command: command,
            environment: environment, workingFolder: workingFolder, level: level, timeout: timeout, input: Array(input.utf8))
    }

    /// Runs whatever is to live in a cage, and collects its output.
    func run(_ contents: CageContents) async throws -> (end: JobEnd, output: String) {
        let output = Mutex<[UInt8]>([])
        let end = try await sandbox.run(contents) { bytes in output.withLock { $0 += bytes } }
        return (end, output.withLock { String(decoding: $0, as: UTF8.self) })
    }

    /// Runs a job under the recorder of system calls, and collects its output.
    func record(_ job: CagedJob) async throws -> (end: JobEnd, calls: CallRecord, output: String) {
        let output = Mutex<[UInt8]>([])
        let (end, calls) = try await sandbox.record(job) { bytes in output.withLock { $0 += bytes } }
        return (end, calls, output.withLock { String(decoding: $0, as: UTF8.self) })
    }

    /// Runs a job and collects its output.
    func run(_ job: CagedJob) async throws -> (end: JobEnd, output: String) {
        let output = Mutex<[UInt8]>([])
        let end = try await sandbox.run(job) { bytes in output.withLock { $0 += bytes } }
        return (end, output.withLock { String(decoding: $0, as: UTF8.self) })
    }

    private var traces: RuncTraces { RuncTraces(configuration: configuration, folder: folder.path) }

    /// The folders of a job's control group in every controller; of the parent's for an empty name.
    func groupFolders(_ id: String) -> [String] { traces.groupFolders(id) }

    /// The host's number of the first process of a job.
    func process(of job: CagedJob) throws -> pid_t { try traces.process(of: job) }

    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try traces.expectNone(sourceLocation: sourceLocation)
    }
}

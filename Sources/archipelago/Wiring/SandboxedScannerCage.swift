import Foundation
import Glibc
import Sandbox
import Scanning
import Synchronization

/// Scanners in the project's own sandbox: the port of `Scanning` fulfilled with `Sandbox`.
///
/// A scanner sees the image, its databases, the system's programs and libraries and the folder that its own program lies in, all
/// read-only, and a `/tmp` of its own. Nothing else of the machine is there: no home folder, no configuration, no other submission.
struct SandboxedScannerCage: ScannerCage {
    /// What one scanner may use.
    struct Limits: Hashable {
        /// Chosen: four times what the largest image tried needed.
        var memoryBytes = 1 << 30
        /// Chosen: a program written in Go starts about 40 threads on two cores.
        var processes = 256
        /// Lies in memory and counts against it. Chosen: half of it.
        var temporaryBytes = 512 << 20
        var cpus = 2
        /// Scanners at once, whatever the number of scans. Chosen: Trivy takes up to 260 MB, so that all together stay below 1.1 GB; on two
        /// cores more at once end no sooner.
        var scannersMax = 4
    }

    private let sandbox: RuncSandbox
    private let rootFolder: String
    private let limits: Limits
    private let slots: Slots
    private let copies: ReadableCopies

    /// Where the first of the scanners' 65,536 user numbers lies. Chosen: right behind those of the Cargos, so that no scanner has
    /// the number of a Cargo.
    static let idOffset = 165_536

    private static let image = "/image"
    private static let databases = "/databases"

    /// A cage with its state below `folder`.
    ///
    /// - Throws: when the folder cannot be made or another process uses it.
    init(folder: String, limits: Limits = Limits()) throws {
        var configuration = RuncConfiguration(
            runtimePath: Programs.find("runc"), cageEntryPath: Programs.besideThisOne("archipelago-cage-entry"),
            stateFolder: folder)
        configuration.idOffset = Self.idOffset
        sandbox = try RuncSandbox(configuration: configuration)
        rootFolder = folder + "/scanner-root"
        self.limits = limits
        slots = Slots(limits.scannersMax)
        copies = try ReadableCopies(folder: folder + "/copies")
        try Self.makeRoot(rootFolder)
    }

    /// A cage, or what says why there is none on this machine.
    static func make(folder: String) -> (cage: any ScannerCage, sandboxed: SandboxedScannerCage?) {
        guard geteuid() == 0 else {
            return (
                NoScannerCage(problem: "this program does not run as root.", remedy: "Run it as root: the sandbox makes namespaces and cgroups."), nil
            )
        }
        guard Programs.find("runc") != nil else {
            return (NoScannerCage(problem: "runc is not installed.", remedy: "apt-get install runc"), nil)
        }
        do {
            let cage = try SandboxedScannerCage(folder: folder)
            return (cage, cage)
        } catch {
            return (NoScannerCage(problem: "\(error)", remedy: "Mend what it says, then start again."), nil)
        }
    }

    /// Removes what a crash left behind.
    func removeLeftovers() async { await sandbox.removeLeftovers() }

    /// Ends what runs and leaves nothing behind.
    func shutdown() async { await sandbox.shutdown() }

    func run(_ program: ScannerProgram) async -> ScannerEnd { await slots.with { await runNow(program) } }

    private func runNow(_ program: ScannerProgram) async -> ScannerEnd {
        let output = BoundedOutput(bytesMax: program.outputBytesMax)
        do {
            let end = try await sandbox.run(try await tool(program)) { try output.append($0) }
            let error = String(decoding: end.standardError, as: UTF8.self)
            return switch end.cause {
            case .exited(let code): .exited(code: Int32(code), output: output.bytes, error: error)
            case .timedOut: .timedOut
            case .outOfMemory: .outOfMemory
            case .forbiddenSyscall(let name): .forbiddenCall(name: name)
            case .killed(let signal): .signalled(Int32(signal), error: error)
            }
        } catch is BoundedOutput.Full {
            return .outputTooLarge
        } catch is CancellationError {
            return .cancelled
        } catch let error as SandboxError where error.code == .commandCannotStart {
            return .notStarted("\(error.message) \(error.cause ?? "")")
        } catch let error as SandboxError {
            return .lost("\(error.message) \(error.cause ?? "")")
        } catch let error as ReadableCopies.Refusal {
            return .notStarted(error.description)
        } catch {
            return .lost("\(error)")
        }
    }

    private func tool(_ program: ScannerProgram) async throws -> CagedTool {
        let places = ScannerProgram.Places(image: Self.image, databases: Self.databases, home: "/tmp")
        var environment = program.environment(places)
        environment.merge(["HOME": "/tmp", "TMPDIR": "/tmp", "LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"]) { own, _ in own }
        // The scanners are written in Go, whose collector then keeps below the limit that would kill them.
        environment["GOMEMLIMIT"] = "\(limits.memoryBytes / 5 * 4)"
        let executable = URL(fileURLWithPath: program.executable).resolvingSymlinksInPath().path
        var mounts = Self.systemMounts
        let (started, own) = try await place(of: executable)
        mounts += own
        if let image = program.image { mounts.append(.init(source: image, destination: Self.image)) }
        if let databases = program.databases {
            mounts.append(.init(source: try await copies.readable(databases), destination: Self.databases))
        }
        return CagedTool(
            id: try ContainerID("scan-\(UUID().uuidString.lowercased())"), rootFolder: rootFolder,
            command: [started] + program.arguments(places), environment: environment.map { "\($0.key)=\($0.value)" }, mounts: mounts,
            limits: .init(
                memoryBytes: limits.memoryBytes, cpus: limits.cpus, processes: limits.processes, temporaryBytes: limits.temporaryBytes,
                timeout: program.timeout))
    }

    /// Where the scanner finds its program, and the mount that shows it there.
    ///
    /// The program's folder comes with it, for programs of several files; but not a folder that holds much besides, such as `/tmp` or `/root`.
    private func place(of executable: String) async throws -> (path: String, mounts: [ReadOnlyMount]) {
        let folder = URL(fileURLWithPath: executable).deletingLastPathComponent().path
        if folder.hasPrefix("/usr/") { return (executable, []) }
        // A home folder is nobody's but its owner's.
        let isHome = folder.hasPrefix("/home/") && folder.split(separator: "/").count == 2
        guard folder.split(separator: "/").count > 1, !isHome else {
            let path = "/scanner/" + URL(fileURLWithPath: executable).lastPathComponent
            return (path, [.init(source: executable, destination: path, isExecutable: true)])
        }
        return (executable, [.init(source: try await readable(folder, executable), destination: folder, isExecutable: true)])
    }

    /// The program, and beside it what its owner lets everybody read anyway.
    private func readable(_ folder: String, _ executable: String) async throws -> String {
        let program = URL(fileURLWithPath: executable).lastPathComponent
        return try await copies.readable(folder) { name, mode in name == program || mode & 0o004 != 0 }
    }

    /// The system's programs and libraries, which a scanner that is not one static file needs.
    private static let systemMounts: [ReadOnlyMount] = ["/usr"].map { .init(source: $0, destination: $0, isExecutable: true) }

    /// Folders that are links into `/usr` on systems of today; on others a scanner of several files finds no libraries.
    private static let systemLinks = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

    private static func makeRoot(_ root: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        for name in systemLinks where !files.fileExists(atPath: "\(root)/\(name)") {
            guard let target = try? files.destinationOfSymbolicLink(atPath: "/" + name), target.hasPrefix("usr/") else { continue }
            // A link that leads nowhere counts as missing above; then it is there already.
            try? files.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: target)
        }
        try checkedOwner(root)
    }

    /// The runtime makes mount points in the root as the container's user 0.
    private static func checkedOwner(_ root: String) throws {
        // Safety: the path is a C string for the call only.
        guard chown(root, uid_t(idOffset), gid_t(idOffset)) == 0 else {
            throw CommandFailure(.failed, "The scanners' root folder \(root) cannot be given to their user: errno \(errno).")
        }
    }
}

/// No cage: nothing is scanned.
struct NoScannerCage: ScannerCage {
    let problem: String
    let remedy: String

    func run(_ program: ScannerProgram) async -> ScannerEnd { .noCage(problem: problem, remedy: remedy) }
}

/// What a program prints, up to a bound.
private final class BoundedOutput: Sendable {
    struct Full: Error {}

    private let bytesMax: Int
    private let collected = Mutex<[UInt8]>([])

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var bytes: [UInt8] { collected.withLock { $0 } }

    func append(_ piece: [UInt8]) throws {
        try collected.withLock { collected in
            guard collected.count + piece.count <= bytesMax else { throw Full() }
            collected += piece
        }
    }
}

import Domain
import FoundationEssentials
import Glibc
import Synchronization

/// Finds out what this host can enforce.
struct LevelChecks: Sendable {
    let configuration: RuncConfiguration
    let groups: ControlGroups
    let sandbox: RuncSandbox

    func reports() async -> [LevelReport] {
        let seen: [LevelReport.Obstacle]
        do {
            seen = try await BlockingThread.value { hostObstacles() }
        } catch {
            let obstacle = LevelReport.Obstacle(problem: "The host could not be looked at: \(error).", remedy: "Mend what the error names.")
            return TrustLevel.allCases.map { LevelReport(level: $0, obstacles: [obstacle]) }
        }
        // A job that must fail says less than the reason found already.
        guard seen.isEmpty else { return TrustLevel.allCases.map { LevelReport(level: $0, obstacles: seen) } }
        var tried: [SeccompProfile: [LevelReport.Obstacle]] = [:]
        for profile in [SeccompProfile.minimal, .default] { tried[profile] = await obstacles(of: profile) }
        let missing = networkObstacles()
        tried[.network] = missing.isEmpty ? await obstacles(of: .network) : missing
        // A level with a GPU has the network's limits beside it; a host without one runs it without.
        tried[.gpu] = missing.isEmpty && configuration.gpu != nil ? await obstacles(of: .gpu) : tried[.network]
        return TrustLevel.allCases.map { LevelReport(level: $0, obstacles: tried[$0.limits.seccomp] ?? []) }
    }

    /// Programs that a cage with a network needs and this host does not have.
    private func networkObstacles() -> [LevelReport.Obstacle] {
        guard configuration.runtime.hasHostNetworking else {
            return [
                LevelReport.Obstacle(
                    problem: "A cage with a network is not made with \(configuration.runtime.rawValue).",
                    remedy: "archipelago island run --runtime runc")
            ]
        }
        return CageNetwork.programs.filter { ShortCommand.find($0.0) == nil }.map { program, package in
            LevelReport.Obstacle(problem: "A cage with a network needs \(program), which is missing.", remedy: "apt-get install \(package)")
        }
    }

    // MARK: What can be seen

    private func hostObstacles() -> [LevelReport.Obstacle] {
        var obstacles: [LevelReport.Obstacle] = []
        func need(_ holds: Bool, _ problem: String, _ remedy: String) {
            if !holds { obstacles.append(LevelReport.Obstacle(problem: problem, remedy: remedy)) }
        }
        need(geteuid() == 0, "The Island does not run as root, which limits need.", "sudo archipelago island run")
        need(
            SmallFiles.isExecutable(configuration.cageEntryPath), "The cage entry is missing: \(configuration.cageEntryPath).",
            "swift build --product archipelago-cage-entry")
        need(
            Self.isStatic(configuration.cageEntryPath), "The cage entry is not a static program.",
            "swift build --product archipelago-cage-entry")
        obstacles += runtimeObstacles()
        let missing = groups.missingControllers()
        need(
            missing.isEmpty, "The host has no control group controllers \(missing.joined(separator: ", ")).",
            "mount -t cgroup2 none /sys/fs/cgroup")
        need(
            groups.limitsSwap(), "The host cannot limit swap, so a memory limit would leak into it.",
            "add swapaccount=1 to the kernel's command line")
        need(
            (Int((try? SmallFiles.read("/proc/sys/user/max_user_namespaces"))?.trimmed ?? "") ?? 0) > 0,
            "The host has user namespaces switched off.", "sysctl -w user.max_user_namespaces=15000")
        return obstacles
    }

    private func runtimeObstacles() -> [LevelReport.Obstacle] {
        let (runtime, path) = (configuration.runtime, configuration.runtimePath)
        let text: String
        do {
            text = try RuntimeCommand(configuration: configuration).version()
        } catch {
            return [LevelReport.Obstacle(problem: "The container runtime \(path) does not start.", remedy: "apt-get install \(runtime.rawValue)")]
        }
        let upgrade = "apt-get install --only-upgrade \(runtime.rawValue)"
        guard let version = RuntimeFloor.version(of: runtime, in: text) else {
            return [LevelReport.Obstacle(problem: "\(path) does not say which version of \(runtime.rawValue) it is.", remedy: upgrade)]
        }
        guard runtime.floor.admits(version) || isMendedPackage(runtime) else {
            let wanted = runtime.floor.version.map(String.init).joined(separator: ".")
            return [LevelReport.Obstacle(problem: "\(path) is older than \(wanted) (\(runtime.floor.reason)).", remedy: upgrade)]
        }
        return []
    }

    /// Whether the runtime is Debian's own and its package has the mend that its version number does not show.
    private func isMendedPackage(_ runtime: OCIRuntime) -> Bool {
        guard configuration.runtimePath == runtime.standardPath, let query = ShortCommand.find("dpkg-query"), let dpkg = ShortCommand.find("dpkg"),
            let (status, package) = try? ShortCommand.capture(
                [query, "--show", "--showformat=${Version}", runtime.rawValue], atMost: configuration.commandTimeout), status == 0
        else { return false }
        let compare = [dpkg, "--compare-versions", package, "ge", runtime.floor.package]
        return (try? ShortCommand.capture(compare, atMost: configuration.commandTimeout).status) == 0
    }

    /// Whether a program is an ELF file that asks for no interpreter.
    /// Source: System V ABI, chapter 4 and 5: program headers of type `PT_INTERP` (3) and `PT_DYNAMIC` (2).
    static func isStatic(_ path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_RDONLY), let bytes = (try? file.read(atMost: 4096)) ?? nil else { return false }
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        // The class byte 2 says 64 bits, the data byte 1 little-endian.
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let table = number(0x20, 4), let size = number(0x36, 2),
            let count = number(0x38, 2), count > 0
        else { return false }
        return (0..<count).allSatisfy { index in
            guard let type = number(table + index * size, 4) else { return false }
            return type != 2 && type != 3
        }
    }

    // MARK: What is tried

    /// Runs the cage entry as a Cargo for each limit of a profile.
    private func obstacles(of profile: SeccompProfile) async -> [LevelReport.Obstacle] {
        let number = await sandbox.nextTrial()
        let root = "\(configuration.trialsFolder)/\(number)"
        defer { removeTrialRoot(root) }
        do {
            try await BlockingThread.value { try makeTrialRoot(root) }
        } catch {
            return [LevelReport.Obstacle(problem: "An image for trials cannot be made.", remedy: "Mend what it says: \(error)")]
        }
        var obstacles: [LevelReport.Obstacle] = []
        for (index, trial) in LevelTrial.all(of: profile).enumerated() {
            if let obstacle = await outcome(of: trial, "trial-\(number)-\(index)", root: root) { obstacles.append(obstacle) }
        }
        return obstacles
    }

    private func outcome(of trial: LevelTrial, _ name: String, root: String) async -> LevelReport.Obstacle? {
        let output = TrialOutput()
        do {
            var contents = CageContents(
                id: try ContainerID(name), rootFolder: root, command: ["/cage-entry", "--probe-\(trial.probe)"],
                environment: CageContents.fixedEnvironment, limits: trial.limits, seccomp: trial.profile)
            contents.hasNetwork = [.network, .gpu].contains(trial.profile)
            contents.devices = trial.profile == .gpu ? configuration.gpu : nil
            contents.input = trial.input
            let end = try await sandbox.run(contents) { try output.append($0) }
            return trial.judge(end, output.text).map { LevelReport.Obstacle(problem: $0, remedy: trial.remedy) }
        } catch let error as SandboxError {
            return LevelReport.Obstacle(
                problem: "The trial of the limit \"\(trial.name)\" failed: \(error.message)", remedy: error.cause ?? trial.remedy)
        } catch {
            return LevelReport.Obstacle(problem: "The trial of the limit \"\(trial.name)\" failed: \(error)", remedy: trial.remedy)
        }
    }

    /// An image with the cage entry as its only program.
    private func makeTrialRoot(_ root: String) throws {
        removeTrialRoot(root)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: configuration.cageEntryPath, toPath: root + "/cage-entry")
        // Everybody may write into the trial's root, so that nothing but the read-only mount keeps a probe from it.
        for (path, mode) in [(root, mode_t(0o777)), (root + "/cage-entry", 0o755)] {
            try checked("chmod", path) { chmod(path, mode) == 0 ? 0 : -errno }
            try checked("chown", path) {
                chown(path, uid_t(configuration.idOffset), gid_t(configuration.idOffset)) == 0 ? 0 : -errno
            }
        }
    }

    private func removeTrialRoot(_ root: String) {
        // One that is not there is removed; one that cannot be removed makes the next trial fail, which says so.
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// What a probe says, up to a bound.
private final class TrialOutput: Sendable {
    struct TooMuch: Error {}

    private let bytes = Mutex<[UInt8]>([])

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    func append(_ piece: [UInt8]) throws {
        try bytes.withLock { bytes in
            // Chosen: a probe says a few words.
            guard bytes.count + piece.count <= 1 << 20 else { throw TooMuch() }
            bytes += piece
        }
    }
}

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}

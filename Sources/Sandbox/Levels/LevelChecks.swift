import Domain
import FoundationEssentials
import Glibc

/// Finds out what this host can enforce.
struct LevelChecks: Sendable {
    let configuration: RuncConfiguration
    let groups: ControlGroups
    let sandbox: RuncSandbox

    /// The oldest runtime that holds what a level promises. Chosen: 1.1.0 is the first that mounts files into a container with a
    /// user namespace of its own and that can limit a call by its arguments on a kernel with newer calls.
    static let runtimeVersionMin = [1, 1, 0]

    func reports() async -> [LevelReport] {
        var obstacles: [LevelReport.Obstacle]
        do {
            obstacles = try await BlockingThread.value { hostObstacles() }
        } catch {
            obstacles = [LevelReport.Obstacle(problem: "The host could not be looked at: \(error).", remedy: "Mend what the error names.")]
        }
        // A job that must fail says less than the reason found already.
        if obstacles.isEmpty { obstacles = await trialObstacles() }
        return TrustLevel.allCases.map { level in
            level == .untrusted
                ? LevelReport(level: level, obstacles: obstacles)
                : LevelReport(
                    level: level,
                    obstacles: [
                        LevelReport.Obstacle(
                            problem: "This version enforces level 0 only.", remedy: "None; levels 1 to 3 need a later version.")
                    ])
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
        let text: String
        do {
            text = try RuntimeCommand(configuration: configuration).version()
        } catch {
            return [
                LevelReport.Obstacle(problem: "The container runtime \(configuration.runcPath) does not start.", remedy: "apt-get install runc")
            ]
        }
        guard let version = Self.version(in: text), !version.lexicographicallyPrecedes(Self.runtimeVersionMin) else {
            let wanted = Self.runtimeVersionMin.map(String.init).joined(separator: ".")
            return [
                LevelReport.Obstacle(
                    problem: "The container runtime is older than \(wanted), or says no version.", remedy: "apt-get install --only-upgrade runc")
            ]
        }
        return []
    }

    /// Reads the numbers of `runc version 1.1.5+ds1`. `nil` if the text is another.
    static func version(in text: String) -> [Int]? {
        let words = text.prefix { $0 != "\n" }.split(separator: " ")
        guard words.count >= 3, words[0] == "runc", words[1] == "version" else { return nil }
        let numbers = words[2].prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) }
        guard numbers.count == 3, !numbers.contains(nil) else { return nil }
        return numbers.compactMap { $0 }
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

    /// Runs the cage entry as a Cargo twice: once it must come through, once the filter must kill it.
    private func trialObstacles() async -> [LevelReport.Obstacle] {
        let number = await sandbox.nextTrial()
        let root = "\(configuration.trialsFolder)/\(number)"
        defer { removeTrialRoot(root) }
        do {
            try await BlockingThread.value { try makeTrialRoot(root) }
            guard try await trial(number, "output", root: root) == .exited(code: 0) else {
                return [LevelReport.Obstacle(problem: "A trial job of level 0 did not come through.", remedy: "archipelago island doctor")]
            }
            guard case .forbiddenSyscall = try await trial(number, "forbidden", root: root) else {
                return [
                    LevelReport.Obstacle(
                        problem: "A trial job of level 0 made a forbidden call and was not killed.",
                        remedy: "Boot a kernel with CONFIG_SECCOMP_FILTER.")
                ]
            }
            return []
        } catch let error as SandboxError {
            return [
                LevelReport.Obstacle(problem: "A trial job of level 0 failed: \(error.message)", remedy: error.cause ?? "archipelago island doctor")
            ]
        } catch {
            return [LevelReport.Obstacle(problem: "A trial job of level 0 failed.", remedy: "\(error)")]
        }
    }

    private func trial(_ number: Int, _ wish: String, root: String) async throws -> EndCause {
        let job = try CagedJob(
            id: ContainerID("trial-\(number)-\(wish)"), rootFolder: root, command: ["/cage-entry", "--probe-\(wish)"], level: .untrusted,
            timeout: .seconds(10), input: [])
        return try await sandbox.run(job) { _ in }.cause
    }

    /// An image with the cage entry as its only program.
    private func makeTrialRoot(_ root: String) throws {
        removeTrialRoot(root)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: configuration.cageEntryPath, toPath: root + "/cage-entry")
        for path in [root, root + "/cage-entry"] {
            try checked("chmod", path) { chmod(path, 0o755) == 0 ? 0 : -errno }
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

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}

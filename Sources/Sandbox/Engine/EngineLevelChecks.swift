import Domain
import FoundationEssentials
import Glibc

/// Finds out which levels a container engine enforces on this host: each limit is tried for real, and each value that a level has
/// is read back from the engine and from the kernel.
struct EngineLevelChecks: Sendable {
    let configuration: EngineConfiguration
    let sandbox: EngineSandbox

    /// One limit, tried: what runs, under what, and what must come of it.
    struct Trial: Sendable {
        /// What is tried, for people and for the container's name.
        var name: String
        /// What the cage entry is asked to try.
        var probe: String
        var limits: EngineLimits
        var timeout = Duration.seconds(20)
        /// Says what did not hold; `nil` when all did.
        var judge: @Sendable (JobEnd, _ output: String) -> String?
    }

    func reports() async -> [LevelReport] {
        await sandbox.forgetEngine()
        var obstacles = await hostObstacles()
        var own: [TrustLevel: [LevelReport.Obstacle]] = [:]
        // A job that must fail says less than the reason found already.
        if obstacles.isEmpty {
            do {
                let processors = try await sandbox.engine().machine.NCPU
                let root = try await BlockingThread.value { try makeRoot() }
                obstacles = await obstaclesOf(Self.walls, root: root)
                for level in [TrustLevel.untrusted, .basic] where obstacles.isEmpty {
                    own[level] = await obstaclesOf(Self.trials(of: level, processors: processors), root: root)
                }
                // Levels 1 and 2 have the same limits.
                own[.verified] = own[.basic]
            } catch {
                obstacles.append(Self.obstacle("The trials could not be made.", error))
            }
        }
        return TrustLevel.allCases.map { level in
            LevelReport(level: level, obstacles: level == .official ? [Self.noNetwork] : obstacles + own[level, default: []])
        }
    }

    private static let noNetwork = LevelReport.Obstacle(
        problem: "A container engine cannot keep a Cargo with a network away from the host's own networks.",
        remedy: "None; no engine offers level 3.")

    // MARK: What can be seen

    private func hostObstacles() async -> [LevelReport.Obstacle] {
        var obstacles: [LevelReport.Obstacle] = []
        func need(_ holds: Bool, _ problem: String, _ remedy: String) {
            if !holds { obstacles.append(LevelReport.Obstacle(problem: problem, remedy: remedy)) }
        }
        need(
            SmallFiles.isExecutable(configuration.cageEntryPath) && LevelChecks.isStatic(configuration.cageEntryPath),
            "The cage entry is missing or is not a static program: \(configuration.cageEntryPath).",
            "swift build --product archipelago-cage-entry")
        do {
            let machine = try await sandbox.engine().machine
            need(
                machine.MemoryLimit != false && machine.SwapLimit != false && machine.PidsLimit != false && machine.CpuCfsQuota != false,
                "The container engine's machine cannot limit memory, swap, processes and processor time.",
                "Boot a kernel with CONFIG_MEMCG, CONFIG_CFS_BANDWIDTH and CONFIG_CGROUP_PIDS, and swapaccount=1.")
        } catch {
            obstacles.append(Self.obstacle("No container engine can be used at \(configuration.socketPath).", error))
        }
        return obstacles
    }

    private static func obstacle(_ problem: String, _ error: any Error) -> LevelReport.Obstacle {
        guard let error = error as? SandboxError else { return LevelReport.Obstacle(problem: problem, remedy: "Mend what the error names: \(error)") }
        return LevelReport.Obstacle(
            problem: "\(problem) \(error.message)", remedy: "Mend what the engine says: \(error.cause ?? error.code.rawValue)")
    }

    // MARK: What is tried

    /// Small limits, reached at once. Chosen: far less than any level has, and enough for the probe.
    private static let small = EngineLimits(
        memoryBytes: 32 << 20, nanoCPUs: 500_000_000, processes: 16, temporaryBytes: 1 << 20, sharedMemoryBytes: 65536, descriptors: 64,
        seccomp: .default)

    /// What holds for every level or for none.
    private static let walls: [Trial] = [
        Trial(name: "memory", probe: "memory", limits: small) { end, _ in
            end.cause == .outOfMemory ? nil : "A trial job took more memory than it may have (\(end.cause))."
        },
        Trial(name: "time", probe: "time", limits: small, timeout: .milliseconds(200)) { end, _ in
            end.cause == .timedOut ? nil : "A trial job went on after its time was up (\(end.cause))."
        },
        Trial(name: "processors", probe: "processors", limits: small, timeout: .milliseconds(800)) { end, _ in
            // Half a core, give or take a period of 100 ms; less than a tenth was not counted at all.
            let share = end.cpuTime / max(end.wallTime, .milliseconds(1))
            return (0.05...0.75).contains(share) ? nil : "A trial job had \(share) cores in place of 0.5, or it could not be counted."
        },
        Trial(name: "processes", probe: "processes", limits: small) { _, output in
            let count = output.split(separator: "\n").count
            return (1..<small.processes).contains(count) ? nil : "A trial job had \(count) processes in place of \(small.processes)."
        },
        Trial(name: "walls", probe: "cage", limits: small) { end, output in
            guard end.cause == .exited(code: 0) else { return "A trial job that tried its walls did not come through (\(end.cause))." }
            let words = output.split(separator: "\n").joined(separator: ", ")
            return words.isEmpty ? nil : "A trial job could do what it must not: \(words)."
        },
        Trial(name: "calls", probe: "killed", limits: small) { end, _ in
            if case .forbiddenSyscall = end.cause { return nil }
            return "A trial job made a forbidden system call and was not killed (\(end.cause))."
        },
    ]

    /// The limits of a level as they are.
    private static func trials(of level: TrustLevel, processors: Int) -> [Trial] {
        let limits = EngineLimits(level.limits, processors: processors)
        let output = Trial(name: "output-\(level.rawValue)", probe: "output", limits: limits) { end, output in
            end.cause == .exited(code: 0) && output == "{\"type\":\"done\"}\n" ? nil : "A trial job did not come through (\(end.cause))."
        }
        guard limits.seccomp == .minimal else { return [output] }
        return [
            output,
            Trial(name: "forbidden-\(level.rawValue)", probe: "forbidden", limits: limits) { end, _ in
                if case .forbiddenSyscall = end.cause { return nil }
                return "A trial job made a forbidden system call and was not killed (\(end.cause))."
            },
        ]
    }

    private func obstaclesOf(_ trials: [Trial], root: String) async -> [LevelReport.Obstacle] {
        var obstacles: [LevelReport.Obstacle] = []
        for trial in trials {
            do {
                if let problem = try await run(trial, root: root) {
                    obstacles.append(
                        LevelReport.Obstacle(problem: problem, remedy: "Use an engine and a kernel that enforce it, or the runc sandbox."))
                }
            } catch {
                obstacles.append(Self.obstacle("The trial of \(trial.name) failed.", error))
            }
        }
        return obstacles
    }

    private func run(_ trial: Trial, root: String) async throws -> String? {
        let number = await sandbox.nextTrial()
        let contents = EngineCage.Contents(
            id: try ContainerID("trial-\(number)-\(trial.name)"), command: [ContainerRequest.entryPath, "--probe-\(trial.probe)"],
            environment: [], workingFolder: "/", limits: trial.limits, timeout: trial.timeout, input: [])
        let output = TrialOutput()
        let end = try await sandbox.run(contents, root: root) { await output.add($0) }
        return trial.judge(end, await output.text)
    }

    /// An image with nothing but what every image gets.
    private func makeRoot() throws -> String {
        let root = configuration.stateFolder + "/trial"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        return root
    }
}

/// What a trial wrote, at most 64 KiB.
private actor TrialOutput {
    private var bytes: [UInt8] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
    func add(_ piece: [UInt8]) { bytes += piece.prefix(65536 - bytes.count) }
}

import Domain

/// One limit, tried for real: what runs, under what, and what must come of it.
///
/// Each runs in the cage that jobs run in, made of the same parts, with limits small enough to be reached at once.
struct LevelTrial: Sendable {
    /// What is tried, for people: `memory`.
    let name: String
    /// The profile under which it is tried.
    let profile: SeccompProfile
    /// What the cage entry is asked to try.
    let probe: String
    let limits: CagedTool.Limits
    /// What the probe reads.
    var input: [UInt8] = []
    /// Says what did not hold; `nil` when all did.
    let judge: @Sendable (JobEnd, _ output: String) -> String?
    /// What mends it.
    let remedy: String

    /// Chosen: far less than any level has, and enough for the probe.
    private static func limits(
        memory: Int = 32 << 20, cpus: Int = 1, processes: Int = 16, timeout: Duration = .seconds(10)
    ) -> CagedTool.Limits {
        CagedTool.Limits(memoryBytes: memory, cpus: cpus, processes: processes, temporaryBytes: 1 << 20, descriptors: 64, timeout: timeout)
    }

    private static let kernel = "Boot a kernel with CONFIG_SECCOMP_FILTER, CONFIG_MEMCG, CONFIG_CFS_BANDWIDTH and CONFIG_CGROUP_PIDS."
    private static let runtime = "Install the real runc: apt-get install --reinstall runc"

    /// The trials of a profile, the quick ones first.
    static func all(of profile: SeccompProfile) -> [LevelTrial] {
        let common = [output(profile), memory(profile), time(profile)]
        switch profile {
        case .minimal: return common + [forbidden(profile)]
        case .default: return common + [killed(profile), cage(profile), processes(profile), processors(profile)]
        case .network, .gpu: return common + [killed(profile), cage(profile), egress(profile), processes(profile), processors(profile)]
        }
    }

    private static func output(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "start", profile: profile, probe: "output", limits: limits(),
            judge: { end, output in
                end.cause == .exited(code: 0) && output == "{\"type\":\"done\"}\n" ? nil : "A trial job did not come through (\(end.cause))."
            }, remedy: runtime)
    }

    private static func memory(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "memory", profile: profile, probe: "memory", limits: limits(memory: 16 << 20, timeout: .seconds(5)),
            judge: { end, _ in end.cause == .outOfMemory ? nil : "A job took more memory than it may have (\(end.cause))." }, remedy: runtime)
    }

    private static func time(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "time", profile: profile, probe: "time", limits: limits(timeout: .milliseconds(100)),
            judge: { end, _ in end.cause == .timedOut ? nil : "A job went on after its time was up (\(end.cause))." }, remedy: runtime)
    }

    /// A call that is in neither list of ``MinimalCalls``.
    private static func forbidden(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "system calls", profile: profile, probe: "forbidden", limits: limits(),
            judge: { end, _ in
                if case .forbiddenSyscall = end.cause { return nil }
                return "A job made a forbidden system call and was not killed (\(end.cause))."
            }, remedy: kernel)
    }

    /// `ptrace`, which ``DefaultCalls`` kills.
    private static func killed(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "system calls", profile: profile, probe: "killed", limits: limits(),
            judge: { end, _ in
                if case .forbiddenSyscall = end.cause { return nil }
                return "A job made a forbidden system call and was not killed (\(end.cause))."
            }, remedy: kernel)
    }

    /// Tries to reach one address of each network that must be out of reach, the host's own first.
    private static func egress(_ profile: SeccompProfile) -> LevelTrial {
        let special = EgressRules.special.map { String($0.range.prefix { $0 != "/" }) }
        // The host that cannot name its own addresses fails the trial that follows.
        let own = ((try? AddressRange.ofHost()) ?? []).map(\.description)
        let addresses = (own + special).compactMap { text in
            let bytes = text.split(separator: ".").compactMap { UInt8($0) }
            return bytes.count == 4 && bytes[0] != 127 ? bytes : nil
        }
        return LevelTrial(
            name: "egress", profile: profile, probe: "egress", limits: limits(), input: addresses.flatMap { $0 },
            judge: { end, output in
                guard end.cause == .exited(code: 0) else { return "A job that looks at its network did not come through (\(end.cause))." }
                return output.isEmpty ? nil : "A job could send to \(output.split(separator: "\n").joined(separator: ", "))."
            }, remedy: "apt-get install --reinstall iptables passt")
    }

    private static func cage(_ profile: SeccompProfile) -> LevelTrial {
        LevelTrial(
            name: "walls", profile: profile, probe: profile == .default ? "cage" : "cage-network", limits: limits(),
            judge: { end, output in
                guard end.cause == .exited(code: 0) else { return "A job that looks at its cage did not come through (\(end.cause))." }
                let words = output.split(separator: "\n")
                return words.isEmpty ? nil : "In the cage was possible what must not be: \(words.joined(separator: ", "))."
            }, remedy: runtime)
    }

    private static func processes(_ profile: SeccompProfile) -> LevelTrial {
        let most = 16
        return LevelTrial(
            name: "processes", profile: profile, probe: "processes", limits: limits(processes: most),
            judge: { end, output in
                let made = output.split(separator: "\n").count
                return end.cause == .exited(code: 0) && made < most ? nil : "A job made \(made) processes where \(most) are allowed."
            }, remedy: runtime)
    }

    /// Four busy processes under a quota of a tenth of a core: more than that is theirs on every host but for the quota.
    private static func processors(_ profile: SeccompProfile) -> LevelTrial {
        var few = limits(timeout: .milliseconds(400))
        few.quotaMicroseconds = RuntimeSpecification.periodMicroseconds / 10
        return LevelTrial(
            name: "CPU", profile: profile, probe: "processors", limits: few,
            judge: { end, _ in
                // Chosen: twice the quota, and two periods that are cut at both ends.
                let most = end.wallTime * 0.2 + .milliseconds(20)
                return end.cause == .timedOut && end.cpuTime < most ? nil : "A job used \(end.cpuTime) of processor time in \(end.wallTime)."
            }, remedy: runtime)
    }
}

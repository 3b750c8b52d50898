import Glibc
import SandboxKernel

/// The control group file systems of a host, of version 1 (also beside an empty version 2) or 2.
struct ControlGroups: Sendable, Hashable {
    /// What one container used, from the kernel's counters.
    struct Usage: Sendable, Hashable {
        var cpuTime: Duration
        var peakMemoryBytes: Int
        /// Processes that the kernel killed for memory.
        var memoryKills: Int
    }

    /// Mount points of the controllers of version 1 by name; empty on a host with version 2 alone.
    let controllers: [String: String]
    /// Every control group mount, where a container may leave a group.
    let mountPoints: [String]
    /// Mount point of version 2, if there is one.
    let unified: String?

    var isVersion1: Bool { controllers["memory"] != nil }

    static func ofHost() throws -> ControlGroups { ControlGroups(mountInformation: try SmallFiles.read("/proc/self/mountinfo")) }

    /// - Parameter mountInformation: text of /proc/self/mountinfo. Source: Linux, Documentation/filesystems/proc.rst, 3.5.
    init(mountInformation: String) {
        var controllers: [String: String] = [:]
        var mountPoints: [String] = []
        var unified: String?
        for line in mountInformation.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash > 4 else { continue }
            let mountPoint = String(fields[4])
            switch fields[dash + 1] {
            case "cgroup":
                for option in fields[dash + 3].split(separator: ",") where option != "rw" && option != "ro" {
                    controllers[String(option), default: mountPoint] = mountPoint
                }
                mountPoints.append(mountPoint)
            case "cgroup2":
                unified = unified ?? mountPoint
                mountPoints.append(mountPoint)
            default: continue
            }
        }
        self.controllers = controllers
        self.mountPoints = mountPoints
        self.unified = unified
    }

    /// The controllers that a level's limits need and that this host does not offer.
    func missingControllers() -> [String] {
        let needed = ["memory", "cpu", "pids"]
        if isVersion1 { return (needed + ["cpuacct", "devices"]).filter { controllers[$0] == nil } }
        // The list is missing where version 2 is: then nothing is offered.
        guard let unified, let offered = try? SmallFiles.read(unified + "/cgroup.controllers") else { return needed }
        let names = Set(offered.split(whereSeparator: \.isWhitespace).map(String.init))
        return needed.filter { !names.contains($0) }
    }

    /// Whether swap can be limited; without it a memory limit leaks into swap.
    func limitsSwap() -> Bool {
        if isVersion1 { return access((controllers["memory"] ?? "") + "/memory.memsw.limit_in_bytes", F_OK) == 0 }
        // Version 2 has no such file in its root group; the kernel lists swap areas, and none need no limit.
        return true
    }

    /// Starts the count of memory anew, so that what made the container is left out. Only version 1 can.
    func forgetPeak(of group: String) {
        guard let memory = controllers["memory"] else { return }
        // A count that goes on shows a peak that is too high by the runtime's share: harmless.
        try? SmallFiles.write(Array("0".utf8), to: "\(memory)\(group)/memory.max_usage_in_bytes", create: false)
    }

    /// - Parameter group: path below the mount points, such as `/archipelago/job-1`.
    func usage(of group: String) throws -> Usage {
        do {
            return isVersion1 ? try usageVersion1(group) : try usageVersion2(group)
        } catch let error as SandboxError {
            throw SandboxError(.controlGroups, "The job's use of memory and time cannot be read.", cause: error.cause)
        }
    }

    private func usageVersion1(_ group: String) throws -> Usage {
        let memory = (controllers["memory"] ?? "") + group
        let accounting = (controllers["cpuacct"] ?? "") + group
        return Usage(
            cpuTime: .nanoseconds(try Self.number(in: "\(accounting)/cpuacct.usage")),
            peakMemoryBytes: try Self.number(in: "\(memory)/memory.max_usage_in_bytes"),
            memoryKills: try Self.number(of: "oom_kill", in: "\(memory)/memory.oom_control"))
    }

    private func usageVersion2(_ group: String) throws -> Usage {
        let folder = (unified ?? "") + group
        return Usage(
            cpuTime: .microseconds(try Self.number(of: "usage_usec", in: "\(folder)/cpu.stat")),
            peakMemoryBytes: try Self.number(in: "\(folder)/memory.peak"),
            memoryKills: try Self.number(of: "oom_kill", in: "\(folder)/memory.events"))
    }

    /// The processes of a group, in one of its controllers.
    func processes(of group: String) throws -> [pid_t] {
        let folder = (controllers["memory"] ?? unified ?? "") + group
        guard access(folder, F_OK) == 0 else { return [] }
        return try SmallFiles.read("\(folder)/cgroup.procs").split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Kills what is left in a group and removes it from every controller. A group that is not there is removed already.
    ///
    /// - Returns: whether nothing of it is left.
    func remove(_ group: String) -> Bool {
        var isGone = true
        for mountPoint in mountPoints {
            let folder = mountPoint + group
            guard access(folder, F_OK) == 0 else { continue }
            // Chosen: 200 tries 5 ms apart; a killed process leaves its group within microseconds unless the host is stuck.
            for attempt in 0..<200 where access(folder, F_OK) == 0 {
                // A list that cannot be read is of a group that has just gone.
                for process in ((try? SmallFiles.read("\(folder)/cgroup.procs")) ?? "").split(separator: "\n") {
                    if let id = pid_t(process), id > 1 { _ = kernel_kill(id, SIGKILL) }
                }
                if rmdir(folder) == 0 || errno == ENOENT { break }
                if attempt > 0 { usleep(5000) }
            }
            isGone = isGone && access(folder, F_OK) != 0
        }
        return isGone
    }

    /// Removes a group from every controller where nothing is below it.
    func removeIfEmpty(_ group: String) {
        for mountPoint in mountPoints {
            // Chosen: 20 tries 5 ms apart; the kernel says "busy" for a moment after a group below was removed.
            for _ in 0..<20 where rmdir(mountPoint + group) != 0 && errno == EBUSY { usleep(5000) }
        }
    }

    private static func number(in path: String) throws -> Int {
        guard let number = Int(try SmallFiles.read(path).filter { !$0.isWhitespace }) else {
            throw SandboxError(.controlGroups, "A counter is no number.", cause: path)
        }
        return number
    }

    /// Reads the number behind a name in a file of lines `name number`.
    private static func number(of name: String, in path: String) throws -> Int {
        for line in try SmallFiles.read(path).split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name, let number = Int(parts[1]) { return number }
        }
        throw SandboxError(.controlGroups, "A counter is missing.", cause: "\(path) \(name)")
    }
}

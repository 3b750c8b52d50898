import Glibc
import SandboxKernel

/// A running container of an engine on this host, seen through the kernel: what an engine promises is one thing, what the kernel
/// holds is another.
struct LocalContainer: Sendable {
    /// The host's number of the first process.
    let process: pid_t
    let groups: ControlGroups
    /// Path of its control group below the mount points.
    let group: String

    /// Finds the container here, or `nil` if it is not on this host: an engine in a virtual machine tells numbers of another
    /// kernel. The proof is that the process's own control group bears the container's id, which nobody can guess.
    init?(_ id: String, process: Int, groups: ControlGroups) {
        // A process that is not here is an answer.
        guard process > 1, let number = pid_t(exactly: process), let text = try? SmallFiles.read("/proc/\(process)/cgroup"),
            let group = Self.group(in: text, id: id, isVersion1: groups.isVersion1)
        else { return nil }
        self.process = number
        self.groups = groups
        self.group = group
    }

    /// Returns the group of a process if it bears the id.
    ///
    /// - Parameter text: lines `NUMBER:CONTROLLERS:PATH`, no controllers for version 2. Source: cgroups(7), `/proc/pid/cgroup`.
    static func group(in text: String, id: String, isVersion1: Bool) -> String? {
        var paths: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(fields[2])
            }
        }
        // The counters are read under one path: the controllers must agree on it.
        let wanted = isVersion1 ? ["memory", "cpuacct", "cpu", "pids"] : [""]
        guard let path = paths[wanted[0]], path.contains(id), wanted.allSatisfy({ paths[$0] == path }) else { return nil }
        return path
    }

    /// Every limit that the kernel does not hold, in words.
    func problems(against wanted: ContainerRequest) -> [String] {
        let limits = wanted.HostConfig
        let file = groups.isVersion1 ? version1File : version2File
        var problems: [String] = []
        func need(_ name: String, _ holds: Bool) {
            if !holds { problems.append("kernel: \(name)") }
        }
        if groups.isVersion1 {
            need("memory", Int(file("memory", "memory.limit_in_bytes")) == limits.Memory)
            need("swap", Int(file("memory", "memory.memsw.limit_in_bytes")) == limits.MemorySwap)
            let (quota, period) = (Int(file("cpu", "cpu.cfs_quota_us")), Int(file("cpu", "cpu.cfs_period_us")))
            need("cpus", Self.isShare(quota, of: period, limits.NanoCpus))
        } else {
            need("memory", Int(file("memory", "memory.max")) == limits.Memory)
            // Without swap areas the kernel may lack the file, and there is nothing to limit.
            need("swap", ["0", ""].contains(file("memory", "memory.swap.max")))
            let parts = file("cpu", "cpu.max").split(separator: " ").map { Int($0) }
            need("cpus", parts.count == 2 && Self.isShare(parts[0], of: parts[1], limits.NanoCpus))
        }
        need("pids", Int(file("pids", "pids.max")) == limits.PidsLimit)
        return problems + processProblems() + mountProblems(limits)
    }

    /// What the container sees of file systems. Only root may look.
    private func mountProblems(_ limits: ContainerRequest.Host) -> [String] {
        guard geteuid() == 0 else { return [] }
        // A process that is gone has no mounts, and every check fails.
        let text = (try? SmallFiles.read("/proc/\(process)/mountinfo")) ?? ""
        var options: [Substring: Set<Substring>] = [:]
        for line in text.split(separator: "\n") {
            // Source: Linux, Documentation/filesystems/proc.rst, 3.5: field 5 the place, 6 the mount's options, last the file system's.
            let fields = line.split(separator: " ")
            guard fields.count > 9, let last = fields.last else { continue }
            options[fields[4]] = Set((fields[5].split(separator: ",") + last.split(separator: ",")))
        }
        var problems: [String] = []
        func need(_ name: String, _ place: Substring, _ wanted: Set<Substring>) {
            if options[place]?.isSuperset(of: wanted) != true { problems.append("kernel: \(name)") }
        }
        need("read-only root", "/", ["ro"])
        let size = limits.Tmpfs["/tmp"]?.split(separator: ",").first { $0.hasPrefix("size=") }?.dropFirst(5)
        need("/tmp", "/tmp", ["noexec", "nosuid", "nodev", "size=\((Int(size ?? "") ?? 0) >> 10)k"])
        need("/dev/shm", "/dev/shm", ["noexec", "nosuid", "nodev", "size=\(limits.ShmSize >> 10)k"])
        need("/proc/sys", "/proc/sys", ["ro"])
        return problems
    }

    /// What the first process may do, which the Cargo inherits.
    private func processProblems() -> [String] {
        // A process that is gone has none of the lines.
        let text = (try? SmallFiles.read("/proc/\(process)/status")) ?? ""
        var fields: [Substring: [Substring]] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(whereSeparator: \.isWhitespace)
            if let name = parts.first { fields[name] = Array(parts.dropFirst()) }
        }
        var problems: [String] = []
        if fields["NoNewPrivs:"] != ["1"] { problems.append("kernel: no new privileges") }
        if fields["Seccomp:"] != ["2"] { problems.append("kernel: seccomp") }
        let users = (fields["Uid:"] ?? []) + (fields["Gid:"] ?? [])
        if users.count != 8 || users.contains("0") { problems.append("kernel: user") }
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] where Int(fields[Substring(set)]?.first ?? "1", radix: 16) != 0 {
            problems.append("kernel: capabilities")
        }
        // Only root may look which namespaces a stranger's process is in.
        for name in ["pid", "net", "ipc", "uts", "mnt"] where geteuid() == 0 && !isApart(name) {
            problems.append("kernel: \(name) namespace")
        }
        return problems
    }

    /// Whether the container has a namespace of its own; one that cannot be looked at is none.
    func isApart(_ namespace: String) -> Bool {
        guard let theirs = Self.namespace(namespace, "\(process)"), let ours = Self.namespace(namespace, "self") else { return false }
        return theirs != ours
    }

    /// The kernel's counters. Only while the container is there.
    func usage() throws -> ControlGroups.Usage { try groups.usage(of: group) }

    /// Sends SIGKILL to every process of the container, without the engine.
    func kill() {
        for id in processes() {
            // Safety: the group bears the container's id, so every process in it is the container's.
            _ = kernel_kill(id, SIGKILL)
        }
    }

    /// Does the same until none is left, or the time is up.
    func kill(atMost time: Duration) {
        let deadline = ContinuousClock.now + time
        while !processes().isEmpty, ContinuousClock.now < deadline {
            kill()
            EngineCage.pause()
        }
    }

    /// The host's numbers of all processes in the container's groups.
    private func processes() -> Set<pid_t> {
        var ids: Set<pid_t> = []
        for mountPoint in groups.mountPoints {
            // A list that cannot be read is of a group that is gone.
            for line in ((try? SmallFiles.read("\(mountPoint)\(group)/cgroup.procs")) ?? "").split(separator: "\n") {
                if let id = pid_t(line), id > 1 { ids.insert(id) }
            }
        }
        return ids
    }

    private func version1File(_ controller: String, _ name: String) -> String {
        read("\(groups.controllers[controller] ?? "")\(group)/\(name)")
    }

    private func version2File(_ controller: String, _ name: String) -> String { read("\(groups.unified ?? "")\(group)/\(name)") }

    /// A file that cannot be read is an empty one, which holds no limit.
    private func read(_ path: String) -> String { String(((try? SmallFiles.read(path)) ?? "").split(separator: "\n").first ?? "") }

    private static func isShare(_ quota: Int?, of period: Int?, _ nanoCPUs: Int) -> Bool {
        guard let quota, let period, quota > 0, period > 0 else { return false }
        return quota * 1_000_000_000 / period == nanoCPUs
    }

    private static func namespace(_ name: String, _ process: String) -> [CChar]? {
        var buffer = [CChar](repeating: 0, count: 64)
        // Safety: the buffer holds the count that is told.
        let count = readlink("/proc/\(process)/ns/\(name)", &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}

/// A program that makes a container from a description and starts it, as the OCI Runtime Specification says.
public enum OCIRuntime: String, Sendable, Hashable, CaseIterable {
    /// The reference implementation.
    case runc
    /// A smaller one in C: less memory and time for each container.
    case crun
    /// gVisor: a kernel of its own in user space, in Go, stands between the Cargo and the host's.
    case runsc

    /// Where Debian has it.
    public var standardPath: String {
        switch self {
        case .runc: "/usr/sbin/runc"
        case .crun: "/usr/bin/crun"
        case .runsc: "/usr/bin/runsc"
        }
    }

    /// What stands before every command.
    var arguments: [String] {
        switch self {
        case .runc: []
        case .crun: ["--cgroup-manager=cgroupfs"]
        // Without the last one it leaves out the description's filter.
        case .runsc: ["--network=none", "--oci-seccomp"]
        }
    }

    /// Whether it gives the container a network namespace of the host's kernel, to which a way out can be built.
    var hasHostNetworking: Bool { self != .runsc }

    /// Whether the cage entry stays as the container's first process, as under an engine, since all that the runtime hands to a container
    /// are its three streams, and all that it tells of its end is one number.
    var keepsEntry: Bool { self == .runsc }

    /// What a call does that ``DefaultCalls`` kills for, in the words of the runtime specification. gVisor knows no other way than to end the
    /// thread that made it.
    var killAction: String { self == .runsc ? "SCMP_ACT_KILL" : "SCMP_ACT_KILL_PROCESS" }

    /// Whether a refused call gets the error that the description names. gVisor answers EPERM whatever that says, which C libraries take for an
    /// answer where they would try another way after ENOSYS; the filter inside says it then.
    var namesErrors: Bool { self != .runsc }

    /// Whether a container's first process has children on the host that outlive it for a moment. The processes of gVisor have the name `exe`, since
    /// it starts itself by `/proc/self/exe`.
    var leavesOrphans: Bool { self == .runsc }

    /// Whether processes are counted by a control group. The host sees those of gVisor, not the Cargo's; gVisor itself counts by the resource
    /// limit of a user, who is alone in there.
    var countsProcessesByGroup: Bool { self != .runsc }

    /// Whether reading the container's fifo lets it start, as `runc start` itself does.
    var startsByFifo: Bool { self == .runc }

    /// Whether it refuses a host that has control groups of both versions, though it uses those of version 1.
    var refusesMixedGroups: Bool { self == .crun }

    /// The oldest version that is used.
    var floor: RuntimeFloor {
        switch self {
        case .runc:
            RuntimeFloor(
                version: [1, 1, 12], package: "1.1.5+ds1-1+deb12u1", reason: "CVE-2024-21626: a container could get hold of the host's folders")
        case .crun: RuntimeFloor(version: [1, 4, 4], package: "1.4.4-1", reason: "CVE-2022-27650: processes got capabilities that nobody gave them")
        case .runsc:
            RuntimeFloor(
                version: [20_180_823, 0, 0], package: "0.0~20180823.0-1", reason: "CVE-2018-16359: a container could rename the host's files")
        }
    }
}

/// The oldest version of a runtime without a hole by which a Cargo comes out.
///
/// It is security that sets it, not what this program needs: that is tried.
struct RuntimeFloor: Sendable, Hashable {
    /// The version of the makers' own releases.
    let version: [Int]
    /// The version of Debian's package that has the same mend, since Debian keeps the old number.
    let package: String
    /// The hole that it mends.
    let reason: String

    /// Reads the numbers of `runc version 1.1.5+ds1` or `crun version 1.8.1`, or the day of `runsc version release-20240401.0` (Debian:
    /// `0.0~20221219.0`); `nil` if the text is another.
    static func version(of runtime: OCIRuntime, in text: String) -> [Int]? {
        let words = text.prefix { $0 != "\n" }.split(separator: " ")
        guard words.count >= 3, words[0] == runtime.rawValue, words[1] == "version" else { return nil }
        if runtime == .runsc {
            let days = words[2].split { !$0.isNumber }.filter { $0.count == 8 }.compactMap { Int($0) }
            return days.count == 1 ? days + [0, 0] : nil
        }
        let numbers = words[2].prefix { $0.isNumber || $0 == "." }.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
        let found = numbers.compactMap { $0 }
        return found + Array(repeating: 0, count: 3 - found.count)
    }

    /// Whether a version is not below.
    func admits(_ found: [Int]) -> Bool { !found.lexicographicallyPrecedes(version) }
}

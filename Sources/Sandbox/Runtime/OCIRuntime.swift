/// A program that makes a container from a description and starts it, as the OCI Runtime Specification says.
public enum OCIRuntime: String, Sendable, Hashable, CaseIterable {
    /// The reference implementation.
    case runc
    /// A smaller one in C: less memory and time for each container.
    case crun

    /// Where Debian has it.
    public var standardPath: String {
        switch self {
        case .runc: "/usr/sbin/runc"
        case .crun: "/usr/bin/crun"
        }
    }

    /// What stands before every command.
    var arguments: [String] {
        switch self {
        case .runc: []
        case .crun: ["--cgroup-manager=cgroupfs"]
        }
    }

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

    /// Reads the numbers of `runc version 1.1.5+ds1` or `crun version 1.8.1`; `nil` if the text is another.
    static func version(of runtime: OCIRuntime, in text: String) -> [Int]? {
        let words = text.prefix { $0 != "\n" }.split(separator: " ")
        guard words.count >= 3, words[0] == runtime.rawValue, words[1] == "version" else { return nil }
        let numbers = words[2].prefix { $0.isNumber || $0 == "." }.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
        let found = numbers.compactMap { $0 }
        return found + Array(repeating: 0, count: 3 - found.count)
    }

    /// Whether a version is not below.
    func admits(_ found: [Int]) -> Bool { !found.lexicographicallyPrecedes(version) }
}

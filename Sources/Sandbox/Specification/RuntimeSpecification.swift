/// The container's description that runc reads from `config.json`.
///
/// Source: Open Container Initiative runtime specification 1.0.2; the properties carry its names and units.
struct RuntimeSpecification: Encodable, Sendable, Hashable {
    var ociVersion = "1.0.2"
    var process: Process
    var root: Root
    var hostname: String
    var mounts: [Mount]
    var linux: Linux
    /// By the moment at which they run.
    var hooks: [String: [Hook]]?

    struct Hook: Encodable, Sendable, Hashable {
        var path: String
        var args: [String]?
        var env: [String]?
    }

    struct Process: Encodable, Sendable, Hashable {
        var terminal = false
        var user: User
        var args: [String]
        var env: [String]
        var cwd: String
        var capabilities = Capabilities()
        var rlimits: [ResourceLimit]
        var noNewPrivileges = true
        var oomScoreAdj: Int
    }

    struct User: Encodable, Sendable, Hashable {
        var uid: Int
        var gid: Int
    }

    /// All empty: the Cargo has no capability, not even in its own user namespace.
    struct Capabilities: Encodable, Sendable, Hashable {
        var bounding: [String] = []
        var effective: [String] = []
        var inheritable: [String] = []
        var permitted: [String] = []
        var ambient: [String] = []
    }

    struct ResourceLimit: Encodable, Sendable, Hashable {
        var type: String
        var hard: Int
        var soft: Int

        init(_ type: String, _ value: Int) {
            self.type = type
            hard = value
            soft = value
        }
    }

    struct Root: Encodable, Sendable, Hashable {
        var path: String
        var readonly = true
    }

    struct Mount: Encodable, Sendable, Hashable {
        var destination: String
        var type: String
        var source: String
        var options: [String]
    }

    struct Linux: Encodable, Sendable, Hashable {
        var namespaces: [Namespace]
        var uidMappings: [Mapping]
        var gidMappings: [Mapping]
        var maskedPaths: [String]
        var readonlyPaths: [String]
        var cgroupsPath: String
        var resources: Resources
        var seccomp: Seccomp?
    }

    struct Namespace: Encodable, Sendable, Hashable {
        var type: String
    }

    struct Mapping: Encodable, Sendable, Hashable {
        var containerID: Int
        var hostID: Int
        var size: Int
    }

    struct Resources: Encodable, Sendable, Hashable {
        var devices: [Device]
        var memory: Memory
        var cpu: Processor
        /// `nil` where the runtime counts otherwise.
        var pids: Processes?
    }

    struct Device: Encodable, Sendable, Hashable {
        var allow: Bool
        var access: String
        var type: String?
        var major: Int?
        var minor: Int?
    }

    /// In bytes. `swap` is memory and swap together, so equal values mean no swap.
    struct Memory: Encodable, Sendable, Hashable {
        var limit: Int
        var swap: Int
    }

    /// In microseconds of processor time a period.
    struct Processor: Encodable, Sendable, Hashable {
        var period: Int
        var quota: Int
    }

    struct Processes: Encodable, Sendable, Hashable {
        var limit: Int
    }

    struct Seccomp: Encodable, Sendable, Hashable {
        var defaultAction: String
        var defaultErrnoRet: Int?
        var architectures: [String]
        var syscalls: [Rule]

        struct Rule: Encodable, Sendable, Hashable {
            var names: [String]
            var action: String
            var errnoRet: Int?
            var args: [Argument]?
        }

        struct Argument: Encodable, Sendable, Hashable {
            var index: Int
            var value: UInt64
            var valueTwo: UInt64?
            var op: String
        }
    }
}

import Glibc

/// A file that says what a container needs for devices of one kind.
///
/// Source: the Container Device Interface (CDI) specification 0.8, SPEC.md; the properties carry its names. What is not named here is not used.
public struct DeviceDescription: Sendable, Hashable, Decodable {
    /// Such as `nvidia.com/gpu`.
    public let kind: String
    /// Each by its name, `0` or `all`.
    public let devices: [Device]
    /// What every one of them needs.
    public let containerEdits: ContainerEdits?

    /// One device.
    public struct Device: Sendable, Hashable, Decodable {
        /// Its name within the kind.
        public let name: String
        /// What it needs.
        public let containerEdits: ContainerEdits
    }

    /// What a container needs for one device of this description; `nil` if there is none of the name.
    public func edits(for name: String) -> ContainerEdits? {
        guard let device = devices.first(where: { $0.name == name }) else { return nil }
        return (containerEdits ?? ContainerEdits()) + device.containerEdits
    }
}

/// What is added to a container for a device. Source: as ``DeviceDescription``.
public struct ContainerEdits: Sendable, Hashable, Decodable {
    /// Variables, each `NAME=VALUE`.
    public var env: [String]?
    /// Device files.
    public var deviceNodes: [DeviceNode]?
    /// Files of the driver.
    public var mounts: [DriverMount]?
    /// Programs of the host that prepare the container.
    public var hooks: [Hook]?

    /// A device file. Numbers that are left out are those of the host's file.
    public struct DeviceNode: Sendable, Hashable, Decodable {
        /// In the container, and on the host where ``hostPath`` is not given.
        public let path: String
        /// On the host.
        public let hostPath: String?
        /// `c` or `b`.
        public let type: String?
        /// The device's numbers.
        public let major: Int?
        /// As above.
        public let minor: Int?
        /// Of `rwm`; reading and writing if left out.
        public let permissions: String?
    }

    /// A file or folder of the host. Whatever its options, it is read-only here.
    public struct DriverMount: Sendable, Hashable, Decodable {
        /// On the host.
        public let hostPath: String
        /// In the container.
        public let containerPath: String
    }

    /// A program of the host.
    public struct Hook: Sendable, Hashable, Decodable {
        /// When it runs: `createContainer`.
        public let hookName: String
        /// An absolute path.
        public let path: String
        /// The whole list of arguments, the program's name first.
        public let args: [String]?
        /// Each `NAME=VALUE`.
        public let env: [String]?
    }

    /// Nothing to add.
    public init() {}

    static func + (left: ContainerEdits, right: ContainerEdits) -> ContainerEdits {
        func both<Element>(_ one: [Element]?, _ other: [Element]?) -> [Element]? { one == nil && other == nil ? nil : (one ?? []) + (other ?? []) }
        var edits = ContainerEdits()
        edits.env = both(left.env, right.env)
        edits.deviceNodes = both(left.deviceNodes, right.deviceNodes)
        edits.mounts = both(left.mounts, right.mounts)
        edits.hooks = both(left.hooks, right.hooks)
        return edits
    }
}

extension RuntimeSpecification {
    /// When a hook may run: before the Cargo, and while the container is made. A hook behind the end would never run, since containers are not
    /// ended by the runtime here.
    private static let hookNames: Set<String> = ["createRuntime", "createContainer"]

    /// Adds what devices need.
    ///
    /// - Throws: ``SandboxError`` `level_not_enforced` naming what cannot be given: better no container than one without what was promised.
    mutating func add(_ edits: ContainerEdits) throws {
        for node in edits.deviceNodes ?? [] {
            linux.resources.devices.append(try Device(node))
            // In a user namespace no device file can be made: the host's own is shown, with the host's own rights.
            mounts.append(Mount(destination: node.path, type: "bind", source: node.hostPath ?? node.path, options: ["bind", "nosuid", "noexec"]))
        }
        // Executable: libraries are mapped as programs are.
        mounts += (edits.mounts ?? []).map {
            Mount(destination: $0.containerPath, type: "bind", source: $0.hostPath, options: ["rbind", "ro", "nosuid", "nodev"])
        }
        process.env += edits.env ?? []
        for hook in edits.hooks ?? [] {
            guard Self.hookNames.contains(hook.hookName) else {
                throw SandboxError(.levelNotEnforced, "The device's description has a hook that cannot be run here: \(hook.hookName).")
            }
            hooks = (hooks ?? [:]).merging([hook.hookName: [Hook(path: hook.path, args: hook.args, env: hook.env)]]) { $0 + $1 }
        }
    }
}

extension RuntimeSpecification.Device {
    /// What the control group lets through.
    fileprivate init(_ node: ContainerEdits.DeviceNode) throws {
        let source = node.hostPath ?? node.path
        var facts = stat()
        // Safety: the record lives for the length of the call.
        guard stat(source, &facts) == 0, [S_IFCHR, S_IFBLK].contains(facts.st_mode & S_IFMT) else {
            throw SandboxError(.levelNotEnforced, "A device is not there: \(source).")
        }
        let number = facts.st_rdev
        // Source of the numbers' places: glibc, sys/sysmacros.h.
        self.init(
            allow: true, access: node.permissions ?? "rw", type: node.type ?? (facts.st_mode & S_IFMT == S_IFBLK ? "b" : "c"),
            major: node.major ?? Int((number >> 8) & 0xFFF | (number >> 32) & ~0xFFF),
            minor: node.minor ?? Int(number & 0xFF | (number >> 12) & ~0xFF))
    }
}

/// The description of a container as the Docker Engine API takes it.
///
/// Source: Docker Engine API 1.41, "ContainerCreate"; the properties carry its names and units.
struct ContainerRequest: Encodable, Sendable, Hashable {
    var Image: String
    var Entrypoint: [String] = []
    var Cmd: [String]
    var User: String
    var WorkingDir = "/"
    var Env: [String] = []
    var Hostname: String
    var AttachStdin = true
    var AttachStdout = true
    var AttachStderr = true
    var OpenStdin = true
    var StdinOnce = true
    var Tty = false
    var NetworkDisabled = true
    var Labels: [String: String]
    var HostConfig: Host

    struct Host: Encodable, Sendable, Hashable {
        var Memory: Int
        /// Memory and swap together.
        var MemorySwap: Int
        var NanoCpus: Int
        var PidsLimit: Int
        var NetworkMode = "none"
        var IpcMode = "private"
        var CgroupnsMode = "private"
        var UsernsMode: String
        var ReadonlyRootfs = true
        var Privileged = false
        var Tmpfs: [String: String]
        var Binds: [String]
        var ShmSize: Int
        var CapDrop = ["ALL"]
        var SecurityOpt: [String]
        var Ulimits: [Limit]
        var OomScoreAdj: Int
        var LogConfig = Log()
        var RestartPolicy = Restart()
        var AutoRemove = false
        /// Docker alone reads these two; Podman is told in `SecurityOpt` what to mask beyond its own list.
        var MaskedPaths: [String]?
        var ReadonlyPaths: [String]?
    }

    struct Limit: Codable, Sendable, Hashable {
        var Name: String
        var Soft: Int
        var Hard: Int
    }

    /// What a Cargo writes is nobody's log.
    struct Log: Encodable, Sendable, Hashable {
        var type = "none"
        enum CodingKeys: String, CodingKey { case type = "Type" }
    }

    struct Restart: Encodable, Sendable, Hashable {
        var Name = "no"
    }
}

extension ContainerRequest {
    /// Where the cage entry lies in every image that is made of a root folder.
    static let entryPath = "/.archipelago-cage-entry"

    /// The files that Podman wants on disk.
    struct Files: Sendable, Hashable {
        /// The seccomp profile.
        var profile: String
        /// What the container sees as `/etc/hosts`: Podman would show the host's own, with its names and addresses.
        var hosts: String
    }

    /// Every process of the user `nobody` counts towards this one, whatever container it is in, so it is no limit of a job: that is
    /// the control group's. It is set because an engine's own default may be higher than it may set itself.
    /// Chosen: eight jobs of level 2 have half.
    private static let processesOfUserMax = 4096

    /// Source: Podman and Docker mask these or fewer; the list is that of the runc sandbox, and the host's groups, which have
    /// nothing for a Cargo.
    static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap", "/sys/fs/cgroup",
    ]
    static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// - Parameters:
    ///   - command: all arguments of the container's first program.
    ///   - profile: the seccomp profile, JSON.
    ///   - files: where it and others lie on disk; what Docker does not use.
    init(
        image: String, command: [String], limits: EngineLimits, owner: String, userNamespace: String?, kind: Engine.Kind, profile: String,
        files: Files
    ) {
        Image = image
        Cmd = command
        User = "\(RuntimeSpecification.innerUser):\(RuntimeSpecification.innerUser)"
        Hostname = RuntimeSpecification.hostname
        Labels = [Engine.ownerLabel: owner]
        HostConfig = Host(
            Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes, NanoCpus: limits.nanoCPUs, PidsLimit: limits.processes,
            UsernsMode: userNamespace ?? "", Tmpfs: Self.temporary(limits, kind: kind),
            Binds: kind == .podman ? ["\(files.hosts):/etc/hosts:ro,nosuid,nodev,noexec"] : [], ShmSize: limits.sharedMemoryBytes,
            SecurityOpt: Self.securityOptions(kind, profile: profile, files: files), Ulimits: Self.resourceLimits(limits),
            // Chosen: halfway, as in the runc sandbox.
            OomScoreAdj: 500,
            MaskedPaths: kind == .docker ? Self.maskedPaths : nil, ReadonlyPaths: kind == .docker ? Self.readonlyPaths : nil)
    }

    /// Podman makes `/run` and `/var/tmp` writable beside a read-only root, without a size; ours close them. It knows no limit of
    /// files and no owner: the folder's mode 1777 comes from the image, and the memory limit counts every file.
    private static func temporary(_ limits: EngineLimits, kind: Engine.Kind) -> [String: String] {
        let flags = "rw,noexec,nosuid,nodev,mode=1777,size=\(limits.temporaryBytes)"
        switch kind {
        case .docker:
            // Chosen: 4 KiB a file on average, a page, as in the runc sandbox.
            return ["/tmp": "\(flags),nr_inodes=\(max(limits.temporaryBytes / 4096, 2))"]
        case .podman:
            let closed = "ro,noexec,nosuid,nodev,mode=0555,size=4096"
            return ["/tmp": flags, "/run": closed, "/var/tmp": closed]
        }
    }

    private static func securityOptions(_ kind: Engine.Kind, profile: String, files: Files) -> [String] {
        switch kind {
        case .docker: ["no-new-privileges", "seccomp=\(profile)"]
        case .podman: ["no-new-privileges", "seccomp=\(files.profile)", "mask=\(maskedPaths.joined(separator: ":"))"]
        }
    }

    private static func resourceLimits(_ limits: EngineLimits) -> [Limit] {
        let values = [
            ("nofile", limits.descriptors), ("nproc", processesOfUserMax), ("core", 0), ("fsize", limits.temporaryBytes),
            ("memlock", 65536), ("msgqueue", 0),
        ]
        return values.map { Limit(Name: $0.0, Soft: $0.1, Hard: $0.1) }
    }
}

import Domain

extension RuntimeSpecification {
    /// Where the cage entry is mounted. `/dev` is a small file system of the container's own, so no shared root needs a mount
    /// point; a mount on a file has flags of its own, so the `noexec` of `/dev` does not reach it.
    static let cageEntryPath = "/dev/cage-entry"

    /// The user and group of the Cargo inside the container: `nobody`, not 0 even in its own user namespace.
    static let innerUser = 65534

    /// How many ids are mapped, from 0. Source: subuid(5), the customary size of a range.
    static let mappedIDs = 65536

    /// Names inside the container. Chosen: the same on every Island, so that a Cargo cannot tell them apart.
    static let hostname = "cargo"

    /// Processor time is shared out in periods of 100 ms. Source: Linux, Documentation/scheduler/sched-bwc.rst, the default.
    static let periodMicroseconds = 100_000

    /// The container of a job.
    ///
    /// - Parameters:
    ///   - nonce: of the cage entry's reports where it stays in front of the Cargo.
    ///   - folder: where the runtime finds the root folder, if not at the job's own path.
    ///   - processors: how many cores the host has; a quota above them would promise what is not there.
    init(
        job: CageContents, nonce: String? = nil, root folder: String? = nil, configuration: RuncConfiguration, architecture: Architecture,
        processors: Int
    ) {
        let limits = job.limits
        let runtime = configuration.runtime
        process = Process(
            user: User(uid: Self.innerUser, gid: Self.innerUser),
            args: [Self.cageEntryPath] + Self.entryArguments(job, nonce, runtime, architecture),
            env: nonce == nil ? job.environment : [],
            // The cage entry goes to the job's folder itself: runc would create a missing one in the shared root.
            cwd: "/",
            // The entry that stays is one process more.
            rlimits: Self.resourceLimits(limits) + (runtime.countsProcessesByGroup ? [] : [ResourceLimit("RLIMIT_NPROC", limits.processes + 1)]),
            // Chosen: halfway. When the whole host runs out of memory, a Cargo goes before anything of the Island.
            oomScoreAdj: 500)
        root = Root(path: folder ?? job.rootFolder)
        hostname = Self.hostname
        mounts = Self.mounts(limits, cageEntryPath: configuration.cageEntryPath) + job.mounts.map(Self.mount)
        let mapping = [Mapping(containerID: 0, hostID: configuration.idOffset, size: Self.mappedIDs)]
        linux = Linux(
            namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup", "user"].map(Namespace.init),
            uidMappings: mapping,
            gidMappings: mapping,
            maskedPaths: Self.maskedPaths,
            readonlyPaths: Self.readonlyPaths,
            cgroupsPath: "/\(configuration.cgroupParent)/\(job.id)",
            resources: Resources(
                devices: [Device(allow: false, access: "rwm")],
                memory: Memory(limit: limits.memoryBytes, swap: limits.memoryBytes),
                cpu: Processor(
                    period: Self.periodMicroseconds,
                    quota: limits.quotaMicroseconds ?? min(limits.cpus, max(processors, 1)) * Self.periodMicroseconds),
                pids: runtime.countsProcessesByGroup ? Processes(limit: limits.processes) : nil),
            // Where calls are recorded, each is judged by the recorder.
            seccomp: job.recorder == nil
                ? .outer(job.seccomp, for: architecture, killAction: runtime.killAction, namesErrors: runtime.namesErrors) : nil)
    }

    private static func entryArguments(
        _ job: CageContents, _ nonce: String?, _ runtime: OCIRuntime, _ architecture: Architecture
    ) -> [String] {
        guard let nonce else { return (job.recorder == nil ? [] : ["--record"]) + [job.workingFolder] + job.command }
        let filter = runtime.namesErrors || job.seccomp == .minimal ? job.innerFilter : BPFAssembler.withoutClone3(for: architecture)
        let entry = EntryCommand(
            nonce: nonce, innerFilter: filter, workingFolder: job.workingFolder, environment: job.environment, command: job.command)
        return entry.arguments
    }

    /// No core file may leave the cage; no file can be larger
    /// than the only place to put it; locked memory and message queues are kernel memory that a Cargo has no use for.
    private static func resourceLimits(_ limits: CagedTool.Limits) -> [ResourceLimit] {
        [
            ResourceLimit("RLIMIT_NOFILE", limits.descriptors),
            ResourceLimit("RLIMIT_CORE", 0),
            ResourceLimit("RLIMIT_FSIZE", limits.temporaryBytes),
            ResourceLimit("RLIMIT_MEMLOCK", 65536),
            ResourceLimit("RLIMIT_MSGQUEUE", 0),
        ]
    }

    /// Nothing of the host can be changed through a mount, and no set-user-id bit or device file in it means anything.
    private static func mount(_ wanted: ReadOnlyMount) -> Mount {
        Mount(
            destination: wanted.destination, type: "bind", source: wanted.source,
            options: ["rbind", "ro", "nosuid", "nodev"] + (wanted.isExecutable ? [] : ["noexec"]))
    }

    private static func mounts(_ limits: CagedTool.Limits, cageEntryPath entry: String) -> [Mount] {
        // Chosen: 4 KiB a file on average, a page, so that as many files as bytes fit.
        let inodes = limits.temporaryBytes / 4096
        var mounts = [
            Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "noexec", "strictatime", "mode=755", "size=64k", "ro"]),
            Mount(destination: cageEntryPath, type: "bind", source: entry, options: ["bind", "ro", "nosuid", "nodev"]),
            // runc gives the mount the mode of the folder below it, whatever `mode` says: the owner must be the Cargo.
            Mount(
                destination: "/tmp", type: "tmpfs", source: "tmpfs",
                options: [
                    "nosuid", "nodev", "noexec", "mode=1777", "size=\(limits.temporaryBytes)", "nr_inodes=\(inodes)",
                    "uid=\(innerUser)", "gid=\(innerUser)",
                ]),
        ]
        if limits.sharedMemoryBytes > 0 {
            mounts.append(
                Mount(
                    destination: "/dev/shm", type: "tmpfs", source: "shm",
                    options: ["nosuid", "nodev", "noexec", "mode=1777", "size=\(limits.sharedMemoryBytes)", "nr_inodes=\(inodes)"]))
        }
        return mounts
    }

    /// Files that tell about the host or reach into its kernel. Source: the defaults of Docker and containerd.
    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]

    private static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}

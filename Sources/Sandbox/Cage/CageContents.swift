import Domain

/// What a cage is built from, whoever is to live in it.
struct CageContents: Sendable {
    var id: ContainerID
    var rootFolder: String
    var command: [String]
    /// The whole environment.
    var environment: [String]
    var workingFolder = "/"
    var mounts: [ReadOnlyMount] = []
    var limits: CagedTool.Limits
    /// The system calls that it may make.
    var seccomp: SeccompProfile
    var input: [UInt8] = []
    /// What is added for devices.
    var devices: ContainerEdits?
    /// Whether it has a way out.
    var hasNetwork = false
    /// Where the calls are counted beyond those of ``MinimalCalls``, instead of being filtered.
    var recorder: CallRecorder?

    /// The filter that stands inside the outer one.
    var innerFilter: [BPFInstruction] {
        if recorder != nil { return CallRecorder.filter(for: .current) }
        switch seccomp {
        case .minimal: return MinimalCalls.filter(for: .current)
        case .default, .network, .gpu: return BPFAssembler.permissive
        }
    }
}

extension CageContents {
    /// Variables that no image can change.
    static let fixedEnvironment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "HOSTNAME=cargo", "USER=cargo",
    ]

    /// The cage of a Cargo's job. Of two variables with one name ours is kept.
    init(_ job: CagedJob) {
        let names = Set(Self.fixedEnvironment.compactMap { $0.split(separator: "=").first })
        let own = job.environment.filter { variable in !names.contains(variable.prefix { $0 != "=" }) }
        var limits = CagedTool.Limits(job.level.limits)
        limits.timeout = job.timeout
        self.init(
            id: job.id, rootFolder: job.rootFolder, command: job.command, environment: own + Self.fixedEnvironment,
            workingFolder: job.workingFolder, limits: limits, seccomp: job.level.limits.seccomp, input: job.input)
        mounts = job.mounts
        hasNetwork = job.level.limits.network
    }

    /// The cage of a tool, under the default filter. It reads nothing from standard input.
    init(_ tool: CagedTool) {
        self.init(
            id: tool.id, rootFolder: tool.rootFolder, command: tool.command, environment: tool.environment, workingFolder: "/tmp",
            mounts: tool.mounts, limits: tool.limits, seccomp: .default)
    }
}

extension CagedTool.Limits {
    /// What a Cargo of a level may use.
    ///
    /// Chosen: 256 open files are plenty for a program of 14 calls, 1,024 are what programs expect elsewhere. Programs of level 0 know no shared
    /// memory; others get as much as `/tmp` is large.
    init(_ level: LevelLimits) {
        let isMinimal = level.seccomp == .minimal
        self.init(
            memoryBytes: level.memoryBytes, cpus: level.cpus, processes: level.processes, temporaryBytes: level.temporaryBytes,
            sharedMemoryBytes: isMinimal ? 0 : level.temporaryBytes, descriptors: isMinimal ? 256 : 1024, timeout: level.timeout)
    }
}

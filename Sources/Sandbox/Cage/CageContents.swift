import Domain

/// What a cage is built from, whoever is to live in it.
struct CageContents: Sendable {
    let id: ContainerID
    let rootFolder: String
    let command: [String]
    /// The whole environment.
    let environment: [String]
    let workingFolder: String
    let mounts: [CagedTool.ReadOnlyMount]
    let limits: CagedTool.Limits
    /// The filter that stands inside the outer one.
    let filter: [BPFInstruction]
    let input: [UInt8]
}

extension CageContents {
    /// Variables that no image can change.
    static let fixedEnvironment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "HOSTNAME=cargo", "USER=cargo",
    ]

    /// Chosen: plenty for a program without a network.
    private static let cargoDescriptors = 256

    /// The cage of a Cargo's job. Of two variables with one name ours is kept.
    init(_ job: CagedJob) {
        let names = Set(Self.fixedEnvironment.compactMap { $0.split(separator: "=").first })
        let own = job.environment.filter { variable in !names.contains(variable.prefix { $0 != "=" }) }
        let limits = job.level.limits
        self.init(
            id: job.id, rootFolder: job.rootFolder, command: job.command, environment: own + Self.fixedEnvironment,
            workingFolder: job.workingFolder, mounts: [],
            limits: CagedTool.Limits(
                memoryBytes: limits.memoryBytes, cpus: limits.cpus, processes: limits.processes, temporaryBytes: limits.temporaryBytes,
                descriptors: Self.cargoDescriptors, timeout: job.timeout),
            filter: MinimalCalls.filter(for: .current), input: job.input)
    }

    /// The cage of a tool, under the outer filter alone. It reads nothing from standard input.
    init(_ tool: CagedTool) {
        self.init(
            id: tool.id, rootFolder: tool.rootFolder, command: tool.command, environment: tool.environment, workingFolder: "/tmp",
            mounts: tool.mounts, limits: tool.limits, filter: BPFAssembler.permissive, input: [])
    }
}

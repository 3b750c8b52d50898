/// Where a ``RuncSandbox`` finds its parts and keeps its state.
public struct RuncConfiguration: Sendable, Hashable {
    /// The kind of container runtime.
    public var runtime: OCIRuntime
    /// Its program, an absolute path.
    public var runtimePath: String
    /// The static program `archipelago-cage-entry`, an absolute path.
    public var cageEntryPath: String
    /// A folder of this sandbox alone, absolute path; made if it is missing. Holds what a restart needs to clean up, never a job's
    /// input or output.
    public var stateFolder: String
    /// Name of the control group above those of the jobs, of this sandbox alone: those of two sandboxes have the same names, and whoever removes one
    /// ends what is in it.
    public var cgroupParent: String
    /// The host's number of the container's user 0. 65,536 numbers from here on must belong to nobody else.
    public var idOffset: Int
    /// Longest time that one command of the runtime may take.
    public var commandTimeout: Duration
    /// Longest time that a killed container may take to be gone.
    public var killTimeout: Duration
    /// What Cargos of a level with a GPU get for it; `nil` on a host that has none to give.
    public var gpu: ContainerEdits?
    /// Where Cargos of a level with a network may go.
    public var network = CageNetworkConfiguration()
    /// Containers made ahead for one kind of job, and for all kinds together, at most; 0 for none.
    public var warmPerKindMax: Int
    public var warmTotalMax: Int
    /// Memory that the host must have left for another one, in bytes.
    public var warmMemoryBytesMin: Int

    /// - Parameters:
    ///   - runtimePath: `nil` for where Debian has it.
    ///   - cgroupParent: `nil` for a name that goes with the state folder, the same after a restart.
    ///   - idOffset: Chosen: the first number that useradd gives to subordinate ids.
    ///   - commandTimeout: Chosen: 600 times the usual 50 ms; only a stuck host takes that long.
    ///   - killTimeout: Chosen: a process that does not die in 10 s is stuck in the kernel.
    ///   - warmPerKindMax: Chosen: none, so that a sandbox of a moment leaves nothing to wait for; an Island sets it.
    ///   - warmMemoryBytesMin: Chosen: twice what a job of level 0 may take; a waiting container itself takes about 8 MB.
    public init(
        runtime: OCIRuntime = .runc, runtimePath: String? = nil, cageEntryPath: String, stateFolder: String, cgroupParent: String? = nil,
        idOffset: Int = 100_000, commandTimeout: Duration = .seconds(30), killTimeout: Duration = .seconds(10),
        warmPerKindMax: Int = 0, warmTotalMax: Int = 0, warmMemoryBytesMin: Int = 512 << 20
    ) {
        self.runtime = runtime
        self.runtimePath = runtimePath ?? runtime.standardPath
        self.cageEntryPath = cageEntryPath
        self.stateFolder = stateFolder
        self.cgroupParent = cgroupParent ?? Self.controlGroup(of: stateFolder)
        self.idOffset = idOffset
        self.commandTimeout = commandTimeout
        self.killTimeout = killTimeout
        self.warmPerKindMax = warmPerKindMax
        self.warmTotalMax = warmTotalMax
        self.warmMemoryBytesMin = warmMemoryBytesMin
    }

    /// Chosen: 64 bits of the path tell the few sandboxes of a machine apart. Source: FNV-1a, as in draft-eastlake-fnv §2.
    private static func controlGroup(of stateFolder: String) -> String {
        let hash = stateFolder.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "archipelago-" + String(hash, radix: 16)
    }

    /// The runtime's own state, its `--root`.
    var runtimeFolder: String { stateFolder + "/runtime" }
    /// Images of trial jobs, which the mapped user must reach.
    var trialsFolder: String { stateFolder + "/trials" }
    /// One folder a job, there from before its container is made until after it is gone.
    var bundlesFolder: String { stateFolder + "/bundles" }
}

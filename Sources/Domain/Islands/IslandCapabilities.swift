/// What an Island says it can do.
public struct IslandCapabilities: Sendable, Hashable {
    /// The kinds of Cargo it runs.
    public let runtimes: Set<RuntimeType>
    /// The trust levels that it can enforce in full.
    public let levels: Set<TrustLevel>
    /// CPU cores, at least 1.
    public let cores: Int
    /// Memory, in MB.
    public let memoryMegabytes: Int
    /// GPU memory, in MB; 0 without a GPU.
    public let vramMegabytes: Int
    /// Operating system and processor in the words of OCI, for example `linux/amd64`.
    public let platform: String
    /// Where it stands, in its owner's words; empty when not said.
    public let region: String
    /// Jobs that it runs at once, at least 1.
    public let slots: Int
    /// Registries that its owner approves, each with an optional path; empty when not said.
    public let registries: [String]

    /// What an Island says it can do.
    public init(
        runtimes: Set<RuntimeType>, levels: Set<TrustLevel>, cores: Int, memoryMegabytes: Int, vramMegabytes: Int, platform: String,
        region: String, slots: Int, registries: [String] = []
    ) {
        self.runtimes = runtimes
        self.levels = levels
        self.cores = cores
        self.memoryMegabytes = memoryMegabytes
        self.vramMegabytes = vramMegabytes
        self.platform = platform
        self.region = region
        self.slots = slots
        self.registries = registries
    }
}

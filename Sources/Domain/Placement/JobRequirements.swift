/// What a job needs of an Island.
public struct JobRequirements: Sendable, Hashable {
    /// The kind of Cargo.
    public let runtime: RuntimeType
    /// The level whose sandbox the job runs in.
    public let level: TrustLevel
    /// CPU cores.
    public let cores: Int
    /// Memory, in MB.
    public let memoryMegabytes: Int
    /// GPU memory, in MB.
    public let vramMegabytes: Int
    /// Platforms that the image has, in the words of OCI; empty when it says none.
    public let platforms: Set<String>
    /// Where the image lies: registry and repository, without tag; empty when it is not known.
    public let imageName: String
    /// Regions that the Consumer allows; empty for all.
    public let regions: Set<String>

    /// What a job needs.
    public init(
        runtime: RuntimeType, level: TrustLevel, cores: Int, memoryMegabytes: Int, vramMegabytes: Int, platforms: Set<String>,
        imageName: String = "", regions: Set<String> = []
    ) {
        self.runtime = runtime
        self.level = level
        self.cores = cores
        self.memoryMegabytes = memoryMegabytes
        self.vramMegabytes = vramMegabytes
        self.platforms = platforms
        self.imageName = imageName
        self.regions = regions
    }

    /// The first thing about an Island, busy or not, that keeps the job from it; `nil` when nothing does.
    public func obstacle(on island: IslandCapabilities) -> PlacementObstacle? {
        if !island.runtimes.contains(runtime) { return .runtime }
        if !island.levels.contains(level) { return .level }
        if island.cores < cores { return .cores }
        if island.memoryMegabytes < memoryMegabytes { return .memory }
        if island.vramMegabytes < vramMegabytes { return .vram }
        if !platforms.isEmpty, !platforms.contains(island.platform) { return .platform }
        if !regions.isEmpty, !regions.contains(island.region) { return .region }
        if !imageName.isEmpty, !island.registries.isEmpty, !island.registries.contains(where: { imageName.hasPrefix($0 + "/") }) { return .registry }
        return nil
    }
}

/// Why an Island does not get a job.
public enum PlacementObstacle: String, Sendable, Hashable, CaseIterable {
    /// What the Island is.
    case runtime, level, cores, memory, vram, platform, region, registry
    /// What its owner or the network said: it takes no new jobs.
    case drained, karma
    /// Every slot is taken.
    case full

    /// What would have to change, in words for the Consumer.
    public var remedy: String {
        switch self {
        case .runtime: "an Island that runs this kind of Cargo would have to join"
        case .level: "an Island that can enforce this trust level would have to join"
        case .cores: "an Island with more CPU cores would have to join, or the Cargo would have to ask for fewer"
        case .memory: "an Island with more memory would have to join, or the Cargo would have to ask for less"
        case .vram: "an Island with a larger GPU would have to join, or the Cargo would have to ask for less"
        case .platform: "an Island of the image's platform would have to join, or the image would have to have this one too"
        case .region: "an Island in one of the regions that you allow would have to join, or you would have to allow others"
        case .registry: "the Island's owner would have to approve the image's registry"
        case .drained: "the Island's owner would have to let it take jobs again"
        case .karma: "the Island would have to recover its karma"
        case .full: "a slot has to become free, which happens when a job ends"
        }
    }
}

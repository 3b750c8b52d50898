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

    /// What a job needs.
    public init(runtime: RuntimeType, level: TrustLevel, cores: Int, memoryMegabytes: Int, vramMegabytes: Int, platforms: Set<String>) {
        self.runtime = runtime
        self.level = level
        self.cores = cores
        self.memoryMegabytes = memoryMegabytes
        self.vramMegabytes = vramMegabytes
        self.platforms = platforms
    }
}

/// An Island as placement sees it.
public struct PlacementCandidate: Sendable, Hashable {
    /// The Island.
    public let island: String
    /// What it can do.
    public let capabilities: IslandCapabilities
    /// Jobs it holds now.
    public let jobsHeld: Int
    /// Whether it takes no new jobs because its owner said so.
    public let isDrained: Bool
    /// Whether it lost this job in an earlier attempt.
    public let hasFailedThisJob: Bool

    /// An Island as placement sees it.
    public init(island: String, capabilities: IslandCapabilities, jobsHeld: Int, isDrained: Bool, hasFailedThisJob: Bool) {
        self.island = island
        self.capabilities = capabilities
        self.jobsHeld = jobsHeld
        self.isDrained = isDrained
        self.hasFailedThisJob = hasFailedThisJob
    }
}

/// Why an Island does not get a job.
public enum PlacementObstacle: String, Sendable, Hashable, CaseIterable {
    case drained, runtime, level, cores, memory, vram, platform, full
}

/// Which Island gets a job: hard filters, then the best of what is left.
public enum Placement {
    /// The first thing that keeps a job from an Island, or `nil` when it fits.
    public static func obstacle(to job: JobRequirements, on candidate: PlacementCandidate) -> PlacementObstacle? {
        let island = candidate.capabilities
        if candidate.isDrained { return .drained }
        if !island.runtimes.contains(job.runtime) { return .runtime }
        if !island.levels.contains(job.level) { return .level }
        if island.cores < job.cores { return .cores }
        if island.memoryMegabytes < job.memoryMegabytes { return .memory }
        if island.vramMegabytes < job.vramMegabytes { return .vram }
        if !job.platforms.isEmpty, !job.platforms.contains(island.platform) { return .platform }
        if candidate.jobsHeld >= island.slots { return .full }
        return nil
    }

    /// The Island for a job, or `nil` when none fits.
    ///
    /// Of those that fit: first one that has not failed this job, then the one with the most free slots, then the
    /// smaller name, so that the choice is the same for the same candidates.
    public static func choose(for job: JobRequirements, among candidates: [PlacementCandidate]) -> String? {
        candidates.filter { obstacle(to: job, on: $0) == nil }.min { left, right in
            if left.hasFailedThisJob != right.hasFailedThisJob { return right.hasFailedThisJob }
            let free = (left.capabilities.slots - left.jobsHeld, right.capabilities.slots - right.jobsHeld)
            return free.0 == free.1 ? left.island < right.island : free.0 > free.1
        }?.island
    }
}

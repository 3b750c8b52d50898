/// How well an Island that fits suits a job, in points that add up; the most points win.
public struct PlacementScore: Sendable, Hashable {
    /// For an image that is there already: 400. Chosen: fetching one takes longer than anything else here decides.
    public let image: Int
    /// For free slots: up to 300, by the share of slots that are free.
    public let room: Int
    /// For karma: up to 200, all of them from a karma of 1,000 on.
    public let karma: Int
    /// For a short way: up to 100, less one for each 2 ms of round trip; 50 where it was not measured.
    public let nearness: Int

    /// All points.
    public var points: Int { image + room + karma + nearness }

    init(_ island: IslandPool.Island, hasImage: Bool) {
        image = hasImage ? 400 : 0
        room = (island.capabilities.slots - island.jobsHeld) * 300 / max(1, island.capabilities.slots)
        karma = min(max(0, island.karma), 1000) / 5
        nearness = island.roundTripMilliseconds.map { 100 - min(max(0, $0) / 2, 100) } ?? 50
    }
}

/// Which Island a job was given to, and why.
public struct PlacementDecision: Sendable, Hashable {
    /// An Island that was looked at.
    public struct Candidate: Sendable, Hashable {
        /// The Island.
        public let island: String
        /// Its points.
        public let score: PlacementScore
        /// Whether it lost the job in an earlier attempt, which counts against it before all points.
        public let hasFailedThisJob: Bool
    }

    /// The chosen one first.
    public let candidates: [Candidate]
    /// Islands that had room and met every requirement.
    public let fitting: Int

    /// The Island.
    public var island: String { candidates[0].island }
}

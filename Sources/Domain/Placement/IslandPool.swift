/// The connected Islands, arranged so that a decision takes as long among ten as among ten thousand.
///
/// For each kind of requirement that was asked for, the Islands that meet it and have room stand in a list of their own, which every change of an
/// Island keeps up to date. A decision looks at a few of them: two at random, of which the better is nearly as good as the best of all, and one or
/// two that have the image already.
///
/// Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001.
public struct IslandPool: Sendable {
    /// An Island as placement sees it.
    public struct Island: Sendable, Hashable {
        /// Its id.
        public let name: String
        /// What it can do.
        public var capabilities: IslandCapabilities
        /// Jobs it holds now.
        public var jobsHeld = 0
        /// Whether it takes no new jobs because its owner said so.
        public var isDrained = false
        /// Its karma.
        public var karma = 0
        /// The measured round trip to it; `nil` where there is none yet.
        public var roundTripMilliseconds: Int?

        /// An Island without jobs.
        public init(_ name: String, _ capabilities: IslandCapabilities) {
            self.name = name
            self.capabilities = capabilities
        }

        /// What keeps every job from it now; `nil` if it has room.
        var closedBecause: PlacementObstacle? {
            if isDrained { return .drained }
            if karma < KarmaRule.least { return .karma }
            return jobsHeld >= capabilities.slots ? .full : nil
        }
    }

    /// Islands by number; a number is used again when its Island has left.
    private var islands: [Island?] = []
    private var numbers: [String: Int] = [:]
    private var vacant: [Int] = []
    private var lists: [JobRequirements: IndexList] = [:]
    private var listOrder: [JobRequirements] = []
    private var holders: [String: IndexList] = [:]
    private var imagesOf: [Int: Set<String>] = [:]

    /// Kinds of requirements with a list of their own. Chosen: more than are asked for in one minute; the one made longest ago gives way.
    private static let listsMax = 256
    /// Islands that are compared for one job: all of them where there are no more.
    private static let comparedMax = 4
    /// Chosen: images of one Island that are remembered.
    private static let imagesMax = 1024

    /// No Islands.
    public init() {}

    /// How many there are.
    public var count: Int { numbers.count }

    /// The Island of a name.
    public func island(_ name: String) -> Island? { numbers[name].flatMap { islands[$0] } }

    // MARK: Changes

    /// Adds an Island, or takes note of how it is now.
    ///
    /// - Parameter images: digests of images that it has.
    public mutating func put(_ island: Island, images: some Sequence<String> = []) {
        let number: Int
        if let known = numbers[island.name] {
            number = known
            forgetImages(of: number)
        } else if let free = vacant.popLast() {
            number = free
        } else {
            number = islands.count
            islands.append(nil)
        }
        numbers[island.name] = number
        islands[number] = island
        for requirements in listOrder { place(number, in: requirements) }
        for image in images { note(image: image, on: island.name) }
    }

    /// Removes an Island.
    public mutating func remove(_ name: String) {
        guard let number = numbers.removeValue(forKey: name) else { return }
        islands[number] = nil
        for requirements in listOrder { lists[requirements]?.remove(number) }
        forgetImages(of: number)
        vacant.append(number)
    }

    /// Changes something about an Island; one that is not there stays away.
    public mutating func update(_ name: String, _ change: (inout Island) -> Void) {
        guard let number = numbers[name], var island = islands[number] else { return }
        let (capabilities, wasOpen) = (island.capabilities, island.closedBecause == nil)
        change(&island)
        islands[number] = island
        guard (island.closedBecause == nil) != wasOpen || island.capabilities != capabilities else { return }
        for requirements in listOrder { place(number, in: requirements) }
    }

    /// Takes note that an Island has an image.
    public mutating func note(image digest: String, on name: String) {
        guard let number = numbers[name], imagesOf[number, default: []].count < Self.imagesMax else { return }
        imagesOf[number, default: []].insert(digest)
        holders[digest, default: IndexList()].insert(number)
    }

    private mutating func forgetImages(of number: Int) {
        for digest in imagesOf.removeValue(forKey: number) ?? [] {
            holders[digest]?.remove(number)
            if holders[digest]?.isEmpty == true { holders[digest] = nil }
        }
    }

    private mutating func place(_ number: Int, in requirements: JobRequirements) {
        guard let island = islands[number] else { return }
        if island.closedBecause == nil, requirements.obstacle(on: island.capabilities) == nil {
            lists[requirements]?.insert(number)
        } else {
            lists[requirements]?.remove(number)
        }
    }

    private mutating func prepareList(for requirements: JobRequirements) {
        guard lists[requirements] == nil else { return }
        if listOrder.count >= Self.listsMax { lists[listOrder.removeFirst()] = nil }
        lists[requirements] = IndexList()
        listOrder.append(requirements)
        for number in islands.indices { place(number, in: requirements) }
    }

    // MARK: Decisions

    /// The Island for a job, or `nil` when none fits now.
    ///
    /// - Parameters:
    ///   - digest: the job's image.
    ///   - failed: Islands that lost the job in an earlier attempt: taken only if nobody else fits.
    public mutating func choose(
        for requirements: JobRequirements, image digest: String, avoiding failed: Set<String> = [], using random: inout some RandomNumberGenerator
    ) -> PlacementDecision? {
        prepareList(for: requirements)
        guard let list = lists[requirements], !list.isEmpty else { return nil }
        var numbers: [Int] = []
        func add(_ number: Int?) { if let number, !numbers.contains(number) { numbers.append(number) } }
        if list.count <= Self.comparedMax {
            numbers = list.all
        } else {
            // Twice as many tries as wanted: the same one may come twice, and a holder may be busy.
            for _ in 0..<4 where numbers.count < 2 { add(list.anyOne(using: &random)) }
        }
        if let holders = holders[digest] {
            for _ in 0..<4 where numbers.count < Self.comparedMax { add(holders.anyOne(using: &random).flatMap { list.contains($0) ? $0 : nil }) }
        }
        if !failed.isEmpty, numbers.allSatisfy({ failed.contains(islands[$0]?.name ?? "") }) {
            add(list.first { !failed.contains(islands[$0]?.name ?? "") })
        }
        let candidates = numbers.compactMap { number -> PlacementDecision.Candidate? in
            guard let island = islands[number] else { return nil }
            return PlacementDecision.Candidate(
                island: island.name, score: PlacementScore(island, hasImage: holders[digest]?.contains(number) == true),
                hasFailedThisJob: failed.contains(island.name))
        }
        let ordered = candidates.sorted { left, right in
            if left.hasFailedThisJob != right.hasFailedThisJob { return right.hasFailedThisJob }
            return left.score.points == right.score.points ? left.island < right.island : left.score.points > right.score.points
        }
        return PlacementDecision(candidates: ordered, fitting: list.count)
    }

    /// What keeps a job from each Island now, counted; Islands that could take it are not in it. Takes as long as there are Islands.
    public func obstacles(to requirements: JobRequirements) -> [PlacementObstacle: Int] {
        var counts: [PlacementObstacle: Int] = [:]
        for case let island? in islands {
            // What the Island is comes before what it is at: the latter passes by itself.
            if let obstacle = requirements.obstacle(on: island.capabilities) ?? island.closedBecause { counts[obstacle, default: 0] += 1 }
        }
        return counts
    }
}

/// Numbers in no order, from which one at random is taken at once.
private struct IndexList: Sendable {
    private var numbers: [Int] = []
    private var places: [Int: Int] = [:]

    var isEmpty: Bool { numbers.isEmpty }
    var count: Int { numbers.count }
    var all: [Int] { numbers }

    func contains(_ number: Int) -> Bool { places[number] != nil }
    func first(where matches: (Int) -> Bool) -> Int? { numbers.first(where: matches) }
    func anyOne(using random: inout some RandomNumberGenerator) -> Int? { numbers.randomElement(using: &random) }

    mutating func insert(_ number: Int) {
        guard places[number] == nil else { return }
        places[number] = numbers.count
        numbers.append(number)
    }

    mutating func remove(_ number: Int) {
        guard let place = places.removeValue(forKey: number), let last = numbers.popLast(), last != number else { return }
        numbers[place] = last
        places[last] = place
    }
}

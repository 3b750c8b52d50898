import Domain
import TestSupport
import Testing

@Suite struct PlacementTests {
    static func job(
        _ runtime: RuntimeType = .container, level: TrustLevel = .basic, cores: Int = 2, memory: Int = 1024, vram: Int = 0,
        platforms: Set<String> = ["linux/amd64"], image: String = "ghcr.io/archipelag-io/x", regions: Set<String> = []
    ) -> JobRequirements {
        JobRequirements(
            runtime: runtime, level: level, cores: cores, memoryMegabytes: memory, vramMegabytes: vram, platforms: platforms, imageName: image,
            regions: regions)
    }

    static func island(
        _ name: String = "a", runtimes: Set<RuntimeType> = [.container], levels: Set<TrustLevel> = [.untrusted, .basic], cores: Int = 2,
        memory: Int = 1024, vram: Int = 0, platform: String = "linux/amd64", region: String = "", slots: Int = 2, registries: [String] = [],
        held: Int = 0, drained: Bool = false, karma: Int = 0, roundTrip: Int? = nil
    ) -> IslandPool.Island {
        var island = IslandPool.Island(
            name,
            IslandCapabilities(
                runtimes: runtimes, levels: levels, cores: cores, memoryMegabytes: memory, vramMegabytes: vram, platform: platform, region: region,
                slots: slots, registries: registries))
        island.jobsHeld = held
        island.isDrained = drained
        island.karma = karma
        island.roundTripMilliseconds = roundTrip
        return island
    }

    static let table: [(String, JobRequirements, IslandPool.Island, PlacementObstacle?)] = [
        ("fits exactly", job(), island(), nil),
        ("is drained", job(), island(drained: true), .drained),
        ("has another runtime", job(.wasm), island(), .runtime),
        ("has no runtime", job(), island(runtimes: []), .runtime),
        ("cannot enforce the level", job(level: .verified), island(), .level),
        ("enforces only higher levels", job(level: .untrusted), island(levels: [.basic, .official]), .level),
        ("has a core too few", job(cores: 3), island(), .cores),
        ("has a core more", job(cores: 1), island(), nil),
        ("has a megabyte too few", job(memory: 1025), island(), .memory),
        ("has a megabyte more", job(memory: 1023), island(), nil),
        ("has no GPU", job(vram: 1), island(), .vram),
        ("has just enough GPU memory", job(vram: 8), island(vram: 8), nil),
        ("is of another platform", job(), island(platform: "linux/arm64"), .platform),
        ("is one of several platforms", job(platforms: ["linux/arm64", "linux/amd64"]), island(), nil),
        ("takes an image that names no platform", job(platforms: []), island(platform: "plan9/mips"), nil),
        ("is in an allowed region", job(regions: ["eu", "us"]), island(region: "eu"), nil),
        ("is in another region", job(regions: ["eu"]), island(region: "us"), .region),
        ("does not say where it is", job(regions: ["eu"]), island(), .region),
        ("approves the registry", job(), island(registries: ["docker.io/archipelag", "ghcr.io/archipelag-io"]), nil),
        ("approves only a namesake", job(), island(registries: ["ghcr.io/archipelag"]), .registry),
        ("does not say what it approves", job(), island(registries: []), nil),
        ("has lost its karma", job(), island(karma: KarmaRule.least - 1), .karma),
        ("has just enough karma", job(), island(karma: KarmaRule.least), nil),
        ("has one slot left", job(), island(slots: 2, held: 1), nil),
        ("is full", job(), island(slots: 2, held: 2), .full),
        ("is more than full", job(), island(slots: 2, held: 3), .full),
        ("is full and of another platform", job(), island(platform: "linux/arm64", held: 2), .platform),
    ]

    private static func pool(_ islands: [IslandPool.Island], images: [String: [String]] = [:]) -> IslandPool {
        var pool = IslandPool()
        for island in islands { pool.put(island, images: images[island.name] ?? []) }
        return pool
    }

    @Test(arguments: table.indices)
    func theObstacleIsNamed(row: Int) {
        let (name, job, island, obstacle) = Self.table[row]
        var pool = Self.pool([island])
        var random = SplitMix64(state: 1)
        #expect(pool.obstacles(to: job) == (obstacle.map { [$0: 1] } ?? [:]), "an Island that \(name)")
        #expect(pool.choose(for: job, image: "", using: &random)?.island == (obstacle == nil ? "a" : nil), "an Island that \(name)")
    }

    @Test func everyObstacleIsInTheTableAndHasARemedy() {
        #expect(Set(Self.table.compactMap(\.3)) == Set(PlacementObstacle.allCases))
        #expect(Set(PlacementObstacle.allCases.map(\.remedy)).count == PlacementObstacle.allCases.count)
    }

    static let choices: [(String, [IslandPool.Island], [String: [String]], Set<String>, String?)] = [
        ("more room", [island("a", slots: 4, held: 3), island("b", slots: 4, held: 1)], [:], [], "b"),
        ("the smaller name among equals", [island("b"), island("a")], [:], [], "a"),
        ("the image, even with less room", [island("a", slots: 9), island("b", slots: 4, held: 3)], ["b": ["sha256:1"]], [], "b"),
        ("karma", [island("a"), island("b", karma: 500)], [:], [], "b"),
        ("a shorter way", [island("a", roundTrip: 90), island("b", roundTrip: 10)], [:], [], "b"),
        ("one that has not failed the job, even when it has less room", [island("a", slots: 9), island("b", slots: 2, held: 1)], [:], ["a"], "b"),
        ("one that failed when no other fits", [island("a"), island("b", drained: true)], [:], ["a"], "a"),
        ("none that does not fit", [island("a", cores: 1, slots: 100), island("b", slots: 1)], [:], [], "b"),
        ("nobody when all are full", [island("a", slots: 1, held: 1), island("b", slots: 1, held: 1)], [:], [], nil),
        ("nobody among nobody", [], [:], [], nil),
    ]

    @Test(arguments: choices.indices)
    func chooses(row: Int) {
        let (rule, islands, images, failed, chosen) = Self.choices[row]
        for seed in 1...50 {
            var random = SplitMix64(state: UInt64(seed))
            var pool = Self.pool(seed % 2 == 0 ? islands : islands.reversed(), images: images)
            #expect(pool.choose(for: Self.job(), image: "sha256:1", avoiding: failed, using: &random)?.island == chosen, "\(rule)")
        }
    }

    @Test func aDecisionTellsWhatWasCompared() throws {
        var pool = Self.pool([Self.island("a", karma: 5), Self.island("b", slots: 4, held: 1)], images: ["a": ["sha256:1"]])
        var random = SplitMix64(state: 1)
        let decision = try #require(pool.choose(for: Self.job(), image: "sha256:1", using: &random))
        #expect(decision.fitting == 2)
        #expect(decision.candidates.map(\.island) == ["a", "b"])
        #expect(
            decision.candidates.map { [$0.score.image, $0.score.room, $0.score.karma, $0.score.nearness] } == [[400, 300, 1, 50], [0, 225, 0, 50]])
        #expect(decision.candidates.map(\.score.points) == [751, 275])
    }

    /// What the pool keeps up to date is what a look at every Island would say.
    @Test func thePoolIsRightAfterAnyChanges() {
        var random = SplitMix64(state: 3)
        var pool = IslandPool()
        var all: [String: IslandPool.Island] = [:]
        let wanted = [Self.job(), Self.job(cores: 1), Self.job(level: .untrusted, regions: ["eu"])]
        for step in 0..<5000 {
            let name = "island-\(Int.random(in: 0..<20, using: &random))"
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let one = Self.island(
                    name, cores: Int.random(in: 1...2, using: &random), region: Bool.random(using: &random) ? "eu" : "us",
                    slots: Int.random(in: 1...3, using: &random))
                all[name] = one
                pool.put(one)
            case 1:
                all[name] = nil
                pool.remove(name)
            default:
                let (held, drained) = (Int.random(in: 0...3, using: &random), Int.random(in: 0..<5, using: &random) == 0)
                all[name]?.jobsHeld = held
                all[name]?.isDrained = drained
                pool.update(name) {
                    $0.jobsHeld = held
                    $0.isDrained = drained
                }
            }
            let job = wanted[step % wanted.count]
            let fitting = all.values.filter { Self.pool([$0]).obstacles(to: job).isEmpty }
            let decision = pool.choose(for: job, image: "", using: &random)
            #expect(pool.count == all.count)
            #expect(decision?.fitting ?? 0 == fitting.count)
            #expect(decision.map { one in fitting.contains { $0.name == one.island } } ?? fitting.isEmpty)
        }
    }

    /// Of two at random the better one: no Island gets much more than its share.
    @Test func jobsAreSpread() throws {
        var random = SplitMix64(state: 9)
        var pool = IslandPool()
        for number in 0..<100 { pool.put(Self.island("island-\(number)", slots: 20)) }
        for _ in 0..<1000 {
            let decision = try #require(pool.choose(for: Self.job(), image: "", using: &random))
            pool.update(decision.island) { $0.jobsHeld += 1 }
        }
        let held = (0..<100).compactMap { pool.island("island-\($0)")?.jobsHeld }
        #expect(held.reduce(0, +) == 1000)
        #expect(try #require(held.max()) <= 13)
    }
}

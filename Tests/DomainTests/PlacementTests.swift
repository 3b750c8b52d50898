import Domain
import Testing

@Suite struct PlacementTests {
    static func job(
        _ runtime: RuntimeType = .container, level: TrustLevel = .basic, cores: Int = 2, memory: Int = 1024, vram: Int = 0,
        platforms: Set<String> = ["linux/amd64"]
    ) -> JobRequirements {
        JobRequirements(runtime: runtime, level: level, cores: cores, memoryMegabytes: memory, vramMegabytes: vram, platforms: platforms)
    }

    static func island(
        _ name: String = "a", runtimes: Set<RuntimeType> = [.container], levels: Set<TrustLevel> = [.untrusted, .basic], cores: Int = 2,
        memory: Int = 1024,
        vram: Int = 0, platform: String = "linux/amd64", slots: Int = 2, held: Int = 0, drained: Bool = false, failed: Bool = false
    ) -> PlacementCandidate {
        PlacementCandidate(
            island: name,
            capabilities: IslandCapabilities(
                runtimes: runtimes, levels: levels, cores: cores, memoryMegabytes: memory, vramMegabytes: vram, platform: platform, region: "",
                slots: slots), jobsHeld: held, isDrained: drained, hasFailedThisJob: failed)
    }

    static let table: [(String, JobRequirements, PlacementCandidate, PlacementObstacle?)] = [
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
        ("has one slot left", job(), island(slots: 2, held: 1), nil),
        ("is full", job(), island(slots: 2, held: 2), .full),
        ("is more than full", job(), island(slots: 2, held: 3), .full),
        ("failed the job before, which is no obstacle", job(), island(failed: true), nil),
    ]

    @Test(arguments: table.indices)
    func theFirstObstacleIsNamed(row: Int) {
        let (name, job, island, obstacle) = Self.table[row]
        #expect(Placement.obstacle(to: job, on: island) == obstacle, "an Island that \(name)")
        #expect(Placement.choose(for: job, among: [island]) == (obstacle == nil ? "a" : nil), "an Island that \(name)")
    }

    @Test func everyObstacleIsInTheTable() {
        #expect(Set(Self.table.compactMap(\.3)) == Set(PlacementObstacle.allCases))
    }

    @Test func nobodyIsChosenAmongNobody() {
        #expect(Placement.choose(for: Self.job(), among: []) == nil)
    }

    static let choices: [(String, [PlacementCandidate], String?)] = [
        ("most free slots", [island("a", slots: 4, held: 3), island("b", slots: 4, held: 1), island("c", slots: 4, held: 2)], "b"),
        ("the smaller name among equals", [island("c"), island("a"), island("b")], "a"),
        ("one that has not failed the job, even when it has less room", [island("a", slots: 9, failed: true), island("b", slots: 2, held: 1)], "b"),
        ("one that failed when no other fits", [island("a", failed: true), island("b", drained: true)], "a"),
        ("none that does not fit", [island("a", cores: 1, slots: 100), island("b", slots: 1)], "b"),
        ("nobody when all are full", [island("a", slots: 1, held: 1), island("b", slots: 1, held: 1)], nil),
    ]

    @Test(arguments: choices.indices)
    func chooses(row: Int) {
        let (rule, candidates, chosen) = Self.choices[row]
        #expect(Placement.choose(for: Self.job(), among: candidates) == chosen, "\(rule)")
        #expect(Placement.choose(for: Self.job(), among: candidates.reversed()) == chosen, "\(rule), in any order")
    }
}

import ArgumentParser
import Domain
import JSON

/// `archipelago bench placement`.
struct BenchPlacement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "placement", abstract: "Choose Islands for made-up jobs, and tell how many decisions are made a second.",
        discussion: """
            Every tenth Island has a GPU, every hundredth the job's image; nine of ten slots are taken throughout, and each decision takes a slot \
            and gives another one back. Peer: a look at every Island for each decision, for as many decisions as take a second.
            """)

    @Option(help: "How many Islands.") var islands = 5000
    @Option(help: "How many decisions.") var decisions = 1_000_000
    @Option(help: "The seed.") var seed: UInt64 = 1
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard islands > 0, decisions >= 10 else { throw ValidationError("--islands must be at least 1 and --decisions at least 10.") }
    }

    func run() async throws {
        var world = PlacementWorld(islands: islands, seed: seed)
        let clock = ContinuousClock()
        var rates: [Double] = []
        // Ten parts, so that a slope would show.
        for _ in 0..<10 {
            let start = clock.now
            for _ in 0..<decisions / 10 { world.decide() }
            rates.append(Double(decisions / 10) / ((clock.now - start) / .seconds(1)))
        }
        var looked = 0
        let start = clock.now
        while clock.now - start < .seconds(1) {
            world.lookAtAll()
            looked += 1
        }
        let words = { (rate: Double) in "\(Int(rate))" }
        output.show(
            [
                "islands": .int(islands), "decisions": .int(decisions), "per_second": .array(rates.map { .number(JSONNumber($0)) }),
                "peer_per_second": .int(looked), "placed": .int(world.placed),
            ],
            [
                "\(islands) Islands, \(decisions) decisions in ten parts, seed \(seed); decisions a second, one core",
                "first tenth            \(words(rates[0]))", "last tenth             \(words(rates[9]))",
                "slowest tenth          \(words(rates.min() ?? 0))", "peer: look at all      \(looked)",
            ])
    }
}

/// Islands and jobs for measuring placement.
private struct PlacementWorld {
    private var pool = IslandPool()
    private var random: SeededRandom
    private var held: [String] = []
    private let kinds: [JobRequirements]
    private(set) var placed = 0

    init(islands: Int, seed: UInt64) {
        random = SeededRandom(seed: seed)
        kinds = [
            JobRequirements(runtime: .container, level: .basic, cores: 1, memoryMegabytes: 256, vramMegabytes: 0, platforms: ["linux/amd64"]),
            JobRequirements(runtime: .container, level: .untrusted, cores: 2, memoryMegabytes: 1024, vramMegabytes: 0, platforms: ["linux/amd64"]),
            JobRequirements(runtime: .container, level: .basic, cores: 1, memoryMegabytes: 256, vramMegabytes: 8000, platforms: ["linux/amd64"]),
        ]
        for number in 0..<islands {
            var island = IslandPool.Island(
                "island-\(number)",
                IslandCapabilities(
                    runtimes: [.container], levels: [.untrusted, .basic], cores: 4, memoryMegabytes: 8192,
                    vramMegabytes: number % 10 == 0 ? 16_000 : 0,
                    platform: "linux/amd64", region: "", slots: 10))
            island.jobsHeld = 9
            for _ in 0..<island.jobsHeld { held.append(island.name) }
            pool.put(island, images: number % 100 == 0 ? ["sha256:1"] : [])
        }
    }

    mutating func decide() {
        guard let decision = pool.choose(for: kinds[placed % kinds.count], image: "sha256:1", using: &random) else { return }
        placed += 1
        pool.update(decision.island) { $0.jobsHeld += 1 }
        let place = Int.random(in: 0..<held.count, using: &random)
        pool.update(held[place]) { $0.jobsHeld -= 1 }
        held[place] = decision.island
    }

    func lookAtAll() { _ = pool.obstacles(to: kinds[0]) }
}

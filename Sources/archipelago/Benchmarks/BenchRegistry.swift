import ArgumentParser
import Coordinator
import Domain
import Foundation
import JSON
import Storage

/// `archipelago bench registry`.
struct BenchRegistry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Search made-up Cargos and tell how long each kind of question takes.",
        discussion: """
            Fills a database in a temporary folder with Cargos of a fixed seed, then asks each kind of question, one after the other, a page of
            20 with its exact total. Times are wall-clock milliseconds of the use case, without HTTP. Peer: the same words in a bare FTS5 count
            (its own line), which is the least that an exact total costs.
            """)

    @Option(help: "How many Cargos.") var cargos = 100_000
    @Option(help: "How often each kind of question is asked.") var rounds = 200
    @Option(help: "The seed of Cargos and questions.") var seed: UInt64 = 1
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard cargos > 0, rounds > 0 else { throw ValidationError("--cargos and --rounds must be at least 1.") }
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("archipelago-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What stays is only a temporary folder.
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try SQLiteDatabase(path: folder.path + "/bench.sqlite")
        var world = RegistryWorld(seed: seed)
        try await fill(database, &world)
        let registry = Registry(database: database)
        let asker = Principal(accountID: "bench", scopes: [.read])
        var results: [(name: String, times: [Double])] = []
        for kind in Question.allCases {
            var times: [Double] = []
            for round in 0..<rounds {
                let question = kind.make(&world, round, cargos)
                let clock = ContinuousClock()
                let start = clock.now
                if kind == .bareCount {
                    let words = question.filter.query ?? ""
                    _ = try await database.read { try $0.countMatches(of: words) }
                } else {
                    _ = try await registry.search(
                        question.filter, sort: question.sort, withFacets: kind == .facets, page: Page(limit: 20, offset: question.offset), for: asker)
                }
                times.append((clock.now - start) / .milliseconds(1))
            }
            results.append((kind.rawValue, times.sorted()))
        }
        await database.close()
        show(results)
    }

    private func fill(_ database: any Database, _ world: inout RegistryWorld) async throws {
        let account = "01900000-0000-7000-8000-000000000000"
        try await database.write { writer in
            try writer.insert(
                AccountRow(id: account, name: "bench", email: nil, passwordHash: nil, standing: "first_party", roles: "", createdAt: 0))
        }
        var done = 0
        while done < cargos {
            let (from, to) = (done, min(done + 2000, cargos))
            let before = world
            world = try await database.write { writer in
                var world = before
                for index in from..<to { try world.publish(index, by: account, in: writer) }
                return world
            }
            done = to
            Terminal.progress("made \(done) of \(cargos) Cargos")
        }
    }

    private func show(_ results: [(name: String, times: [Double])]) {
        let all = results.filter { $0.name != Question.facets.rawValue && $0.name != Question.bareCount.rawValue }.flatMap(\.times).sorted()
        var lines = [
            "\(cargos) Cargos, seed \(seed), \(rounds) questions of each kind; milliseconds", "question                   median      p99      max",
        ]
        var rows: [JSONValue] = []
        for (name, times) in results + [("all but facets and the peer", all)] {
            let percentiles = Percentiles(times)
            let numbers = [percentiles[50], percentiles[99], percentiles.max]
            let cells = numbers.map { String(format: "%8.2f", $0) }.joined(separator: " ")
            lines.append(name.padding(toLength: 24, withPad: " ", startingAt: 0) + cells)
            rows.append([
                "question": .string(name), "median_ms": .number(JSONNumber(numbers[0])), "p99_ms": .number(JSONNumber(numbers[1])),
                "max_ms": .number(JSONNumber(numbers[2])),
            ])
        }
        output.show(["cargos": .int(cargos), "seed": .string("\(seed)"), "rounds": .int(rounds), "results": .array(rows)], lines)
    }

    /// A kind of question.
    enum Question: String, CaseIterable {
        case everything = "no filter"
        case anyWord = "a word, by frequency"
        case commonWord = "the most common word"
        case rareWord = "a rare word"
        case twoWords = "two words"
        case beginning = "a word's beginning"
        case category = "category and tag"
        case wordAndCategory = "word and category"
        case byJobs = "by jobs"
        case byReputation = "by reputation"
        case byPrice = "by price"
        case deep = "offset 10,000"
        case facets = "facets, no filter"
        case bareCount = "peer: bare FTS5 count"

        func make(_ world: inout RegistryWorld, _ round: Int, _ cargos: Int) -> (filter: RegistryFilter, sort: RegistrySort?, offset: Int) {
            let category = RegistryWorld.categories[round % RegistryWorld.categories.count]
            switch self {
            case .everything, .facets: return (RegistryFilter(), nil, 0)
            case .anyWord: return (RegistryFilter(query: world.word()), nil, 0)
            case .commonWord, .bareCount: return (RegistryFilter(query: world.words[0]), nil, 0)
            case .rareWord: return (RegistryFilter(query: world.words[7000 + round % 1000]), nil, 0)
            case .twoWords: return (RegistryFilter(query: "\(world.word()) \(world.word())"), nil, 0)
            case .beginning: return (RegistryFilter(query: String(world.word().prefix(3))), nil, 0)
            case .category: return (RegistryFilter(category: category, tag: "tag-\(round % 200)"), nil, 0)
            case .wordAndCategory: return (RegistryFilter(query: world.word(), category: category), nil, 0)
            case .byJobs: return (RegistryFilter(), .jobs, 0)
            case .byReputation: return (RegistryFilter(), .reputation, 0)
            case .byPrice: return (RegistryFilter(), .price, 0)
            case .deep: return (RegistryFilter(), .newest, min(10_000, cargos / 2))
            }
        }
    }
}

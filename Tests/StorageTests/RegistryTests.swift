import TestSupport
import Testing

@testable import Storage

/// Search and lists of the registry.
@Suite(.timeLimit(.minutes(5))) struct RegistryTests {
    struct Cargo {
        var slug: String
        var name = "Cargo"
        var description = "Does something."
        var tags: [String] = []
        var category: String?
        var level = 0
        var price = (1, 0, 0)
        var publishedAt = 1
        var runtime = "container"
    }

    /// A database with Cargos, numbered from 1 in their order.
    static func stocked(_ cargos: [Cargo], _ body: (any Database) async throws -> Void) async throws {
        for adapter in TestDatabase.all {
            try await adapter.fresh { database in
                try await database.write { writer in
                    try writer.insert(DatabaseContract.account("a"))
                    for cargo in cargos { try put(cargo, in: writer) }
                }
                try await body(database)
            }
        }
    }

    static func put(_ cargo: Cargo, in writer: any SQLWriter) throws {
        let workload = try writer.workload(slug: cargo.slug) ?? writer.insertWorkload(slug: cargo.slug, ownerID: "a", at: 1)
        let submission = try writer.insert(TablesTests.draft(workload.id))
        let entry = RegistryEntryRow(
            workloadID: workload.id, submissionID: submission.id, slug: cargo.slug, category: cargo.category, runtimeType: cargo.runtime,
            tier: cargo.level > 1 ? "certified" : "community", trustLevel: cargo.level, verified: cargo.level > 1, pricePerJob: cargo.price.0,
            pricePerToken: cargo.price.1, pricePerSecond: cargo.price.2, publishedAt: cargo.publishedAt)
        try writer.putRegistryEntry(entry, words: RegistryWords(name: cargo.name, description: cargo.description, tags: cargo.tags))
    }

    private func expect(_ found: [String], _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    private func slugs(
        _ database: any Database, _ filter: RegistryFilter = RegistryFilter(), _ sort: RegistrySort? = nil, limit: Int = 100, offset: Int = 0
    ) async throws -> [String] {
        try await database.read { try $0.registryEntries(filter, sort: sort, limit: limit, offset: offset).rows.map(\.entry.slug) }
    }

    @Test(arguments: [
        ("translate", ["text-translator"]), ("TRANSL", ["text-translator"]), ("übersetzer", ["text-translator"]), ("ubersetzer", ["text-translator"]),
        ("text transl", ["text-translator"]), ("text-t", ["text-translator"]), ("image", ["picture-maker"]), ("transl text", []), ("nothing", []),
        ("", ["picture-maker", "text-translator"]),
        ("  ", ["picture-maker", "text-translator"]), ("!!!", []), ("🙂", []), ("image 🙂", ["picture-maker"]),
    ])
    func wordsAreFoundWhateverCaseAndAccents(query: String, expected: [String]) async throws {
        let cargos = [
            Cargo(slug: "text-translator", name: "Übersetzer", description: "Will translate a text."),
            Cargo(slug: "picture-maker", tags: ["image"], category: "art", publishedAt: 2),
        ]
        try await Self.stocked(cargos) { database in
            // "transl text" asks for "transl" as a whole word, which is nowhere.
            expect(try await slugs(database, RegistryFilter(query: query)), expected)
        }
    }

    @Test(arguments: [
        "\"", "\"\"", "a\"b", "NEAR(a b)", "a AND", "OR", "NOT a", "*", "a*", "^a", "(", ")", "a)", "{slug}: a", "slug:a", "-a", "a + b", "\u{0}",
        "a\u{0}b", "';--", "%", "_", "\\",
        "\u{202E}abc", "e\u{301}", "\u{FFFF}", "日本語", "مرحبا",
    ])
    func noTextIsAnErrorOrAWildcard(query: String) async throws {
        try await Self.stocked([Cargo(slug: "plain", name: "Zebra", description: "Stripes.")]) { database in
            expect(try await slugs(database, RegistryFilter(query: query)), [])
            let count = try await slugs(database, RegistryFilter(query: query + " zebra " + query)).count
            #expect(count <= 1)
        }
    }

    @Test func aLongQueryIsCutNotRefused() async throws {
        try await Self.stocked([Cargo(slug: "plain")]) { database in
            let words = Array(repeating: "cargo", count: 5000).joined(separator: " ")
            expect(try await slugs(database, RegistryFilter(query: words)), ["plain"])
            expect(try await slugs(database, RegistryFilter(query: String(repeating: "x", count: 100_000))), [])
        }
    }

    @Test func aNameSaysMoreThanADescription() async throws {
        let cargos = [
            Cargo(slug: "one", description: "Whisper whisper whisper."), Cargo(slug: "two", name: "Whisper"), Cargo(slug: "three", tags: ["whisper"]),
        ]
        try await Self.stocked(cargos) { database in
            expect(try await slugs(database, RegistryFilter(query: "whisper")), ["two", "three", "one"])
        }
    }

    @Test func filtersAreExactAndAllHold() async throws {
        let cargos = [
            Cargo(slug: "one", tags: ["llm", "chat"], category: "text", level: 2), Cargo(slug: "two", tags: ["llm-x"], category: "text"),
            Cargo(slug: "three", tags: ["llm"], category: "Text", runtime: "wasm"),
        ]
        try await Self.stocked(cargos) { database in
            expect(try await slugs(database, RegistryFilter(category: "text")).sorted(), ["one", "two"])
            expect(try await slugs(database, RegistryFilter(tag: "llm")).sorted(), ["one", "three"])
            expect(try await slugs(database, RegistryFilter(category: "text", tag: "llm")), ["one"])
            expect(try await slugs(database, RegistryFilter(runtimeType: "wasm")), ["three"])
            expect(try await slugs(database, RegistryFilter(trustLevel: 2)), ["one"])
            expect(try await slugs(database, RegistryFilter(tier: "certified")), ["one"])
            expect(try await slugs(database, RegistryFilter(verified: false)).sorted(), ["three", "two"])
            expect(try await slugs(database, RegistryFilter(category: "te%")), [])
        }
    }

    @Test(arguments: RegistrySort.allCases) func everyOrderShowsEachCargoOnceOverAllPages(sort: RegistrySort) async throws {
        let cargos = (0..<53).map { index in
            Cargo(slug: "cargo-\(index)", price: (index % 3, index % 2, 0), publishedAt: index % 5)
        }
        try await Self.stocked(cargos) { database in
            try await database.write { writer in
                for id in 1...53 {
                    if id % 4 > 0 { try writer.setReputation(workloadID: id, thousandths: id % 3 * 400) }
                    for _ in 0..<(id % 3) { try writer.addJobOutcome(workloadID: id, succeeded: true) }
                }
            }
            var seen: [String] = []
            for offset in stride(from: 0, to: 60, by: 7) { seen += try await slugs(database, RegistryFilter(), sort, limit: 7, offset: offset) }
            #expect(seen.count == 53)
            #expect(Set(seen).count == 53)
            let rows = try await database.read { try $0.registryEntries(RegistryFilter(), sort: sort, limit: 100, offset: 0).rows.map(\.entry) }
            for (left, right) in zip(rows, rows.dropFirst()) {
                switch sort {
                case .relevance, .newest: #expect(left.publishedAt >= right.publishedAt)
                case .jobs: #expect(left.jobsCompleted >= right.jobsCompleted)
                case .reputation: #expect(left.reputation ?? -1 >= right.reputation ?? -1)
                case .price:
                    #expect((left.pricePerJob, left.pricePerToken) <= (right.pricePerJob, right.pricePerToken))
                }
            }
        }
    }

    @Test(arguments: ["text", "Text", "a \"b\"", "!!!", "ﬁne", "日本 語"]) func aCategoryIsExactBesideWordsToo(category: String) async throws {
        let cargos = [
            Cargo(slug: "one", category: category), Cargo(slug: "two", category: category + " more"), Cargo(slug: "three", tags: [category]),
        ]
        try await Self.stocked(cargos) { database in
            expect(try await slugs(database, RegistryFilter(query: "cargo", category: category)), ["one"])
            expect(try await slugs(database, RegistryFilter(query: "cargo", tag: category)), ["three"])
            expect(try await slugs(database, RegistryFilter(query: "cargo", category: category, tag: category)), [])
        }
    }

    @Test func aNewVersionReplacesTheWordsAndKeepsTheNumbers() async throws {
        try await Self.stocked([Cargo(slug: "one", name: "Old", tags: ["old"])]) { database in
            try await database.write { writer in
                try writer.addJobOutcome(workloadID: 1, succeeded: true)
                try writer.addJobOutcome(workloadID: 1, succeeded: false)
                try writer.setReputation(workloadID: 1, thousandths: 812)
                try Self.put(Cargo(slug: "one", name: "New", tags: ["new"], level: 1), in: writer)
            }
            expect(try await slugs(database, RegistryFilter(query: "old")), [])
            expect(try await slugs(database, RegistryFilter(tag: "old")), [])
            expect(try await slugs(database, RegistryFilter(query: "new", tag: "new")), ["one"])
            let entry = try #require(try await database.read { try $0.registryEntry(workloadID: 1) })
            #expect([entry.jobsCompleted, entry.jobsFailed, entry.reputation, entry.trustLevel] == [1, 1, 812, 1])
        }
    }

    @Test func aCargoThatIsTakenOutIsNowhereAndComesBackWithItsNumbers() async throws {
        let cargo = Cargo(slug: "one", tags: ["t"])
        try await Self.stocked([cargo]) { database in
            try await database.write { writer in
                try writer.addJobOutcome(workloadID: 1, succeeded: true)
                try writer.removeRegistryEntry(workloadID: 1)
                try writer.addJobOutcome(workloadID: 1, succeeded: true)
            }
            for filter in [RegistryFilter(), RegistryFilter(query: "cargo"), RegistryFilter(tag: "t")] {
                expect(try await slugs(database, filter), [])
            }
            let tags = try await database.read { try $0.registryFacets(RegistryFilter()).tags }
            #expect(tags.isEmpty)
            let count = try await database.read { try $0.countRegistryEntries() }
            #expect(count == 0)
            try await database.write { try Self.put(cargo, in: $0) }
            let found = try await database.read { try $0.registryEntry(workloadID: 1)?.jobsCompleted }
            #expect(found == 2)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func facetsCountWhatTheListShows(seed: UInt64) async throws {
        var random = SplitMix64(state: seed)
        let cargos = (0..<80).map { index in
            Cargo(
                slug: "cargo-\(index)", tags: ["a", "b", "c"].filter { _ in Bool.random(using: &random) },
                category: [nil, "text", "image"].randomElement(using: &random) ?? nil, level: Int.random(in: 0...3, using: &random),
                runtime: ["container", "wasm"].randomElement(using: &random) ?? "")
        }
        try await Self.stocked(cargos) { database in
            for filter in [
                RegistryFilter(), RegistryFilter(tag: "a"), RegistryFilter(query: "cargo", category: "text"), RegistryFilter(trustLevel: 9),
            ] {
                let (rows, facets) = try await database.read { reader in
                    (try reader.registryEntries(filter, sort: .newest, limit: 1000, offset: 0).rows.map(\.entry), try reader.registryFacets(filter))
                }
                func counted(_ value: (RegistryEntryRow) -> String?) -> [String: Int] {
                    Dictionary(rows.compactMap(value).map { ($0, 1) }, uniquingKeysWith: +)
                }
                func told(_ counts: [RegistryFacets.Count]) -> [String: Int] { Dictionary(uniqueKeysWithValues: counts.map { ($0.value, $0.count) }) }
                #expect(told(facets.category) == counted(\.category), "seed \(seed)")
                #expect(told(facets.runtimeType) == counted(\.runtimeType), "seed \(seed)")
                #expect(told(facets.trustLevel) == counted { "\($0.trustLevel)" }, "seed \(seed)")
                #expect(told(facets.verified) == counted { "\($0.verified)" }, "seed \(seed)")
                let slugs = Set(rows.map(\.slug))
                let tags = cargos.filter { slugs.contains($0.slug) }.flatMap(\.tags)
                #expect(told(facets.tags) == Dictionary(tags.map { ($0, 1) }, uniquingKeysWith: +), "seed \(seed)")
            }
        }
    }
}

import ArgumentParser
import Domain
import JSON

/// `archipelago registry …`.
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Look at published Cargos.", subcommands: [Search.self, Show.self, Versions.self])

    /// In which order Cargos are listed.
    enum Order: String, CaseIterable, ExpressibleByArgument {
        case relevance, jobs, reputation, newest, price
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Search published Cargos.",
            discussion: """
                  archipelago registry search "word count" --level 1 --sort jobs
                  archipelago registry search --tag text --facets
                """)
        @Argument(help: "Words to look for; all Cargos without.") var text: String?
        @Option(help: "Only this category.") var category: String?
        @Option(help: "Only with this tag.") var tag: String?
        @Option(help: "Only of this runtime type.") var runtime: RuntimeType?
        @Option(help: "Only of this trust level, 0 to 3.") var level: Int?
        @Option(help: "Only of this tier.") var tier: Tier?
        @Flag(inversion: .prefixedNo, help: "Only verified Cargos, or only those that are not.") var verified: Bool?
        @Option(help: "What comes first.") var sort: Order?
        @Flag(help: "Also count the matches by category, tag, runtime type, tier, level and verification.") var facets = false
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let level, !(0...3).contains(level) { throw ValidationError("--level is 0, 1, 2 or 3.") }
        }

        func run() async throws {
            let answer = try await coordinator.client().call(.get, "/workloads\(query.text)")
            output.show(list: answer, empty: "No published Cargo matches.", CargoLines.table)
            if !output.json, let counts = answer["meta"]?["facets"] {
                for line in CargoLines.facets(counts) { Terminal.say(Terminal.printable(line)) }
            }
        }

        private var query: Query {
            var query = Query()
            query.add("query", text)
            query.add("category", category)
            query.add("tag", tag)
            query.add("runtime_type", runtime?.rawValue)
            query.add("trust_level", level)
            query.add("tier", tier?.rawValue)
            query.add("verified", verified)
            query.add("sort", sort?.rawValue)
            query.add("facets", facets ? true : nil)
            query.add(page)
            return query
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one published Cargo with its schemas.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let cargo = try await coordinator.client().data(.get, "/workloads/\(slug.asPathPart)")
            output.show(cargo, CargoLines.page(cargo))
        }
    }

    struct Versions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List every version of a Cargo that was published; the current one is starred.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/workloads/\(slug.asPathPart)/versions\(query.text)")
            output.show(list: answer, empty: "No version was published.", CargoLines.versions)
        }
    }
}

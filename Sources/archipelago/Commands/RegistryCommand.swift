import ArgumentParser
import JSON

/// `archipelago registry …`.
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Look at published Cargos.", subcommands: [Search.self, Show.self])

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Search published Cargos.")
        @Argument(help: "Words to look for; all Cargos without.") var query: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let filter = query.map { "&query=\($0.asPathPart)" } ?? ""
            let answer = try await coordinator.client().call(.get, "/workloads?limit=100\(filter)")
            let rows = answer["data"]?.array ?? []
            output.show(answer, rows.isEmpty ? ["No published Cargo matches."] : rows.map(RegistryCommand.line))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one published Cargo.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let cargo = try await coordinator.client().data(.get, "/workloads/\(slug.asPathPart)")
            output.show(cargo, [cargo.indentedText])
        }
    }

    static func line(_ cargo: JSONValue) -> String {
        let level = cargo["trust_level"]?.int.map(String.init) ?? "?"
        let head = "\(cargo["slug"]?.string ?? "?") \(cargo["version"]?.string ?? "")  level \(level) (\(cargo["tier"]?.string ?? "?"))"
        return "\(head)  \(cargo["description"]?.string ?? "")"
    }
}

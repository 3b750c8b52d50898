import ArgumentParser
import JSON

/// `archipelago account identity …`.
struct AccountIdentity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Prove who you are as a publisher.",
        discussion: """
            A publisher who proves a domain is shown as verified:

              archipelago account identity prove-domain example.org
              # serve the token that it prints at the address that it prints, then
              archipelago account identity check
            """,
        subcommands: [Show.self, ProveDomain.self, Check.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what is proven, and what a proof under way asks for.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let identity = try await coordinator.client().data(.get, "/account/identity")
            output.show(identity, AccountIdentity.lines(identity))
        }
    }

    struct ProveDomain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Begin to prove that a domain is yours.")
        @Argument(help: "The domain, such as example.org.") var domain: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let identity = try await coordinator.client().data(.post, "/account/identity/domain", ["domain": .string(domain)])
            output.show(identity, AccountIdentity.lines(identity))
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the coordinator look for the token on your domain.",
            discussion: "Exits 4 when it does not find it, and says what it found.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let identity = try await coordinator.client().data(.post, "/account/identity/domain/check")
            output.show(identity, AccountIdentity.lines(identity))
        }
    }

    private static func lines(_ identity: JSONValue) -> [String] {
        var lines = FieldList.lines(
            [
                ("standing", identity["standing"].words), ("verified", identity["verified"].words), ("by", identity["method"].wordsIfAny),
                ("domain", identity["domain"].wordsIfAny), ("evidence", identity["evidence"].wordsIfAny),
                ("since", identity["verified_at"].wordsIfAny.map { _ in Moment.words(identity["verified_at"]) }),
            ], indentation: 0)
        guard let challenge = identity["challenge"], !challenge.isNull else { return lines }
        lines += ["", "Proof under way for \(challenge["domain"].words), begun \(Moment.words(challenge["created_at"])). Serve this text"]
        lines += ["", "  \(challenge["token"].words)", "", "at", "", "  \(challenge["url"].words)", ""]
        return lines + ["then run 'archipelago account identity check'."]
    }
}

import ArgumentParser
import JSON

/// `archipelago admin ledger …`.
struct AdminLedger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Give credits, and check that all books add up.", subcommands: [Grant.self, Verify.self])

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account credits, or take some back.",
            discussion: """
                  archipelago admin ledger grant ACCOUNT 5000 --note 'Invoice 17'
                  archipelago admin ledger grant ACCOUNT --note 'Paid back' -- -5000
                """)
        @Argument(help: "The account's id.") var id: String
        @Argument(help: "Credits; below zero to take them back.") var amount: Int
        @Option(help: "Why, for the account's statement.") var note: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body: JSONObject = ["amount": .int(amount)]
            body["note"] = note.map(JSONValue.string)
            let credits = try await coordinator.client().data(.post, "/admin/accounts/\(id.asPathPart)/credits", .object(body))
            output.show(credits, ["Account \(id) has \(credits["credits"].words) credits, and \(credits["credits_held"].words) held for jobs."])
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add up all books; exits 1 when they do not fit.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let found = try await coordinator.client().data(.get, "/admin/ledger/verify")
            guard let balanced = found["balanced"]?.bool else { throw CommandFailure(.unavailable, "The coordinator's answer does not say.") }
            output.show(
                found,
                FieldList.lines(
                    [
                        ("books", balanced ? "balanced" : "WRONG"), ("transfers", found["transfers"].words),
                        ("credits given out", found["credits_issued"].words), ("held for jobs", found["credits_held"].words),
                    ], indentation: 0) + (found["faults"]?.array ?? []).compactMap(\.string))
            if !balanced { throw ExitCode(CommandExit.failed.rawValue) }
        }
    }
}

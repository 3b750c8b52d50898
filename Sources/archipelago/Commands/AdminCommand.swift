import ArgumentParser
import JSON

/// `archipelago admin …`.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Administer the network; needs a key with the scope admin.",
        subcommands: [
            AdminAudit.self, AdminAccounts.self, AdminLedger.self, Suspend.self, Unsuspend.self, AdminRevoke.self, AdminRevoked.self,
            AdminOfficial.self, AdminRescan.self,
        ])

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a published Cargo out of use; it takes no new jobs.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @Option(help: "Why, in words for the publisher.") var reason: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let cargo = try await coordinator.client().data(.post, "/admin/workloads/\(slug.asPathPart)/suspend", ["reason": .string(reason)])
            output.show(cargo, AdminCommand.lines(cargo))
        }
    }

    struct Unsuspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Put a suspended Cargo back into use.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @Option(help: "Why, in words for the publisher.") var reason: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body = JSONObject()
            body["reason"] = reason.map(JSONValue.string)
            let cargo = try await coordinator.client().data(.post, "/admin/workloads/\(slug.asPathPart)/unsuspend", .object(body))
            output.show(cargo, AdminCommand.lines(cargo))
        }
    }

    private static func lines(_ cargo: JSONValue) -> [String] {
        ["\(cargo["slug"].words) \(cargo["version"].words) is \(cargo["is_enabled"]?.bool == true ? "in use" : "suspended")."]
    }
}

/// `archipelago admin audit …`.
struct AdminAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Look at the log of changes, and check that nobody changed it.", subcommands: [List.self, Verify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List changes, newest first.",
            discussion: """
                  archipelago admin audit list --action submission.approve
                  archipelago admin audit list --subject submission/7
                """)
        @Option(help: "Only what this account did, by its id.") var actor: String?
        @Option(help: "Only this action, such as key.create.") var action: String?
        @Option(help: "Only what was done to this, such as submission/7.") var subject: String?
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add("actor", actor)
            query.add("action", action)
            query.add("subject", subject)
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/admin/audit\(query.text)")
            output.show(list: answer, empty: "No change matches.") { rows in
                Table(
                    [.right("NO"), .left("WHEN"), .left("ACTOR"), .left("ACTION"), .left("SUBJECT"), .clipped("BEFORE"), .clipped("AFTER")],
                    rows.map { row in
                        [
                            row["number"].words, Moment.words(row["at"]), row["actor"].words, row["action"].words, row["subject"].words,
                            row["before"].words, row["after"].words,
                        ]
                    })
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow the log's chain of hashes from its beginning; exits 1 when it is broken.",
            discussion: "Write the head hash down elsewhere: as long as it turns up again, nothing before it was changed.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let found = try await coordinator.client().data(.get, "/admin/audit/verify")
            guard let intact = found["intact"]?.bool else { throw CommandFailure(.unavailable, "The coordinator's answer does not say.") }
            output.show(
                found,
                FieldList.lines(
                    [
                        ("log", intact ? "intact" : "BROKEN"), ("entries", found["entries"].words), ("broken at", found["broken_at"].wordsIfAny),
                        ("head", found["head"].words), ("message", found["message"].wordsIfAny),
                    ], indentation: 0))
            if !intact { throw ExitCode(CommandExit.failed.rawValue) }
        }
    }
}

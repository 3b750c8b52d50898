import ArgumentParser
import JSON

/// `archipelago admin accounts …`.
struct AdminAccounts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Look at accounts, give roles, and verify publishers.",
        subcommands: [List.self, Roles.self, Verify.self, Unverify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts.")
        @Option(help: "Only accounts whose name or e-mail address has this in it.") var query: String?
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var wish = Query()
            wish.add("query", query)
            wish.add(page)
            let answer = try await coordinator.client().call(.get, "/admin/accounts\(wish.text)")
            output.show(list: answer, empty: "No account matches.") { rows in
                Table(
                    [.left("ID"), .clipped("NAME"), .clipped("E-MAIL"), .left("STANDING"), .left("ROLES"), .left("CREATED")],
                    rows.map { row in
                        [
                            row["id"].words, row["name"].words, row["email"].words, row["standing"].words, row["roles"].words,
                            Moment.words(row["created_at"]),
                        ]
                    })
            }
        }
    }

    /// What an administrator can make of an account.
    enum RoleName: String, CaseIterable, ExpressibleByArgument {
        case reviewer, admin
    }

    struct Roles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set an account's roles; those not named are taken away.",
            discussion: """
                  archipelago admin accounts roles ACCOUNT --role reviewer
                  archipelago admin accounts roles ACCOUNT --none
                """)
        @Argument(help: "The account's id.") var id: String
        @Option(name: .customLong("role"), help: "A role to have; may be repeated.") var roles: [RoleName] = []
        @Flag(help: "No roles at all.") var none = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if roles.isEmpty != none { throw ValidationError("Give at least one --role, or --none.") }
        }

        func run() async throws {
            let body: JSONValue = ["roles": .array(roles.map { .string($0.rawValue) })]
            let account = try await coordinator.client().data(.post, "/admin/accounts/\(id.asPathPart)/roles", body)
            output.show(account, AccountLines.lines(account))
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mark a publisher as verified, on evidence that you saw.",
            discussion: "  archipelago admin accounts verify ACCOUNT --evidence 'Passport seen in a call on 24 November'")
        @Argument(help: "The account's id.") var id: String
        @Option(help: "What proves it; kept with the account and in the log.") var evidence: String
        @Flag(help: "The publisher is the network itself.") var firstParty = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body: JSONObject = ["evidence": .string(evidence)]
            if firstParty { body["standing"] = "first_party" }
            let account = try await coordinator.client().data(.post, "/admin/publishers/\(id.asPathPart)/verify", .object(body))
            output.show(account, AccountLines.lines(account))
        }
    }

    struct Unverify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a publisher's verification away.")
        @Argument(help: "The account's id.") var id: String
        @Option(help: "Why, in words for the publisher.") var reason: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let account = try await coordinator.client().data(
                .post, "/admin/publishers/\(id.asPathPart)/unverify", ["reason": .string(reason)])
            output.show(account, AccountLines.lines(account))
        }
    }
}

import ArgumentParser
import Domain
import JSON

/// `archipelago keys …`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, list, and revoke your API keys.", subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an API key and print it, once.",
            discussion: """
                A key may read and write, unless --scope says otherwise; it can do no more than you can.

                  archipelago keys create ci --scope read --scope write --expires-in-days 90
                  ARCHIPELAGO_API_KEY=$(archipelago keys create tonight --expires-in-days 1 --quiet)
                """)
        @Argument(help: "A name, to tell it from your other keys.") var name: String
        @Option(name: .customLong("scope"), help: "What the key may do; may be repeated (default: read and write).") var scopes: [Scope] = []
        @Option(help: "Days until the key ends, 1 to 3650 (default: never).") var expiresInDays: Int?
        @Flag(name: .shortAndLong, help: "Write only the key to stdout.") var quiet = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body: JSONObject = ["name": .string(name)]
            if !scopes.isEmpty { body["scopes"] = .array(scopes.map { .string($0.rawValue) }) }
            body["expires_in_days"] = expiresInDays.map(JSONValue.int)
            let answer = try await coordinator.client().call(.post, "/api-keys", .object(body))
            guard let key = answer["key"]?.string, let data = answer["data"] else {
                throw CommandFailure(.unavailable, "The coordinator's answer has no API key.")
            }
            if quiet { return Terminal.say(Terminal.printable(key)) }
            output.show(
                answer,
                FieldList.lines(
                    [
                        ("id", data["id"].words), ("name", data["name"].words), ("scopes", data["scopes"].words),
                        ("expires", KeysCommand.expiry(data)), ("key (shown once)", key),
                    ], indentation: 0))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List your API keys, newest first.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/api-keys\(query.text)")
            output.show(list: answer, empty: "No API keys.") { rows in
                Table(
                    [.left("ID"), .clipped("NAME"), .left("BEGINS"), .left("SCOPES"), .left("CREATED"), .left("LAST USED"), .left("EXPIRES")],
                    rows.map { key in
                        [
                            key["id"].words, key["name"].words, key["prefix"].words, key["scopes"].words, Moment.words(key["created_at"]),
                            Moment.words(key["last_used_at"]), KeysCommand.expiry(key),
                        ]
                    })
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End an API key at once.")
        @Argument(help: "The key's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().data(.delete, "/api-keys/\(id.asPathPart)")
            output.show(answer, ["Revoked key \(id)."])
        }
    }

    private static func expiry(_ key: JSONValue) -> String {
        key["expires_at"].wordsIfAny == nil ? "never" : Moment.words(key["expires_at"])
    }
}

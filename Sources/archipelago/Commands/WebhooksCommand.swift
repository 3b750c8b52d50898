import ArgumentParser
import JSON

/// `archipelago webhooks …`.
struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Have notifications sent to a server of yours.",
        discussion: """
            Each event is a POST, signed with the webhook's secret, and is sent again until the server takes it.

              archipelago webhooks add https://example.org/hooks/archipelago --event submission.approved --event submission.rejected
            """,
        subcommands: [List.self, Add.self, Remove.self, Deliveries.self, Redeliver.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List your webhooks and how their last delivery went.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().call(.get, "/webhooks")
            output.show(list: answer, empty: "No webhooks.") { rows in
                Table(
                    [.left("ID"), .clipped("URL"), .clipped("EVENTS"), .left("LAST DELIVERY"), .right("STATUS"), .left("FAILING SINCE")],
                    rows.map { row in
                        [
                            row["id"].words, row["url"].words, WebhooksCommand.events(row), Moment.words(row["last_delivery_at"]),
                            row["last_status"].words, Moment.words(row["failing_since"]),
                        ]
                    })
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a webhook and print its secret, once.",
            discussion: """
                Kinds: submission.pending_review, submission.scanned, submission.approved, submission.rejected, submission.published, \
                submission.superseded, submission.suspended, submission.unsuspended, submission.tag_moved, identity.verified, \
                identity.revoked.
                """)
        @Argument(help: "The address to send to.") var url: String
        @Option(name: .customLong("event"), help: "A kind of event to send; may be repeated (default: all).") var events: [String] = []
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body: JSONObject = ["url": .string(url)]
            if !events.isEmpty { body["events"] = .array(events.map(JSONValue.string)) }
            let answer = try await coordinator.client().call(.post, "/webhooks", .object(body))
            guard let secret = answer["secret"]?.string, let webhook = answer["data"] else {
                throw CommandFailure(.unavailable, "The coordinator's answer has no secret.")
            }
            output.show(
                answer,
                FieldList.lines(
                    [
                        ("webhook", webhook["id"].words), ("url", webhook["url"].words), ("events", WebhooksCommand.events(webhook)),
                        ("secret (shown once)", secret),
                    ], indentation: 0))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a webhook; nothing more is sent to it.")
        @Argument(help: "The webhook's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().data(.delete, "/webhooks/\(id.asPathPart)")
            output.show(answer, ["Removed webhook \(id)."])
        }
    }

    struct Deliveries: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what was sent to a webhook, newest first, and how it went.")
        @Argument(help: "The webhook's id.") var id: String
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/webhooks/\(id.asPathPart)/deliveries\(query.text)")
            output.show(list: answer, empty: "Nothing was sent yet.", WebhooksCommand.table)
        }
    }

    struct Redeliver: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Send a delivery again.")
        @Argument(help: "The webhook's id.") var id: String
        @Argument(help: "The delivery's id.") var delivery: Int
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().data(.post, "/webhooks/\(id.asPathPart)/deliveries/\(delivery)/redeliver")
            output.show(answer, WebhooksCommand.table([answer]).lines(widthMax: Terminal.width))
        }
    }

    private static func events(_ webhook: JSONValue) -> String { webhook["events"].wordsIfAny ?? "all" }

    private static func table(_ rows: [JSONValue]) -> Table {
        Table(
            [
                .right("ID"), .left("CREATED"), .left("KIND"), .left("STATE"), .right("TRIES"), .right("STATUS"), .left("NEXT TRY"),
                .clipped("ERROR"),
            ],
            rows.map { row in
                [
                    row["id"].words, Moment.words(row["created_at"]), row["kind"].words, row["state"].words, row["tries"].words,
                    row["status"].words, Moment.words(row["next_try_at"]), row["error"].wordsIfAny ?? "",
                ]
            })
    }
}

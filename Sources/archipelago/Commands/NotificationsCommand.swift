import ArgumentParser
import JSON

/// `archipelago notifications …`.
struct NotificationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notifications", abstract: "Read what the network tells you about your submissions.", subcommands: [List.self, Read.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List notifications, newest first; unread ones are starred.")
        @Flag(help: "Only what you have not read.") var unread = false
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add("unread", unread ? true : nil)
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/notifications\(query.text)")
            output.show(list: answer, empty: unread ? "Nothing unread." : "No notifications.") { rows in
                Table(
                    [.left(""), .right("ID"), .left("WHEN"), .left("KIND"), .clipped("TITLE"), .clipped("MESSAGE")],
                    rows.map { row in
                        [
                            row["read_at"].wordsIfAny == nil ? "*" : "", row["id"].words, Moment.words(row["created_at"]), row["kind"].words,
                            row["title"].words, row["message"].wordsIfAny ?? "",
                        ]
                    })
            }
            if !output.json, let count = answer["meta"]?["unread"]?.int, count > 0 {
                Terminal.talk("\(count) unread; 'archipelago notifications read --all' marks them as read.")
            }
        }
    }

    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Mark a notification, or all of them, as read.")
        @Argument(help: "The notification's id.") var id: Int?
        @Flag(help: "All of them.") var all = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if (id == nil) != all { throw ValidationError("Give either a notification's id or --all.") }
        }

        func run() async throws {
            let client = try coordinator.client()
            guard let id else {
                let answer = try await client.data(.post, "/notifications/read-all")
                return output.show(answer, ["Marked \(answer["read"].words) as read."])
            }
            let row = try await client.data(.post, "/notifications/\(id)/read")
            let lines = ["\(row["title"].words)  (\(Moment.words(row["created_at"])))"]
            output.show(row, lines + (row["message"].wordsIfAny.map { [$0] } ?? []))
        }
    }
}

import ArgumentParser
import JSON

// What owners do with Islands that run elsewhere.
extension IslandCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List your Islands.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/islands\(query.text)")
            output.show(list: answer, empty: "You have no Island; register one with 'archipelago island register'.") { rows in
                Table(
                    [.left("ID"), .clipped("NAME"), .left("CONNECTED"), .left("DRAINED"), .right("KARMA"), .left("LAST SEEN")],
                    rows.map { row in
                        [
                            row["id"].words, row["name"].words, row["connected"].words, row["drained"].words, row["karma"].words,
                            row["connected"]?.bool == true ? "now" : Moment.words(row["last_seen_at"]),
                        ]
                    })
            }
        }
    }

    /// Tells the coordinator one word about an Island.
    struct Wish: ParsableArguments {
        @Argument(help: "The Island's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func send(_ word: String, _ lines: (_ name: String) -> String) async throws {
            let island = try await coordinator.client().data(.post, "/islands/\(id.asPathPart)/\(word)")
            output.show(island, [lines(island["name"].words)])
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an Island no new jobs; those it has go on.")
        @OptionGroup var wish: Wish

        func run() async throws {
            try await wish.send("drain") { "\($0) takes no new jobs; 'archipelago island resume \(wish.id)' lets it take them again." }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a drained Island new jobs again.")
        @OptionGroup var wish: Wish

        func run() async throws { try await wish.send("resume") { "\($0) takes jobs." } }
    }

    struct Karma: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show how an Island's karma has changed, newest first.")
        @Argument(help: "The Island's id.") var id: String
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/islands/\(id.asPathPart)/karma\(query.text)")
            output.show(list: answer, empty: "Its karma has not changed yet.") { rows in
                Table(
                    [.left("WHEN"), .right("CHANGE"), .right("KARMA"), .left("REASON"), .left("JOB")],
                    rows.map { row in
                        [Moment.words(row["at"]), row["change"].words, row["karma"].words, row["reason"].words, row["job_id"].words]
                    })
            }
        }
    }
}

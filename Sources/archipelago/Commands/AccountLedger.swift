import ArgumentParser
import JSON

/// `archipelago account ledger`.
struct AccountLedger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Show what came to your account and went from it, newest first.",
        discussion: """
            A job's worst case is held when it is sent, and settled when it is over: what it cost is gone, the rest comes back. What you \
            earn as a publisher or with an Island comes as settlements too.
            """)
    @OptionGroup var page: PageOptions
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var query = Query()
        query.add(page)
        let answer = try await coordinator.client().call(.get, "/account/ledger\(query.text)")
        output.show(list: answer, empty: "Nothing has moved yet.") { rows in
            Table(
                [.right("NO"), .left("WHEN"), .left("KIND"), .right("AMOUNT"), .right("BALANCE"), .left("JOB"), .clipped("NOTE")],
                rows.map { row in
                    [
                        row["id"].words, Moment.words(row["at"]), row["kind"].words, row["amount"].words, row["balance"].words,
                        row["job_id"].words, row["note"].words,
                    ]
                })
        }
    }
}

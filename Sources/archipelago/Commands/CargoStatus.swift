import ArgumentParser
import JSON

/// `archipelago cargo status`.
struct CargoStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where your submissions stand, or one of them with its scan.",
        discussion: """
            With --watch every event and every new state of the scan is a line, as it comes (with --json one object a line, with the \
            member type: event, scan or submission). It ends when the submission leaves review: 0 approved or withdrawn, 4 \
            rejected; or 5 when its scan could not be done.

              archipelago cargo status
              archipelago cargo status 7 --watch
            """)

    @Argument(help: "The submission's id; all of yours without.") var id: Int?
    @Flag(help: "Wait until the scan has ended; exit 4 when it blocks the approval.") var wait = false
    @Flag(help: "Show what happens, as it happens, until the submission leaves review.") var watch = false
    @OptionGroup var page: PageOptions
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if wait || watch, id == nil { throw ValidationError("Give the id of the submission to wait for.") }
        if wait, watch { throw ValidationError("Give --wait or --watch, not both.") }
    }

    func run() async throws {
        let client = try coordinator.client()
        guard let id else {
            var query = Query()
            query.add(page)
            let answer = try await client.call(.get, "/submissions\(query.text)")
            return output.show(list: answer, empty: "No submissions; see 'archipelago cargo submit --help'.", SubmissionLines.table)
        }
        if watch {
            var watcher = SubmissionWatcher(client: client, submission: id, json: output.json)
            return try await watcher.watch()
        }
        let submission = try await client.data(.get, "/submissions/\(id)")
        if submission["state"]?.string == "draft" { return output.show(submission, [SubmissionLines.head(submission)]) }
        if wait { return try await ScanWatcher(client: client, submission: id).wait(output: output, quiet: false) }
        let scan = try await client.data(.get, "/submissions/\(id)/scans")
        output.show(
            ["submission": submission, "scan": scan],
            [SubmissionLines.head(submission), SubmissionLines.scan(scan)] + SubmissionLines.findings(scan))
    }
}

/// Waits for the scan of a submission.
struct ScanWatcher {
    let client: APIClient
    let submission: Int

    /// Chosen: a scan takes seconds; asking twice a second costs nothing.
    private static let interval: Duration = .milliseconds(500)

    /// Shows the scan once it has ended.
    ///
    /// - Throws: ``CommandFailure`` `refused` when the scan blocks, `unavailable` when it could not be done.
    func wait(output: OutputOptions, quiet: Bool) async throws {
        while true {
            let scan = try await client.data(.get, "/submissions/\(submission)/scans")
            let state = scan["state"]?.string ?? "?"
            if state != "queued", state != "running" {
                Terminal.progress("")
                let words = SubmissionLines.scan(scan)
                if !quiet { output.show(scan, ["Submission \(submission)  \(words)"] + SubmissionLines.findings(scan)) }
                if state != "finished" { throw CommandFailure(.unavailable, words) }
                if scan["verdict"]?.string == "blocked" { throw CommandFailure(.refused, "The scan blocks the approval.") }
                return
            }
            Terminal.progress("Scan \(state) …")
            try await Task.sleep(for: Self.interval)
        }
    }
}

import ArgumentParser
import JSON

/// `archipelago jobs …`.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at your jobs.", subcommands: [List.self, Show.self, Logs.self, Cancel.self, Explain.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List your jobs, newest first.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/jobs\(query.text)")
            output.show(list: answer, empty: "No jobs yet.") { rows in
                Table(
                    [.left("JOB"), .left("CARGO"), .left("STATUS"), .left("SENT"), .right("CREDITS"), .clipped("ERROR")],
                    rows.map { row in
                        [
                            row["id"].words, row["workload_slug"].words, row["status"].words, Moment.words(row["created_at"]),
                            row["usage"]?["credits_used"].words ?? "", row["error"].words,
                        ]
                    })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one job and its output.")
        @Argument(help: "The job's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let job = try await coordinator.client().data(.get, "/jobs/\(id.asPathPart)")
            output.show(job, [JobsCommand.line(job), job["output"]?.string ?? ""])
        }
    }

    struct Logs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a job has written, from its beginning or --from a record on.")
        @Argument(help: "The job's id.") var id: String
        @Option(help: "The number of the first record.") var from = 1
        @Flag(help: "Go on with what it writes, until it is over.") var follow = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let client = try coordinator.client()
            let written = try await client.data(.get, "/jobs/\(id.asPathPart)")["records"]?.int ?? 0
            var printer = TranscriptPrinter(json: output.json)
            try await TranscriptFollower(client: client, job: id.asPathPart).follow(from: from, until: follow ? .max : written) { printer.show($0) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel a job.")
        @Argument(help: "The job's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let job = try await coordinator.client().data(.delete, "/jobs/\(id.asPathPart)")
            output.show(job, [JobsCommand.line(job)])
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show why a job was given to its Island, or what keeps it from every one.")
        @Argument(help: "The job's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().data(.get, "/jobs/\(id.asPathPart)/placement")
            output.show(answer, Self.lines(answer))
        }

        private static func lines(_ answer: JSONValue) -> [String] {
            var lines = ["\(answer["job_id"].words) is \(answer["status"].words), attempt \(answer["attempt"].words)."]
            if let waiting = answer["waiting"] {
                lines.append(waiting["message"].words)
                lines += (waiting["obstacles"]?.array ?? []).map { "  \($0["islands"].words) × \($0["reason"].words): \($0["remedy"].words)" }
            }
            if let decision = answer["decision"], let candidates = decision["candidates"]?.array {
                lines.append("Given to \(decision["island"].words); \(decision["fitting"].words) of \(decision["connected"].words) Islands fitted.")
                lines += candidates.map { candidate in
                    let parts = ["image", "room", "karma", "nearness"].map { "\($0) \(candidate[$0].words)" }.joined(separator: ", ")
                    return "  \(candidate["island"].words): \(candidate["points"].words) points (\(parts))"
                }
            }
            return lines
        }
    }

    static func line(_ job: JSONValue) -> String {
        var line =
            "\(job["id"]?.string ?? "?")  \(job["status"]?.string ?? "?")  \(job["workload_slug"]?.string ?? "?") \(job["version"]?.string ?? "")"
        if let code = job["code"]?.string { line += "  \(code): \(job["error"]?.string ?? "")" }
        return line
    }
}

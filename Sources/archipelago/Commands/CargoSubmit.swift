import ArgumentParser
import Foundation
import JSON

/// `archipelago cargo submit`.
struct CargoSubmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit a version of a Cargo and hand it in for review.",
        discussion: """
            FILE is a JSON object with the fields of a submission (name, slug, description, runtime_type, container_image,
            input_schema, output_schema, a price, …), or - for stdin. Fields given as flags replace those of the file.
            With --wait the command ends when the scan has: exit 4 when the scan blocks the approval.
            """)

    @Argument(help: "The file with the fields.") var file: String
    @Option(help: "The image reference; replaces container_image.") var image: String?
    @Flag(help: "Keep it a draft.") var draft = false
    @Flag(help: "Wait until the scan has ended.") var wait = false
    @Flag(name: .shortAndLong, help: "Write only the submission's id to stdout.") var quiet = false
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try coordinator.client()
        var object = try JobInputOptions.parse(["--input", file == "-" ? "-" : "@\(file)"]).object()
        if let image { object["container_image"] = .string(image) }
        var submission = try await client.data(.post, "/workloads", .object(object))
        guard let id = submission["id"]?.int else { throw CommandFailure(.unavailable, "The coordinator's answer has no id.") }
        if !draft {
            do {
                submission = try await client.data(.post, "/submissions/\(id)/transitions", ["to": "pending_review"])
            } catch let failure as CommandFailure {
                throw CommandFailure(failure.exit, "\(failure.message)\nSubmission \(id) stays a draft.")
            }
        }
        if quiet { Terminal.say("\(id)") } else if !wait { output.show(submission, [SubmissionLines.head(submission)]) }
        if wait, !draft { try await ScanWatcher(client: client, submission: id).wait(output: output, quiet: quiet) }
    }
}

/// `archipelago cargo status`.
struct CargoStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where your submissions stand, or one of them with its scan.")

    @Argument(help: "The submission's id; all of yours without.") var id: Int?
    @Flag(help: "Wait until the scan has ended; exit 4 when it blocks the approval.") var wait = false
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try coordinator.client()
        guard let id else {
            let answer = try await client.call(.get, "/submissions?limit=100")
            return output.show(answer, (answer["data"]?.array ?? []).map(SubmissionLines.head))
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

/// `archipelago cargo publish`.
struct CargoPublish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "publish", abstract: "Publish an approved submission.")

    @Argument(help: "The submission's id.") var id: Int
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let submission = try await coordinator.client().data(.post, "/submissions/\(id)/transitions", ["to": "published"])
        output.show(submission, [SubmissionLines.head(submission)])
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

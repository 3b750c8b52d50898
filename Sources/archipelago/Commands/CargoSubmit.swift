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

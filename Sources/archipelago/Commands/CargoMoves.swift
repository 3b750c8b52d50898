import ArgumentParser
import JSON

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

/// `archipelago cargo hand-in`.
struct CargoHandIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hand-in", abstract: "Hand a draft in for review: pin its image and start the scan.")

    @Argument(help: "The submission's id.") var id: Int
    @Flag(help: "Wait until the scan has ended; exit 4 when it blocks the approval.") var wait = false
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try coordinator.client()
        let submission = try await client.data(.post, "/submissions/\(id)/transitions", ["to": "pending_review"])
        if wait { return try await ScanWatcher(client: client, submission: id).wait(output: output, quiet: false) }
        output.show(submission, [SubmissionLines.head(submission)])
    }
}

/// `archipelago cargo withdraw`.
struct CargoWithdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take a submission back from review; it is a draft again.")

    @Argument(help: "The submission's id.") var id: Int
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let submission = try await coordinator.client().data(.post, "/submissions/\(id)/transitions", ["to": "draft"])
        output.show(submission, [SubmissionLines.head(submission)])
    }
}

/// `archipelago cargo resubmit`.
struct CargoResubmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resubmit", abstract: "Make a new draft from a rejected submission.",
        discussion: """
            The draft has the fields of the rejected submission. Change what the reviewer asked for, then hand it in:

              archipelago cargo resubmit 7
              archipelago cargo edit 8 --image ghcr.io/example/text-stats:v1.0.1
              archipelago cargo hand-in 8 --wait
            """)

    @Argument(help: "The rejected submission's id.") var id: Int
    @Flag(name: .shortAndLong, help: "Write only the new draft's id to stdout.") var quiet = false
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let draft = try await coordinator.client().data(.post, "/submissions/\(id)/resubmit")
        if quiet { return Terminal.say(draft["id"].words) }
        output.show(draft, [SubmissionLines.head(draft)])
        if !output.json { Terminal.talk("Next: archipelago cargo edit \(draft["id"].words), then archipelago cargo hand-in \(draft["id"].words)") }
    }
}

/// `archipelago cargo edit`.
struct CargoEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change fields of a draft.",
        discussion: "FILE is a JSON object with the fields to change, or - for stdin; the other fields stay. The slug cannot change.")

    @Argument(help: "The draft's id.") var id: Int
    @Argument(help: "The file with the fields to change.") var file: String?
    @Option(help: "The image reference; replaces container_image.") var image: String?
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if file == nil, image == nil { throw ValidationError("Give a file with the fields to change, or --image.") }
    }

    func run() async throws {
        let client = try coordinator.client()
        var fields = try file.map { try JobInputOptions.parse(["--input", $0 == "-" ? "-" : "@\($0)"]).object() } ?? JSONObject()
        if let image { fields["container_image"] = .string(image) }
        let draft = try await client.data(.patch, "/submissions/\(id)", .object(fields))
        output.show(draft, [SubmissionLines.head(draft)])
    }
}

/// `archipelago cargo delete`.
struct CargoDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a draft; a slug that nothing else uses becomes free.")

    @Argument(help: "The draft's id.") var id: Int
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await coordinator.client().data(.delete, "/submissions/\(id)")
        output.show(answer, ["Deleted draft \(id)."])
    }
}

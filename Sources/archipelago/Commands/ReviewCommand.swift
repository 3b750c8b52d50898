import ArgumentParser
import Foundation
import JSON

/// `archipelago review …`.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Review submissions.", subcommands: [List.self, Show.self, Approve.self, Reject.self, ReviewCertify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List submissions that wait for review, oldest first.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/review/queue\(query.text)")
            output.show(list: answer, empty: "Nothing waits for review.") { rows in
                Table(
                    [.right("ID"), .left("CARGO"), .left("VERSION"), .right("WAITING"), .clipped("SCAN")],
                    rows.map { entry in
                        [
                            entry["id"].words, entry["slug"].words, entry["version"].words,
                            entry["waiting_seconds"]?.int.map { Moment.span(seconds: $0) } ?? "-", SubmissionLines.scan(entry["scan"] ?? .null),
                        ]
                    })
            }
            guard !output.json, let waiting = answer["meta"]?["waiting"], answer["data"]?.array?.isEmpty == false else { return }
            let times = [("half", "p50_seconds"), ("nine of ten", "p90_seconds"), ("all", "max_seconds")].compactMap { share, name in
                waiting[name]?.int.map { "\(share) wait at most \(Moment.span(seconds: $0))" }
            }
            Terminal.talk(times.joined(separator: ", "))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show everything that a reviewer needs about a submission.",
            discussion: """
                Publisher, image, what each scanner said, findings, the difference to the published version, schema problems, the \
                resources beside what levels 0 and 1 give, the checklist, and the history. Long values are cut; --json has all.
                """)
        @Argument(help: "The submission's id.") var id: Int
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let dossier = try await coordinator.client().data(.get, "/review/submissions/\(id)")
            output.show(dossier, ReviewPage(dossier: dossier).lines)
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a submission.",
            discussion: """
                Tick every point of the checklist that you went through; 'archipelago review show' asks them. All are needed:

                  archipelago review approve 7 --level 0 --checked scan,schemas,resources,metadata,policy
                """)
        @Argument(help: "The submission's id.") var id: Int
        @Option(help: "The trust level to give: 0 or 1; 2 to a signed version of a certified Cargo.") var level: Int
        @Option(help: "The points ticked, parted by commas.") var checked: String = ""
        @Flag(help: "Accept medium findings; needs --note.") var acceptMedium = false
        @Option(help: "Words to the approval.") var note: String = ""
        @Option(help: "The numbers of the justifications that you have read, parted by commas; without it all there are.") var justifications: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var checklist = JSONObject()
            for item in checked.split(separator: ",") { checklist[item.trimmingCharacters(in: .whitespaces)] = true }
            var body: JSONObject = [
                "trust_level": .int(level), "checklist": .object(checklist), "accept_medium": .bool(acceptMedium), "note": .string(note),
            ]
            if let justifications {
                body["justifications"] = .array(
                    try justifications.split(separator: ",").map { text in
                        guard let number = Int(text.trimmingCharacters(in: .whitespaces)) else {
                            throw CommandFailure(.usage, "--justifications takes numbers, not '\(text)'.")
                        }
                        return .int(number)
                    })
            }
            let submission = try await coordinator.client().data(.post, "/review/submissions/\(id)/approve", .object(body))
            output.show(submission, [SubmissionLines.head(submission)])
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reject a submission.",
            discussion: "  archipelago review reject 7 --rule schemas --reason 'The output schema allows frames that the protocol does not have.'")
        @Argument(help: "The submission's id.") var id: Int
        @Option(help: "Why, in words for the publisher.") var reason: String
        @Option(help: "The rule that the rejection rests on, such as policy or schemas.") var rule: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let body: JSONValue = ["reason": .string(reason), "rule": .string(rule)]
            let submission = try await coordinator.client().data(.post, "/review/submissions/\(id)/reject", body)
            output.show(submission, [SubmissionLines.head(submission)])
        }
    }
}

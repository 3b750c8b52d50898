import ArgumentParser
import Foundation
import JSON

/// `archipelago review …`.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Review submissions.", subcommands: [List.self, Approve.self, Reject.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List submissions that wait for review, oldest first.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await coordinator.client().call(.get, "/review/queue?limit=100")
            let lines = (answer["data"]?.array ?? []).map { entry in
                "\(SubmissionLines.head(entry))  \(SubmissionLines.scan(entry["scan"] ?? .null))"
            }
            output.show(answer, lines.isEmpty ? ["Nothing waits for review."] : lines)
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a submission.",
            discussion: "Tick every point of the checklist that you went through: --checked scan,schemas,resources,metadata,policy.")
        @Argument(help: "The submission's id.") var id: Int
        @Option(help: "The trust level to give: 0 or 1.") var level: Int
        @Option(help: "The points ticked, parted by commas.") var checked: String = ""
        @Flag(help: "Accept medium findings; needs --note.") var acceptMedium = false
        @Option(help: "Words to the approval.") var note: String = ""
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var checklist = JSONObject()
            for item in checked.split(separator: ",") { checklist[item.trimmingCharacters(in: .whitespaces)] = true }
            let body: JSONValue = [
                "trust_level": .int(level), "checklist": .object(checklist), "accept_medium": .bool(acceptMedium), "note": .string(note),
            ]
            let submission = try await coordinator.client().data(.post, "/review/submissions/\(id)/approve", body)
            output.show(submission, [SubmissionLines.head(submission)])
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reject a submission.")
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

/// Submissions and scans in lines for people.
enum SubmissionLines {
    static func head(_ submission: JSONValue) -> String {
        var line =
            "Submission \(submission["id"]?.int ?? 0)  \(submission["slug"]?.string ?? "?") \(submission["version"]?.string ?? "")  \(submission["state"]?.string ?? "?")"
        if let level = submission["trust_level"]?.int { line += "  level \(level)" }
        if let reason = submission["rejection_reason"]?.string { line += "  rejected: \(reason)" }
        return line
    }

    static func scan(_ scan: JSONValue) -> String {
        guard let state = scan["state"]?.string else { return "not scanned" }
        if let failure = scan["failure"], !failure.isNull {
            return "scan: \(state) - \(failure["message"]?.string ?? "") \(failure["remedy"]?.string ?? "")"
        }
        guard let verdict = scan["verdict"]?.string else { return "scan: \(state)" }
        let counts = ["critical", "high", "medium", "low", "unknown"].map { "\(scan["counts"]?[$0]?.int ?? 0) \($0)" }
        return "scan: \(verdict) (\(counts.joined(separator: ", ")))"
    }

    static func findings(_ scan: JSONValue) -> [String] {
        (scan["findings"]?.array ?? []).map { finding in
            let fix = finding["fixed_version"]?.string.map { "fixed in \($0)" } ?? "no fix known"
            return
                "  \(finding["severity"]?.string ?? "?")  \(finding["id"]?.string ?? "?")  \(finding["package"]?.string ?? "?") \(finding["version"]?.string ?? "")  \(fix)"
        }
    }
}

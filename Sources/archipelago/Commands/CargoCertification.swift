import ArgumentParser
import JSON

/// `archipelago cargo certification`.
struct CargoCertification: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certification", abstract: "Show what a Cargo has and lacks for trust level 2.")

    @Argument(help: "The Cargo's slug.") var slug: String
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let standing = try await coordinator.client().data(.get, "/workloads/\(slug.asPathPart)/certification")
        output.show(standing, CertificationLines.lines(standing))
    }
}

/// `archipelago cargo certify`.
struct CargoCertify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certify", abstract: "Ask for trust level 2.",
        discussion: "A reviewer decides. Exits 4 while a condition is not met; 'archipelago cargo certification' shows them all.")

    @Argument(help: "The Cargo's slug.") var slug: String
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let standing = try await coordinator.client().data(.post, "/workloads/\(slug.asPathPart)/certification")
        output.show(standing, CertificationLines.lines(standing))
    }
}

/// `archipelago review certify …`.
struct ReviewCertify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certify", abstract: "Decide which Cargos are certified.", subcommands: [List.self, Approve.self, Reject.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List certifications that wait for a decision, oldest first.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/review/certifications\(query.text)")
            output.show(list: answer, empty: "No certification waits.") { rows in
                Table(
                    [.right("ID"), .left("CARGO"), .right("LEVEL"), .left("SINCE"), .left("BY")],
                    rows.map { row in
                        [
                            row["id"].words, row["slug"].words, row["trust_level"].words, Moment.words(row["requested_at"]),
                            row["requested_by"].words,
                        ]
                    })
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Raise a Cargo to trust level 2.", discussion: "Every condition is looked at again; exits 4 when one is not met any more.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @Option(help: "Words to the decision.") var note: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body = JSONObject()
            body["note"] = note.map(JSONValue.string)
            let path = "/review/workloads/\(slug.asPathPart)/certification/approve"
            let standing = try await coordinator.client().data(.post, path, .object(body))
            output.show(standing, CertificationLines.lines(standing))
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse a certification.")
        @Argument(help: "The Cargo's slug.") var slug: String
        @Option(help: "Why, in words for the publisher.") var reason: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let path = "/review/workloads/\(slug.asPathPart)/certification/reject"
            let standing = try await coordinator.client().data(.post, path, ["reason": .string(reason)])
            output.show(standing, CertificationLines.lines(standing))
        }
    }
}

/// `archipelago admin official`.
struct AdminOfficial: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "official", abstract: "Raise an audited Cargo to trust level 3.",
        discussion: "The report stands in the audit log. The next version of the Cargo needs an audit of its own.")

    @Argument(help: "The Cargo's slug.") var slug: String
    @Option(help: "What was audited, by whom, and what came of it.") var report: String
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let cargo = try await coordinator.client().data(.post, "/admin/workloads/\(slug.asPathPart)/official", ["report": .string(report)])
        output.show(cargo, ["\(cargo["slug"].words) \(cargo["version"].words) is at trust level \(cargo["trust_level"].words)."])
    }
}

/// Certifications in lines for people.
enum CertificationLines {
    static func lines(_ standing: JSONValue) -> [String] {
        var head = "\(standing["slug"].words) \(standing["version"].words)  level \(standing["trust_level"].words) (\(standing["tier"].words))"
        if let request = standing["request"], !request.isNull {
            head += "  certification \(request["state"].words)"
            if let words = request["ended_because"].wordsIfAny ?? request["note"].wordsIfAny { head += ": \(words)" }
        }
        let conditions = standing["conditions"]?.array ?? []
        return [head] + conditions.map { "  \($0["met"]?.bool == true ? "met    " : "missing")  \($0["message"].words)" }
    }
}

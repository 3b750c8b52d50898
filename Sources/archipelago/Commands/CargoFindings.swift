import ArgumentParser
import JSON

/// `archipelago cargo sbom`.
struct CargoSBOM: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sbom", abstract: "Write a submission's bill of materials to stdout.")

    @Argument(help: "The submission's id.") var id: Int
    @Option(help: "cyclonedx or spdx.") var format = "cyclonedx"
    @Option(help: "The image's platform, such as linux/amd64; needed where it has several.") var platform: String?
    @OptionGroup var coordinator: CoordinatorOptions

    func run() async throws {
        var query = Query()
        query.add("format", format)
        query.add("platform", platform)
        Terminal.say(try await coordinator.client().call(.get, "/submissions/\(id)/sbom\(query.text)"))
    }
}

/// `archipelago cargo justify`.
struct CargoJustify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "justify", abstract: "Say why a medium finding does no harm, or how it is mitigated.",
        discussion: """
            The words are those of OpenVEX. A reviewer countersigns what is said by approving, or on its own.

              archipelago cargo justify 7 CVE-2024-22195 --reason vulnerable_code_not_in_execute_path --statement "No template is rendered."
              archipelago cargo justify 7 CVE-2024-22195 --affected --statement "Only our own templates reach it."
            """)

    @Argument(help: "The submission's id.") var id: Int
    @Argument(help: "The advisory, such as CVE-2024-22195.") var finding: String
    @Option(help: "The package's name or URL; needed where several have the advisory.") var package: String?
    @Flag(help: "The image is affected, and the statement describes the mitigation.") var affected = false
    @Option(
        help:
            "component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, or inline_mitigations_already_exist."
    ) var reason: String?
    @Option(help: "The reason or the mitigation in words.") var statement: String
    @Option(help: "Days that it holds, at most 365 (default 180).") var validDays: Int?
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var body: JSONObject = [
            "finding": .string(finding), "status": .string(affected ? "affected" : "not_affected"), "statement": .string(statement),
        ]
        body["package"] = package.map(JSONValue.string)
        body["reason"] = reason.map(JSONValue.string)
        body["valid_days"] = validDays.map(JSONValue.int)
        let row = try await coordinator.client().data(.post, "/submissions/\(id)/justifications", .object(body))
        output.show(row, ["\(row["finding"].words) in \(row["package"].words): \(row["status"].words), until \(Moment.words(row["expires_at"]))"])
    }
}

/// `archipelago cargo vex`.
struct CargoVEX: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vex", abstract: "Write a submission's countersigned justifications to stdout, as an OpenVEX document.")

    @Argument(help: "The submission's id.") var id: Int
    @OptionGroup var coordinator: CoordinatorOptions

    func run() async throws { Terminal.say(try await coordinator.client().call(.get, "/submissions/\(id)/vex")) }
}

/// `archipelago admin rescan`.
struct AdminRescan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescan", abstract: "Scan published Cargos again now, not at their moment of the week.")

    @Argument(help: "The Cargo's slug.") var slug: String?
    @Flag(help: "Every published Cargo.") var all = false
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if all == (slug != nil) { throw ValidationError("Give a Cargo's slug, or --all.") }
    }

    func run() async throws {
        let body: JSONObject = slug.map { ["workload": .string($0)] } ?? ["all": true]
        let outlook = try await coordinator.client().data(.post, "/admin/rescans", .object(body))
        output.show(outlook, ["\(outlook["made_due"].words) made due, \(outlook["planned"].words) in the weekly plan."])
    }
}

import JSON

/// Everything about a submission under review, on one page for people.
struct ReviewPage {
    let dossier: JSONValue

    /// Chosen: a schema is longer than any screen is wide; what is cut is in the JSON.
    private static let valueWidthMax = 48

    var lines: [String] {
        let sections = [
            section(title, submission), section("Publisher", publisher), section("Image", image), section(scanTitle, scanners),
            section("Findings", findings),
            section("Justifications", justifications), section(differenceTitle, difference), section("Schemas", schemas),
            section("Resources", resources),
            section("Checklist", checklist), section("History", history),
        ]
        return Array(sections.joined(separator: [""])) + next
    }

    private func section(_ title: String, _ lines: [String]) -> [String] { [title] + lines }

    private func table(_ columns: [Table.Column], _ rows: [[String]]) -> [String] {
        Table(columns, rows).lines(widthMax: Terminal.width, indentation: 2)
    }

    private var title: String {
        let submission = dossier["submission"]
        return "Submission \(submission?["id"].words ?? "?")  \(submission?["slug"].words ?? "?") \(submission?["version"].words ?? "")  "
            + (submission?["state"].words ?? "?")
    }

    private var submission: [String] {
        let submission = dossier["submission"] ?? .null
        let waiting = dossier["waiting_seconds"]?.int.map { "\(Moment.span(seconds: $0)), since \(Moment.words(submission["submitted_at"]))" }
        return FieldList.lines([
            ("name", submission["name"].words), ("description", submission["description"].words), ("runtime", submission["runtime_type"].words),
            ("category", submission["category"].wordsIfAny), ("tags", submission["tags"].wordsIfAny),
            ("price", CargoLines.price(submission)), ("waiting", waiting),
            ("resubmitted from", submission["resubmitted_from"].wordsIfAny),
        ])
    }

    private var publisher: [String] {
        let publisher = dossier["publisher"] ?? .null
        return FieldList.lines([
            ("account", "\(publisher["name"].words) (\(publisher["id"].words))"), ("standing", publisher["standing"].words),
            ("verified", publisher["verified"].words), ("active Cargos", publisher["active_cargos"].words),
        ])
    }

    private var image: [String] {
        let image = dossier["image"] ?? .null
        let moved = image["tag_moved_to"].wordsIfAny.map { "MOVED to \($0); what is reviewed is the digest above" }
        return FieldList.lines([("reference", image["reference"].words), ("digest", image["digest"].words), ("tag", moved)])
    }

    private var scanTitle: String { "Scanners  \(SubmissionLines.scan(dossier["scan"] ?? .null))" }

    private var scanners: [String] {
        let rows = dossier["scanners"]?.array ?? []
        if rows.isEmpty { return ["  none has looked at it yet"] }
        return table(
            [.left("SCANNER"), .left("VERSION"), .left("PLATFORM"), .left("SYSTEM"), .right("PACKAGES"), .left("DATABASE OF")]
                + SubmissionLines.severities.map { .right($0.uppercased()) },
            rows.map { row in
                let system = row["os"]?["family"]?.string.map { "\($0) \(row["os"]?["name"]?.string ?? "")" }
                return [
                    row["scanner"].words, row["version"].words, row["platform"].words, system ?? "-", row["packages"].wordsIfAny ?? "-",
                    row["database_updated_at"]?.string == nil ? "-" : Moment.words(row["database_updated_at"]),
                ] + SubmissionLines.severities.map { row["counts"]?[$0].words ?? "-" }
            }) + SubmissionLines.remarks(dossier["scan"] ?? .null)
    }

    private var justifications: [String] {
        let rows = dossier["justifications"]?.array ?? []
        if rows.isEmpty { return ["  none"] }
        return rows.flatMap { row -> [String] in
            let state =
                row["ended_because"]?.string.map { "over: \($0)" }
                ?? (row["countersigned_by"]?.isNull == false ? "countersigned" : "not countersigned yet")
            return [
                "  \(row["id"].words)  \(row["finding"].words) in \(row["package"].words): \(row["status"].words)"
                    + (row["reason"].wordsIfAny.map { ", \($0)" } ?? "") + " (\(state), until \(Moment.words(row["expires_at"])))",
                "     \(Table.oneLine(row["statement"].words))",
            ]
        }
    }

    private var findings: [String] {
        let findings = dossier["findings"]?.array ?? []
        if findings.isEmpty { return ["  none"] }
        return SubmissionLines.findingTable(findings).lines(widthMax: Terminal.width, indentation: 2)
    }

    private var differenceTitle: String {
        guard let previous = dossier["previous"], !previous.isNull else { return "Difference" }
        return "Difference to \(previous["version"].words), published \(Moment.words(previous["published_at"]))"
    }

    private var difference: [String] {
        guard let difference = dossier["difference"], !difference.isNull else { return ["  no version is published yet"] }
        let fields = difference["fields"]?.array ?? []
        let added = difference["findings"]?["added"]?.array ?? []
        let removed = difference["findings"]?["removed"]?.array ?? []
        func cut(_ value: JSONValue?) -> String { Table.clipped(Table.oneLine(value.words), to: Self.valueWidthMax) }
        var lines = fields.isEmpty ? ["  no field differs"] : []
        if !fields.isEmpty {
            lines += table(
                [.left("FIELD"), .clipped("FROM"), .clipped("TO")], fields.map { [$0["field"].words, cut($0["from"]), cut($0["to"])] })
        }
        for (title, findings) in [("findings that are new", added), ("findings that are gone", removed)] {
            lines.append("  \(title):\(findings.isEmpty ? " none" : "")")
            if !findings.isEmpty { lines += SubmissionLines.findingTable(findings).lines(widthMax: Terminal.width, indentation: 4) }
        }
        return lines
    }

    private var schemas: [String] {
        FieldList.lines(
            ["input", "output"].map { name in
                guard let problems = dossier["schemas"]?[name]?["problems"]?.array else { return (name, "not checked") }
                let lines = problems.map { "\(Table.oneLine($0["pointer"].words)): \(Table.oneLine($0["message"].words))" }
                return (name, lines.isEmpty ? "no problems" : lines.joined(separator: "\n"))
            })
    }

    private var resources: [String] {
        table(
            [.left("RESOURCE"), .right("ASKED"), .right("LEVEL 0"), .left(""), .right("LEVEL 1"), .left("")],
            (dossier["resources"]?.array ?? []).map { row in
                [
                    row["name"].words, row["asked"].words, row["level_0"].words, fits(row["fits_level_0"]), row["level_1"].words,
                    fits(row["fits_level_1"]),
                ]
            })
    }

    private func fits(_ value: JSONValue?) -> String {
        switch value?.bool {
        case true?: "fits"
        case false?: "TOO MUCH"
        case nil: "?"
        }
    }

    private var checklist: [String] {
        FieldList.lines((dossier["checklist"]?.array ?? []).map { ($0["item"].words, Table.oneLine($0["question"].words)) })
    }

    private var history: [String] {
        (dossier["events"]?.array ?? []).map { "  \(Moment.words($0["at"]))  \(Table.oneLine(SubmissionLines.event($0)))" }
    }

    /// The two commands that may follow.
    private var next: [String] {
        guard dossier["submission"]?["state"]?.string == "pending_review", let id = dossier["submission"]?["id"]?.int else { return [] }
        let items = (dossier["checklist"]?.array ?? []).compactMap { $0["item"]?.string }.joined(separator: ",")
        return [
            "", "Next, once you went through the checklist:", "  archipelago review approve \(id) --level 0 --checked \(items)",
            "  archipelago review reject \(id) --rule RULE --reason TEXT",
        ]
    }
}

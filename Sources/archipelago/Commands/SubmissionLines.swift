import JSON

/// Submissions and scans in lines for people.
enum SubmissionLines {
    /// Worst first.
    static let severities = ["critical", "high", "medium", "low", "unknown"]

    static func head(_ submission: JSONValue) -> String {
        var line =
            "Submission \(submission["id"]?.int ?? 0)  \(submission["slug"]?.string ?? "?") \(submission["version"]?.string ?? "")  \(submission["state"]?.string ?? "?")"
        if let level = submission["trust_level"]?.int { line += "  level \(level)" }
        if let reason = submission["rejection_reason"]?.string { line += "  rejected: \(reason)" }
        return line
    }

    /// Submissions in a list.
    static func table(_ submissions: [JSONValue]) -> Table {
        Table(
            [.right("ID"), .left("CARGO"), .left("VERSION"), .left("STATE"), .right("LEVEL"), .left("CHANGED"), .clipped("REMARK")],
            submissions.map { submission in
                let remark = submission["rejection_reason"].wordsIfAny ?? submission["review_note"].wordsIfAny ?? ""
                return [
                    submission["id"].words, submission["slug"].words, submission["version"].words, submission["state"].words,
                    submission["trust_level"].words, Moment.words(submission["updated_at"]), remark,
                ]
            })
    }

    /// What happened, by whom, and the words to it.
    static func event(_ event: JSONValue) -> String {
        var line = "\(event["action"].words) → \(event["to"].words)"
        if let actor = event["actor"].wordsIfAny { line += "  by \(actor)" }
        if let note = event["note"].wordsIfAny { line += "  \(note)" }
        return line
    }

    static func scan(_ scan: JSONValue) -> String {
        guard let state = scan["state"]?.string else { return "not scanned" }
        if let failure = scan["failure"], !failure.isNull {
            return "scan: \(state) - \(failure["message"]?.string ?? "") \(failure["remedy"]?.string ?? "")"
        }
        guard let verdict = scan["verdict"]?.string else { return "scan: \(state)" }
        let counts = severities.map { "\(scan["counts"]?[$0]?.int ?? 0) \($0)" }
        return "scan: \(verdict) (\(counts.joined(separator: ", ")))"
    }

    static func findings(_ scan: JSONValue) -> [String] {
        let findings = scan["findings"]?.array ?? []
        return findings.isEmpty ? [] : findingTable(findings).lines(widthMax: Terminal.width, indentation: 2)
    }

    /// Findings in a list, as they come: worst first.
    static func findingTable(_ findings: [JSONValue]) -> Table {
        Table(
            [.left("SEVERITY"), .left("FINDING"), .left("PACKAGE"), .left("VERSION"), .left("FIXED IN"), .left("SEEN BY")],
            findings.map { finding in
                [
                    finding["severity"].words, finding["id"].words, finding["package"].words, finding["version"].words,
                    finding["fixed_version"].words, finding["scanners"].words,
                ]
            })
    }
}

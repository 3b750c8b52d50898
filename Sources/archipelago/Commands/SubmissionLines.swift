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
        return scan["verdict"]?.string == nil ? "scan: \(state)" : "scan: \(verdict(scan))"
    }

    /// The verdict with its counts, or why there is none.
    static func verdict(_ scan: JSONValue) -> String {
        guard let verdict = scan["verdict"]?.string else {
            return "\(scan["state"].words): \(scan["failure"]?["message"].words ?? "") \(scan["failure"]?["remedy"].words ?? "")"
        }
        let counts = severities.map { "\(scan["counts"]?[$0]?.int ?? 0) \($0)" }
        return "\(verdict) (\(counts.joined(separator: ", ")))"
    }

    /// What a reader must know beside the counts: warnings, scanners that are missing, what scanners do not agree on.
    static func remarks(_ scan: JSONValue) -> [String] {
        var lines = (scan["missing_scanners"]?.array ?? []).map { "  without \($0.words), which this network does not have" }
        lines += (scan["warnings"]?.array ?? []).map { "  \($0.words)" }
        for finding in scan["disputed"]?.array ?? [] {
            let ratings = (finding["ratings"]?.object?.members ?? []).map { "\($0.name) \($0.value.words)" }.joined(separator: ", ")
            lines.append("  not agreed: \(finding["id"].words) in \(finding["package"].words): \(ratings)")
        }
        return lines
    }

    /// The colours of a severity where a line begins with one: SGR codes of red, yellow and so on.
    private static let colours = ["critical": "1;31", "high": "31", "medium": "33", "low": "36", "unknown": "2", "blocked": "1;31", "clean": "32"]

    /// A line with its first word in the colour of the severity that it names.
    static func coloured(_ line: String) -> String {
        let lead = line.prefix { $0 == " " }
        let word = line.dropFirst(lead.count).prefix { $0.isLetter }
        guard let colour = colours[String(word)] else { return line }
        return "\(lead)\u{1B}[\(colour)m\(word)\u{1B}[0m\(line.dropFirst(lead.count + word.count))"
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

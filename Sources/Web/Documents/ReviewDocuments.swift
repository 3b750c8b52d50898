import Coordinator
import Domain
import JSON
import Storage

extension WaitingTimes {
    /// How long the queue waits.
    var json: JSONValue { ["p50_seconds": .int(median), "p90_seconds": .int(ninetieth), "max_seconds": .int(longest)] }
}

extension ReviewDossier {
    /// Everything that a reviewer needs, in one document.
    var json: JSONValue {
        [
            "submission": submission.json,
            "publisher": [
                "id": .string(publisher.id), "name": .string(publisher.name), "standing": .string(publisher.standing.rawValue),
                "verified": .bool(publisher.isVerified), "active_cargos": .int(activeCargos),
            ],
            "scan": scan?.json ?? .null, "scanners": .array(scan.map(Self.scanners) ?? []),
            "findings": .array((scan?.findings ?? []).map(\.json)), "justifications": .array(justifications.map(\.json)),
            "previous": previous.map {
                ["id": .int($0.row.id), "version": .string($0.row.version), "published_at": time($0.row.publishedAt)]
            } ?? .null,
            "difference": difference?.json ?? .null,
            "schemas": ["input": schema("/input_schema"), "output": schema("/output_schema")],
            "resources": .array(ResourceReview.all(of: submission.fields).map(\.json)),
            "image": [
                "reference": .optional(submission.fields.containerImage), "digest": .optional(submission.row.imageDigest),
                "tag_moved_to": .optional(submission.row.tagMovedTo),
            ],
            "checklist": .array(ChecklistItem.allCases.map { ["item": .string($0.rawValue), "question": .string($0.question)] }),
            "events": .array(events.map(\.json)), "waiting_seconds": .int(waitingSeconds),
        ]
    }

    private func schema(_ place: String) -> JSONValue {
        let problems = schemaProblems.filter { $0.pointer == place || $0.pointer.hasPrefix(place + "/") }
        return ["problems": .array(problems.map { ["pointer": .string($0.pointer), "message": .string($0.message)] })]
    }

    /// What each scanner said, side by side: its report and the findings that it saw.
    private static func scanners(_ scan: Scan) -> [JSONValue] {
        scan.reports.map { report in
            let name = report["scanner"]?.string ?? ""
            var object = report.object ?? JSONObject()
            object["counts"] = SeverityCounts(of: scan.findings.compactMap { $0.ratings[name] }).json
            return .object(object)
        }
    }
}

extension SubmissionDifference {
    fileprivate var json: JSONValue {
        func value(_ text: JSONText) -> JSONValue { (try? JSONValue(parsing: text)) ?? .null }  // written by this program as JSON
        return [
            "fields": .array(fields.map { ["field": .string($0.name), "from": value($0.from), "to": value($0.to)] }),
            "findings": ["added": .array(addedFindings.map(\.json)), "removed": .array(removedFindings.map(\.json))],
        ]
    }
}

extension ResourceReview {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "asked": .int(asked), "level_0": .int(levelZero), "level_1": .int(levelOne),
            "fits_level_0": .bool(asked <= levelZero), "fits_level_1": .bool(asked <= levelOne),
        ]
    }
}

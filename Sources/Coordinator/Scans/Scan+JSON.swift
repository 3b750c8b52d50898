public import Domain
public import JSON
public import OCI

extension Scan {
    /// The scan as the API and the command line show it; `failure` and `next_try_at` only where it could not scan.
    public var json: JSONValue {
        func time(_ moment: Timestamp?) -> JSONValue { .optional(moment?.description) }
        return [
            "state": .string(state.rawValue), "verdict": .optional(verdict?.rawValue), "digest": .string(digest),
            "counts": SeverityCounts(of: findings).json, "findings": .array(findings.map(\.json)), "reports": .array(reports),
            "disputed": .array(disputed.map(\.json)), "missing_scanners": .array(missingScanners.map(JSONValue.string)),
            "warnings": .array(warnings.map(JSONValue.string)), "sbom_referrers": billReferrers.map(JSONValue.object) ?? .null,
            "finished_at": time(finishedAt),
            "flagged": flag.map { flag in
                [
                    "severity": .string(flag.severity), "began_at": time(flag.beganAt), "ends_at": time(flag.endsAt),
                    "suspended_at": time(flag.suspendedAt),
                ]
            } ?? .null,
            "failure": failure.map(JSONValue.object) ?? .null, "next_try_at": time(nextTryAt),
        ]
    }

    /// A scan that was made here and now, without a network that stores it.
    public init(of content: StoredContent, by judge: ContentJudge, at now: Timestamp) async {
        let outcome: ScanOutcome
        do {
            outcome = .finished(try await judge.judge(content, as: nil))
        } catch {
            outcome = ScanOutcome(error: error)
        }
        self.init(outcome, digest: content.digest.description, at: now)
    }
}

extension SeverityCounts {
    /// How many findings of each severity.
    public var json: JSONValue {
        var object = JSONObject()
        for severity in Severity.allCases { object[severity.rawValue] = .int(self[severity]) }
        return .object(object)
    }
}

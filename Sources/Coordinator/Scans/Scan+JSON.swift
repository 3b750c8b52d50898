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
            "warnings": .array(warnings.map(JSONValue.string)), "finished_at": time(finishedAt),
            "failure": failure.map(JSONValue.object) ?? .null, "next_try_at": time(nextTryAt),
        ]
    }

    /// A scan that was made here and now, without a network that stores it.
    public init(of image: StoredImage, by judge: ImageJudge, at now: Timestamp) async {
        let outcome: ScanOutcome
        do {
            outcome =
                image.images.isEmpty
                ? .notScannable(code: "no_image", "The digest holds no platform's image.", "Push a container image.")
                : .finished(try await judge.judge(image))
        } catch {
            outcome = ScanOutcome(error: error)
        }
        self.init(outcome, digest: image.digest.description, missingScanners: judge.missingScanners, at: now)
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

/// What the findings of finished scans mean for approval.
public enum ScanVerdict: String, Sendable, Hashable, CaseIterable {
    /// Nothing that blocks or needs a word.
    case clean
    /// A medium finding: approval needs a justification or the reviewer's acceptance.
    case flagged
    /// A critical or high finding: approval is impossible.
    case blocked

    /// The verdict on all findings of one digest.
    public init(findings: some Sequence<Finding>) {
        self = .clean
        for finding in findings {
            switch finding.severity.impact {
            case .blocks:
                self = .blocked
                return
            case .needsJustification: self = .flagged
            case .informs: break
            }
        }
    }
}

/// How far the scan of a submission has come.
public enum ScanState: String, Sendable, Hashable, CaseIterable {
    case queued, running, finished
    /// A scanner could not do its work; never the same as clean. It is tried again.
    case couldNotScan = "could_not_scan"
    /// The artifact is of a kind that no scanner reads; it stays blocked.
    case notScannable = "not_scannable"

    /// Whether a worker still owes a result.
    public var isPending: Bool { self == .queued || self == .running }
}

/// What a reviewer ticks before approving. Source: the product's documentation, "Manual Review".
public enum ChecklistItem: String, Sendable, Hashable, CaseIterable {
    case scan, schemas, resources, metadata, policy
}

/// A reviewer's wish to approve a submission.
public struct ApprovalRequest: Sendable, Hashable {
    /// The level to give.
    public let trustLevel: TrustLevel
    /// What was ticked.
    public let checked: Set<ChecklistItem>
    /// Whether the reviewer accepts the medium findings; then a note is needed.
    public let acceptsMedium: Bool
    /// The reviewer's words.
    public let note: String
    /// The ids of the justifications that the reviewer has read and agrees to; `nil` for all there are.
    public let justifications: Set<Int>?

    /// A wish to approve.
    public init(trustLevel: TrustLevel, checked: Set<ChecklistItem>, acceptsMedium: Bool, note: String, justifications: Set<Int>? = nil) {
        self.justifications = justifications
        self.trustLevel = trustLevel
        self.checked = checked
        self.acceptsMedium = acceptsMedium
        self.note = note
    }

    /// What is wrong with the wish by itself, each with its JSON pointer.
    ///
    /// - Parameter replaced: the level of the version that is in the registry now; `nil` for none.
    public func problems(replacing replaced: TrustLevel? = nil) -> [Problem] {
        var problems = ChecklistItem.allCases.filter { !checked.contains($0) }.map {
            Problem("/checklist/\($0.rawValue)", "must be ticked (true) to approve")
        }
        if trustLevel > TrustLevel.reviewMax(replacing: replaced) {
            problems.append(
                Problem(
                    "/trust_level",
                    "a reviewer gives level 0 or 1, and 2 to a new version of a certified Cargo; higher levels are earned by certification or an audit"
                ))
        }
        if acceptsMedium, !note.contains(where: { !$0.isWhitespace }) {
            problems.append(Problem("/note", "accepting medium findings needs a note that says why"))
        }
        return problems
    }
}

/// Why a scan stands in the way of approval.
public enum ScanRefusal: String, Sendable, Hashable {
    case scanPending = "scan_pending"
    case couldNotScan = "could_not_scan"
    case notScannable = "not_scannable"
    case scanBlocked = "scan_blocked"
    case scanFlagged = "scan_flagged"

    /// The refusal that a scan asks for, or `nil` when it lets the approval through.
    ///
    /// - Parameters:
    ///   - state: how far the scan of the pinned digest has come.
    ///   - verdict: its verdict; only a finished scan has one.
    ///   - acceptsMedium: whether the reviewer accepts medium findings.
    public init?(state: ScanState, verdict: ScanVerdict?, acceptsMedium: Bool) {
        switch (state, verdict) {
        case (.queued, _), (.running, _): self = .scanPending
        case (.couldNotScan, _), (.finished, nil): self = .couldNotScan
        case (.notScannable, _): self = .notScannable
        case (.finished, .blocked): self = .scanBlocked
        case (.finished, .flagged): if acceptsMedium { return nil } else { self = .scanFlagged }
        case (.finished, .clean): return nil
        }
    }

    /// The refusal in words, with the remedy.
    public var message: String {
        switch self {
        case .scanPending: "The scan has not finished yet; try again when it has."
        case .couldNotScan: "The image could not be scanned, so it cannot be approved; the scan says what to mend."
        case .notScannable: "No scanner reads this kind of artifact, so it cannot be approved."
        case .scanBlocked: "Critical or high findings must be fixed before approval."
        case .scanFlagged: "Medium findings need a justification, or the reviewer's acceptance (accept_medium) with a note."
        }
    }
}

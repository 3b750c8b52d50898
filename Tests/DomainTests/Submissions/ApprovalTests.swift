import Domain
import Testing

@Suite struct ApprovalTests {
    static let all = Set(ChecklistItem.allCases)

    @Test func theChecklistIsTheDocumentedOne() {
        #expect(Set(ChecklistItem.allCases.map(\.rawValue)) == ["scan", "schemas", "resources", "metadata", "policy"])
    }

    @Test(arguments: [TrustLevel.untrusted, .basic])
    func aCompleteChecklistAtLevel0Or1IsRight(level: TrustLevel) {
        #expect(ApprovalRequest(trustLevel: level, checked: Self.all, acceptsMedium: false, note: "").problems() == [])
    }

    @Test(arguments: ChecklistItem.allCases)
    func everyMissingTickIsNamed(item: ChecklistItem) {
        let wish = ApprovalRequest(trustLevel: .basic, checked: Self.all.subtracting([item]), acceptsMedium: false, note: "")
        #expect(wish.problems().map(\.pointer) == ["/checklist/\(item.rawValue)"])
    }

    @Test(arguments: [TrustLevel.verified, .official])
    func reviewCannotGiveAHigherLevel(level: TrustLevel) {
        let wish = ApprovalRequest(trustLevel: level, checked: Self.all, acceptsMedium: false, note: "")
        #expect(wish.problems().map(\.pointer) == ["/trust_level"])
    }

    @Test(arguments: [("", true), (" \n\t", true), ("reviewed, not reachable", false)])
    func acceptingMediumFindingsNeedsANote(note: String, isWrong: Bool) {
        let wish = ApprovalRequest(trustLevel: .basic, checked: Self.all, acceptsMedium: true, note: note)
        #expect(wish.problems().map(\.pointer) == (isWrong ? ["/note"] : []))
    }

    @Test func everythingWrongIsNamedAtOnce() {
        let wish = ApprovalRequest(trustLevel: .official, checked: [], acceptsMedium: true, note: "")
        #expect(wish.problems().count == 5 + 1 + 1)
    }

    /// DESIGN §4.2: the scan must be finished; critical and high block; medium needs acceptance; "could not scan" never passes.
    @Test(
        arguments: [
            (ScanState.queued, ScanVerdict?.none, true, "scan_pending"), (.running, nil, true, "scan_pending"),
            (.couldNotScan, nil, true, "could_not_scan"),
            (.notScannable, nil, true, "not_scannable"), (.finished, .blocked, true, "scan_blocked"), (.finished, .blocked, false, "scan_blocked"),
            (.finished, .flagged, false, "scan_flagged"), (.finished, .flagged, true, nil), (.finished, .clean, false, nil),
            (.finished, .clean, true, nil),
            (.finished, nil, true, "could_not_scan"), (.queued, .clean, true, "scan_pending"), (.running, .clean, true, "scan_pending"),
            (.couldNotScan, .clean, true, "could_not_scan"), (.notScannable, .clean, true, "not_scannable"),
        ] as [(ScanState, ScanVerdict?, Bool, String?)])
    func aScanLetsThroughOnlyWhatItMay(state: ScanState, verdict: ScanVerdict?, accepts: Bool, refusal: String?) {
        let found = ScanRefusal(state: state, verdict: verdict, acceptsMedium: accepts)
        #expect(found?.rawValue == refusal)
        #expect(found?.message.isEmpty != true)
    }
}

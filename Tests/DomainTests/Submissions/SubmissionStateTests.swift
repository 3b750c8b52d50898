import Domain
import Testing

/// DESIGN §4.2 as a table: every pair of state and action that is allowed; every other pair is not.
@Suite struct SubmissionStateTests {
    static let allowed: [String: [String: String]] = [
        "draft": ["edit": "draft", "submit": "pending_review"],
        "pending_review": ["withdraw": "draft", "approve": "approved", "reject": "rejected"],
        "approved": ["publish": "published"],
        "rejected": [:],
        "published": ["supersede": "superseded", "suspend": "suspended"],
        "suspended": ["unsuspend": "published", "supersede": "superseded"],
        "superseded": [:],
    ]

    @Test func theTableNamesEveryState() {
        #expect(Set(SubmissionState.allCases.map(\.rawValue)) == Set(Self.allowed.keys))
    }

    @Test(arguments: SubmissionState.allCases, SubmissionAction.allCases)
    func everyPairFollowsTheTable(state: SubmissionState, action: SubmissionAction) {
        #expect(state.after(action)?.rawValue == Self.allowed[state.rawValue]?[action.rawValue])
    }

    @Test(arguments: SubmissionState.allCases)
    func allowedActionsAreThoseOfTheTableAndDeletingADraftAndResubmittingARejectedOne(state: SubmissionState) {
        var expected = Set((Self.allowed[state.rawValue] ?? [:]).keys)
        if state == .draft { expected.insert("delete") }
        if state == .rejected { expected.insert("resubmit") }
        #expect(Set(state.allowedActions.map(\.rawValue)) == expected)
        #expect(state.allowedActions.count == expected.count)
    }

    @Test func onlyADraftCanBeEditedOrDeleted() {
        for state in SubmissionState.allCases {
            #expect(state.allowedActions.contains(.edit) == (state == .draft))
            #expect(state.allowedActions.contains(.delete) == (state == .draft))
        }
    }

    /// "Active Cargos (pending_review, approved, published or suspended; drafts do not count)".
    @Test(arguments: [
        ("draft", false), ("pending_review", true), ("approved", true), ("rejected", false), ("published", true), ("superseded", false),
        ("suspended", true),
    ])
    func countsAsActive(name: String, isActive: Bool) throws {
        #expect(try #require(SubmissionState(rawValue: name)).isActive == isActive)
    }

    @Test(arguments: [
        ("pending_review", "submit"), ("draft", "withdraw"), ("published", "publish"), ("approved", nil), ("rejected", nil), ("superseded", nil),
        ("suspended", nil),
    ])
    func aPublisherAsksForThreeStates(name: String, action: String?) throws {
        #expect(SubmissionAction(publisherAsksFor: try #require(SubmissionState(rawValue: name)))?.rawValue == action)
    }

    @Test func noActionOfAnybodyReachesPublishedExceptFromApprovedOrSuspended() {
        for state in SubmissionState.allCases where state != .approved && state != .suspended {
            for action in SubmissionAction.allCases { #expect(state.after(action) != .published) }
        }
    }

    @Test(arguments: [("community", Int?.some(3)), ("verified", 10), ("first_party", nil)])
    func theLimitOfActiveCargosDependsOnTheStanding(name: String, most: Int?) throws {
        #expect(try #require(PublisherStanding(rawValue: name)).activeCargosMax == most)
    }
}

import Domain
import TestSupport
import Testing

@Suite struct DatabaseAgePolicyTests {
    /// An age in seconds, and what it means.
    private static let ages: [(Int, DatabaseAgePolicy.Judgement)] = [
        (-86_400, .fresh), (0, .fresh), (431_999, .fresh), (432_000, .aging), (1_209_599, .aging), (1_209_600, .stale), (315_360_000, .stale),
    ]

    @Test func fiveDaysWarnAndFourteenRefuse() {
        for (seconds, judgement) in Self.ages { #expect(DatabaseAgePolicy().judge(age: .seconds(seconds)) == judgement, "\(seconds) s") }
    }
}

@Suite struct RescanPolicyTests {
    private static let week = 7 * 86_400_000

    @Test func theNextMomentLiesWithinTheIntervalAndIsAlwaysTheSameMomentOfTheWeek() {
        let policy = RescanPolicy()
        var random = SplitMix64(state: 1)
        for _ in 0..<2000 {
            let (id, now) = (Int.random(in: 1...1_000_000, using: &random), Int.random(in: -1_000_000...4_000_000_000_000, using: &random))
            let next = policy.nextMoment(of: id, after: now)
            #expect(next > now && next <= now + Self.week)
            #expect(policy.nextMoment(of: id, after: next) == next + Self.week)
            #expect(policy.nextMoment(of: id, after: next - 1) == next)
        }
    }

    /// 10,000 Cargos over the 168 hours of a week: 59.5 in each on average; a fair throw stays below 110 with overwhelming probability.
    @Test func theWeekIsSharedOutEvenly() {
        let policy = RescanPolicy()
        var hours = [Int](repeating: 0, count: 168)
        for id in 1...10_000 { hours[policy.nextMoment(of: id, after: 0) % Self.week / 3_600_000] += 1 }
        #expect(hours.allSatisfy { (20...110).contains($0) }, "\(hours)")
    }

    @Test func criticalSuspendsAtOnceHighAfterAWeekAndNothingElseEver() {
        let policy = RescanPolicy()
        #expect(Severity.allCases.map(policy.grace) == Severity.allCases.map { $0 == .critical ? .zero : $0 == .high ? .seconds(604_800) : nil })
    }
}

@Suite struct JustificationRequestTests {
    private static func pointers(_ change: (inout JustificationRequest) -> Void) -> [String] {
        var request = JustificationRequest(
            finding: "CVE-1", package: nil, status: .notAffected, reason: .vulnerableCodeNotPresent, statement: "It is not compiled in.")
        change(&request)
        return request.problems().map(\.pointer)
    }

    @Test func eachMistakeIsNamed() {
        #expect(Self.pointers { _ in }.isEmpty)
        #expect(Self.pointers { $0.reason = nil } == ["/reason"])
        #expect(Self.pointers { $0.status = .affected } == ["/reason"])
        #expect(Self.pointers { ($0.status, $0.reason) = (.affected, nil) }.isEmpty)
        #expect(Self.pointers { $0.statement = " \n" } == ["/statement"])
        #expect(Self.pointers { ($0.reason, $0.statement, $0.validDays) = (nil, "", 0) } == ["/reason", "/statement", "/valid_days"])
    }

    @Test(arguments: [(0, false), (1, true), (365, true), (366, false)])
    func itHoldsAYearAtMost(days: Int, isAllowed: Bool) { #expect(Self.pointers { $0.validDays = days }.isEmpty == isAllowed) }

    /// OpenVEX 0.2.0 names five.
    @Test func theReasonsAreThoseOfOpenVEX() {
        #expect(
            Set(VEXReason.allCases.map(\.rawValue)) == [
                "component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
                "vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
            ])
    }
}

@Suite struct FindingTests {
    private static func finding(_ ratings: [String: Severity]) -> Finding {
        Finding(
            id: "CVE-1", package: "zlib", version: "1", fixedVersion: nil, packageURL: "pkg:deb/debian/zlib@1?arch=amd64", ratings: ratings,
            severity: .high, aliases: [])
    }

    @Test func scannersDisagreeOverASeverityAndOverWhatIsThere() {
        let ran = ["grype", "trivy"]
        #expect(!Self.finding(["trivy": .high, "grype": .high]).isDisputed(among: ran))
        #expect(Self.finding(["trivy": .high, "grype": .low]).isDisputed(among: ran))
        #expect(Self.finding(["trivy": .high]).isDisputed(among: ran))
        #expect(!Self.finding(["trivy": .high]).isDisputed(among: ["trivy"]))
    }

    @Test(arguments: ["zlib", "pkg:deb/debian/zlib@1?arch=amd64", "pkg:deb/debian/zlib@1", "pkg:deb/debian/zlib@1?distro=x"])
    func aPackageIsMeantByItsNameOrAnyOfItsURLs(text: String) { #expect(Self.finding(["trivy": .high]).isOf(package: text)) }

    @Test(arguments: ["", "zlib1", "pkg:deb/debian/zlib@2", "pkg:rpm/zlib@1"])
    func anotherPackageIsNotMeant(text: String) { #expect(!Self.finding(["trivy": .high]).isOf(package: text)) }
}

import Domain
import Testing

/// Each finding that blocks has a time of its own.
@Suite struct FindingDeadlinesTests {
    private static let day = 86_400_000
    private static let policy = RescanPolicy(criticalGrace: .seconds(86_400), highGrace: .seconds(7 * 86_400))
    private static let high = FindingMergeTests.finding("CVE-1", severityOrder: .high, by: [])
    private static let critical = FindingMergeTests.finding("CVE-1", severityOrder: .critical, by: [])
    private static let other = FindingMergeTests.finding("CVE-2", severityOrder: .high, by: [])
    private static let medium = FindingMergeTests.finding("CVE-3", severityOrder: .medium, by: [])

    @Test func onlyWhatBlocksHasAnEnd() {
        var deadlines = FindingDeadlines()
        #expect(deadlines.replace(with: [Self.medium], policy: Self.policy, now: 0) == [])
        #expect(deadlines.first == nil && deadlines.ends.isEmpty)
        #expect(deadlines.replace(with: [Self.high, Self.medium], policy: Self.policy, now: 5) == [Self.high])
        #expect(deadlines.first == 5 + 7 * Self.day)
    }

    @Test func whatStaysKeepsItsEndAndIsNotNew() {
        var deadlines = FindingDeadlines()
        _ = deadlines.replace(with: [Self.high], policy: Self.policy, now: 0)
        #expect(deadlines.replace(with: [Self.high, Self.other], policy: Self.policy, now: Self.day) == [Self.other])
        #expect(deadlines.first == 7 * Self.day)
        #expect(deadlines.replace(with: [Self.other], policy: Self.policy, now: 2 * Self.day) == [])
        #expect(deadlines.first == 8 * Self.day, "the first has gone")
    }

    @Test func aChangeOfSeverityHasItsOwnTime() {
        var deadlines = FindingDeadlines()
        _ = deadlines.replace(with: [Self.critical], policy: Self.policy, now: 0)
        #expect(deadlines.first == Self.day)
        #expect(deadlines.replace(with: [Self.high], policy: Self.policy, now: 10) == [Self.high])
        #expect(deadlines.first == 10 + 7 * Self.day)
        #expect(deadlines.replace(with: [Self.critical], policy: Self.policy, now: 20) == [Self.critical])
        #expect(deadlines.first == 20 + Self.day)
    }

    @Test func whatIsForgivenStaysSoWhileItIsThere() {
        var deadlines = FindingDeadlines()
        _ = deadlines.replace(with: [Self.critical], policy: Self.policy, now: 0)
        deadlines.forgive()
        #expect(deadlines.replace(with: [Self.critical], policy: Self.policy, now: Self.day) == [])
        #expect(deadlines.first == nil)
        #expect(deadlines.replace(with: [Self.critical, Self.other], policy: Self.policy, now: Self.day) == [Self.other])
        #expect(deadlines.first == 8 * Self.day)
        _ = deadlines.replace(with: [], policy: Self.policy, now: Self.day)
        #expect(deadlines.replace(with: [Self.critical], policy: Self.policy, now: Self.day) == [Self.critical], "it came back")
    }
}

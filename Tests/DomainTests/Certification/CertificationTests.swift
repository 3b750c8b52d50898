import Domain
import Testing

@Suite struct CertificationTests {
    private static func reputation(_ successes: Int, of jobs: Int, milliseconds: Int = 0, complaints: Int = 0) -> Reputation {
        Reputation(
            runs: (0..<jobs).map { ($0 < successes, milliseconds) }, timeoutMilliseconds: 300_000, complaints: complaints)
    }

    /// The formula of DESIGN §4.4, worked out by hand.
    @Test(arguments: [
        (0, 0, 0, 0, 0.8), (100, 100, 0, 0, 104.0 / 105), (90, 100, 0, 0, 94.0 / 105), (0, 100, 0, 0, 4.0 / 105),
        (100, 100, 150_000, 0, 104.0 / 105 * 0.9), (100, 100, 300_000, 0, 104.0 / 105 * 0.8), (100, 100, 900_000, 0, 104.0 / 105 * 0.8),
        (100, 100, 0, 1, 104.0 / 105 * 0.9), (100, 100, 0, 5, 104.0 / 105 * 0.5), (100, 100, 0, 50, 104.0 / 105 * 0.5), (0, 0, 0, 1, 0.8 * 0.8),
    ])
    func reputationFollowsItsFormula(successes: Int, jobs: Int, milliseconds: Int, complaints: Int, expected: Double) {
        let found = Self.reputation(successes, of: jobs, milliseconds: milliseconds, complaints: complaints).value
        #expect(abs(found - expected) < 1e-12)
    }

    /// Of 20 values the 95th percentile by nearest rank is the 19th.
    @Test func oneSlowJobInTwentyDoesNotCount() {
        let runs = { (slow: Int) in (0..<20).map { (succeeded: true, milliseconds: $0 < slow ? 300_000 : 0) } }
        #expect(Reputation(runs: runs(1), timeoutMilliseconds: 300_000, complaints: 0).value == Self.reputation(20, of: 20).value)
        #expect(Reputation(runs: runs(2), timeoutMilliseconds: 300_000, complaints: 0).value < Self.reputation(20, of: 20).value)
    }

    private static var good: CertificationFacts {
        CertificationFacts(
            scan: .finished, blockingFindings: 0, isIdentityVerified: true, signatureObstacle: nil, successfulJobs: 100,
            reputation: reputation(100, of: 100))
    }

    private static func unmet(_ change: (inout CertificationFacts) -> Void) -> [CertificationCondition] {
        var facts = good
        change(&facts)
        return facts.checks.filter { !$0.isMet }.map(\.condition)
    }

    @Test func everyConditionStandsForItself() {
        #expect(Self.good.checks.map(\.condition) == CertificationCondition.allCases)
        #expect(Self.unmet { _ in } == [])
        #expect(Self.unmet { $0.blockingFindings = 1 } == [.cleanScan])
        #expect(Self.unmet { $0.isIdentityVerified = false } == [.verifiedIdentity])
        #expect(Self.unmet { $0.signatureObstacle = "no" } == [.signedImage])
        #expect(Self.unmet { $0.successfulJobs = 99 } == [.successfulJobs])
        #expect(Self.unmet { $0.successfulJobs = 101 } == [])
        #expect(Self.unmet { $0.reputation = Self.reputation(0, of: 0) } == [.reputation], "0.8 is not above 0.8")
        #expect(Self.unmet { $0.reputation = Self.reputation(50, of: 100) } == [.reputation])
    }

    @Test(arguments: [nil, .queued, .running, .couldNotScan, .notScannable] as [ScanState?])
    func whatWasNotScannedIsNotClean(state: ScanState?) {
        #expect(Self.unmet { $0.scan = state } == [.cleanScan])
    }

    @Test func aCheckSaysWhatIsMissing() {
        var facts = Self.good
        facts.successfulJobs = 60
        facts.reputation = Self.reputation(0, of: 100)
        let words = facts.checks.map(\.message)
        #expect(words[3] == "60 jobs succeeded at Community tier; 40 more are needed.")
        #expect(words[4] == "The reputation is 0.038; it has to be above 0.8.")
    }
}

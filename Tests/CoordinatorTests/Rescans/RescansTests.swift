import Domain
import JSON
import OCI
import Scanning
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// Rescans of what is published: when, and what follows.
@Suite(.timeLimit(.minutes(5))) struct RescansTests {
    private static let day = Duration.seconds(86_400)

    /// Does what the two services would do now.
    private static func work(_ world: World) async throws {
        while try await world.rescans.step() {}
        while try await world.pipeline.scanNext() {}
    }

    private static func state(_ world: World, _ submission: Submission) async throws -> SubmissionState {
        try await world.publishing.submission(submission.row.id, for: world.publisher).state
    }

    private static func rescans(_ world: World) async throws -> Int {
        try await world.database.read { try $0.query("SELECT id FROM scans WHERE purpose = 'rescan'", []).count }
    }

    private static func notes(_ world: World, of principal: Principal) async throws -> [String] {
        try await world.notifications.inbox(unreadOnly: false, page: Page(), for: principal).listing.rows.map(\.kind)
    }

    private static func flag(_ world: World, _ submission: Submission) async throws -> Scan.Flag? {
        try await world.publishing.scan(of: submission.row.id, for: world.publisher)?.flag
    }

    @Test func eachIsScannedOncePerWeekWhateverTheStepOfTheClock() async throws {
        let world = try await World()
        for number in 1...3 { try await world.published("cargo-\(number)") }
        try await Self.work(world)
        #expect(try await Self.rescans(world) == 0)
        for _ in 0..<14 {
            world.clock.moveOn(by: Self.day)
            try await Self.work(world)
        }
        #expect(try await Self.rescans(world) == 6)
        #expect(world.scanner.subjects.count == 9, "three for review, six again")
    }

    /// A rescan reads what lies in the store: nothing is resolved or pulled anew.
    @Test func aRescanSpeaksOfThePinnedDigest() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        world.images.push("ghcr.io/archipelag-io/cargo:v1.0.0", content: "another")
        world.clock.moveOn(by: .seconds(7 * 86_400))
        try await Self.work(world)
        world.clock.moveOn(by: .seconds(7 * 86_400))
        try await Self.work(world)
        let digests = try await world.database.read { try $0.query("SELECT digest FROM scans", []).map { try $0.text("digest") } }
        #expect(Set(digests) == [submission.row.imageDigest ?? ""])
        #expect(digests.count >= 2)
        #expect(world.images.kept.allSatisfy { $0.isEmpty || $0.map(\.description) == [submission.row.imageDigest ?? ""] })
    }

    @Test func afterALongDowntimeEachIsScannedOnceAndGoesBackToItsOwnMoment() async throws {
        let world = try await World()
        for number in 1...3 { try await world.published("cargo-\(number)") }
        try await Self.work(world)
        let before = try await world.database.read {
            try $0.query("SELECT due_at FROM rescans ORDER BY submission_id", []).map { try $0.int("due_at") }
        }
        world.clock.moveOn(by: .seconds(200 * 86_400))
        // A process that starts anew finds the plan in the database.
        let restarted = Rescans(moves: world.moves, gate: world.gate, policy: RescanPolicy(), bus: world.bus, surroundings: world.surroundings)
        while try await restarted.step() {}
        #expect(try await Self.rescans(world) == 3)
        let after = try await world.database.read {
            try $0.query("SELECT due_at FROM rescans ORDER BY submission_id", []).map { try $0.int("due_at") }
        }
        let week = 7 * 86_400_000
        #expect(zip(before, after).allSatisfy { ($1 - $0) % week == 0 && $1 > world.now && $1 <= world.now + week })
    }

    /// The clock stood a year ahead when the plan was made.
    @Test func aClockThatWasMovedBackDoesNotPutRescansOffForAYear() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        let ahead = world.now + 365 * 86_400_000
        try await world.database.write { try $0.planRescan(submissionID: submission.row.id, dueAt: ahead, lastAt: ahead - 1) }
        try await Self.work(world)
        let due = try await world.database.read { try $0.rescanOutlook().nextDue } ?? 0
        #expect(due > world.now && due <= world.now + 7 * 86_400_000)
    }

    @Test func oldestFirstAndAReviewBeforeThemAll() async throws {
        let world = try await World()
        for number in 1...2 { try await world.published("cargo-\(number)") }
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        while try await world.rescans.step() {}
        let waiting = try await world.submitted("new-cargo")
        let order = try await world.database.write { writer -> [Int] in
            var order: [Int] = []
            while let scan = try writer.takeDueScan(at: world.now) { order.append(scan.submissionID) }
            return order
        }
        #expect(order == [waiting.row.id, 1, 2])
    }

    @Test func anAdministratorMakesOneOrAllDueAtOnce() async throws {
        let world = try await World()
        for number in 1...3 { try await world.published("cargo-\(number)") }
        let one = try await world.rescans.rescanNow(slug: "cargo-2", by: world.administrator)
        #expect(one.madeDue == 1)
        try await Self.work(world)
        #expect(try await Self.rescans(world) == 1)
        let all = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        #expect(all.madeDue == 3 && all.planned == 3)
        try await Self.work(world)
        #expect(try await Self.rescans(world) == 4)
        #expect(await refusal { try await world.rescans.rescanNow(slug: nil, by: world.reviewer) } == "missing_scope")
        #expect(await refusal { try await world.rescans.rescanNow(slug: "none", by: world.administrator) } == "not_found")
    }

    /// Grace 0: suspended in the transaction that stores the finding.
    @Test func aCriticalFindingSuspendsAtOnceAndAFixBringsItBack() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        world.scanner.find(.critical)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .suspended)
        #expect(try await world.found().total == 0)
        #expect(await refusal { try await world.submit("cargo") } != "no refusal")
        #expect(try await Self.notes(world, of: world.publisher).contains("submission.flagged"))
        #expect(try await Self.notes(world, of: world.publisher).contains("submission.suspended"))
        #expect(try await Self.notes(world, of: world.reviewer).contains("submission.flagged"))
        #expect(try await Self.flag(world, submission)?.suspendedAt != nil)
        // The advisory was withdrawn, or the database mended.
        world.scanner.find(.low)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .published)
        #expect(try await world.found().total == 1)
        #expect(try await Self.notes(world, of: world.publisher).contains("submission.cleared"))
        #expect(try await Self.flag(world, submission) == nil)
    }

    @Test func aHighFindingSuspendsAfterSevenDaysAndNotBefore() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        world.scanner.find(.high)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .published)
        let flag = try await Self.flag(world, submission)
        #expect(flag?.endsAt?.milliseconds == world.now + 7 * 86_400_000)
        world.clock.moveOn(by: .milliseconds(7 * 86_400_000 - 1))
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .published)
        #expect(try await Self.notes(world, of: world.publisher).filter { $0 == "submission.flagged" }.count == 1, "told once, not each week")
        world.clock.moveOn(by: .milliseconds(1))
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .suspended)
        // Nothing happens twice.
        world.clock.moveOn(by: Self.day)
        try await Self.work(world)
        #expect(try await Self.notes(world, of: world.publisher).filter { $0 == "submission.suspended" }.count == 1)
    }

    @Test func whatGetsWorseIsSuspendedSooner() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        for (severity, state) in [(Severity.high, SubmissionState.published), (.critical, .suspended)] {
            world.scanner.find(severity)
            _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
            try await Self.work(world)
            #expect(try await Self.state(world, submission) == state)
        }
        #expect(try await Self.notes(world, of: world.publisher).filter { $0 == "submission.flagged" }.count == 2)
    }

    @Test func everyNewFindingIsToldOnceAndHasAGraceOfItsOwn() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        let rescan = { @Sendable in
            _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
            try await Self.work(world)
        }
        let told = { @Sendable in try await Self.notes(world, of: world.publisher).filter { $0 == "submission.flagged" }.count }
        world.scanner.find(.high)
        try await rescan()
        world.clock.moveOn(by: Self.day)
        world.scanner.find(.high, .high)
        try await rescan()
        try await rescan()
        #expect(try await told() == 2)
        let end = try await Self.flag(world, submission)?.endsAt?.milliseconds ?? 0
        #expect(end == world.now + 6 * 86_400_000, "the earliest end counts")
    }

    /// With a grace for what is critical too: an end goes with the finding that it belongs to.
    @Test func aFindingThatIsGoneTakesItsEndWithIt() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        let rescan = { @Sendable in
            _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
            try await Self.work(world)
        }
        world.scanner.find(.high)
        try await rescan()
        world.clock.moveOn(by: Self.day)
        // Another finding in place of the first.
        world.scanner.find(.low, .high)
        try await rescan()
        #expect(try await Self.flag(world, submission)?.endsAt?.milliseconds == world.now + 7 * 86_400_000)
    }

    /// The good result stays what reviewers and publishers see.
    @Test func aRescanThatCouldNotScanChangesNothing() async throws {
        let world = try await World()
        world.scanner.find(.medium, .low)
        let submission = try await world.submitted("cargo")
        try await Self.work(world)
        let before = try await ScanPipelineTests.scan(world, submission)
        try await world.database.write { writer in
            guard var row = try writer.submission(id: submission.row.id) else { return }
            row.state = SubmissionState.published.rawValue
            try writer.update(row)
            try writer.insertScan(submissionID: row.id, digest: row.imageDigest ?? "", purpose: ScanPurpose.rescan.rawValue, at: world.now)
        }
        world.scanner.answer { _ in .failure(ScanFailure(.timedOut, message: "It took too long.", remedy: "Scan again.")) }
        #expect(try await world.pipeline.scanNext())
        let after = try await ScanPipelineTests.scan(world, submission)
        #expect(after.state == .finished && after.findings == before.findings && !after.findings.isEmpty)
    }

    /// What an administrator has looked at is forgiven; what comes later is not.
    @Test func aNewFindingSuspendsAlsoWhatAnAdministratorBroughtBack() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        let rescan = { @Sendable in
            _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
            try await Self.work(world)
        }
        world.scanner.find(.critical)
        try await rescan()
        #expect(try await Self.state(world, submission) == .suspended)
        _ = try await world.moderation.unsuspend(["reason": "not reachable"], slug: "cargo", by: world.administrator)
        try await rescan()
        #expect(try await Self.state(world, submission) == .published)
        world.scanner.find(.critical, .critical)
        try await rescan()
        #expect(try await Self.state(world, submission) == .suspended)
    }

    @Test func aFixWithinTheGraceClearsTheFlag() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        world.scanner.find(.high)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        world.scanner.find()
        let next = try await world.published("cargo", version: "v1.1.0")
        world.clock.moveOn(by: .seconds(8 * 86_400))
        try await Self.work(world)
        #expect(try await Self.state(world, submission) == .superseded)
        #expect(try await Self.state(world, next) == .published)
        #expect(try await world.database.read { try $0.endedGraces(at: Int.max) }.isEmpty)
    }

    @Test func whatAnAdministratorSuspendedStaysSuspended() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        _ = try await world.moderation.suspend(["reason": "a complaint"], slug: "cargo", by: world.administrator)
        for severity in [Severity.critical, .low] {
            world.scanner.find(severity)
            _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
            try await Self.work(world)
            #expect(try await Self.state(world, submission) == .suspended)
        }
    }

    /// "Could not check" is not "clean": nothing is cleared, and it is tried again.
    @Test func aRescanThatCouldNotScanClearsNothing() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        world.scanner.find(.high)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        world.scanner.fail(.databaseMissing)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        try await Self.work(world)
        #expect(try await Self.flag(world, submission) != nil)
        world.scanner.find()
        world.clock.moveOn(by: .seconds(15))
        try await Self.work(world)
        #expect(try await Self.flag(world, submission) == nil)
    }

    /// The service sleeps until the moment, or five minutes at the most, so that a clock that was moved is noticed.
    @Test func theServiceWakesWhenSomethingIsDue() async throws {
        let world = try await World()
        let submission = try await world.published("cargo")
        try await world.beside({ try await world.rescans.run() }) {
            for _ in 0..<3000 {
                if try await world.database.read({ try $0.hasOpenRescan(submissionID: submission.row.id) }) { return }
                await world.clock.untilSomebodySleeps()
                world.clock.moveOn(by: .seconds(300))
            }
            Issue.record("a week has passed without a rescan")
        }
    }
}

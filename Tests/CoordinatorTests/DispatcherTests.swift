import Domain
import Fabric
import IslandLink
import JSON
import OCI
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct DispatcherTests {
    // MARK: A whole job

    @Test func aJobGoesToAnIslandAndItsFramesComeBack() async throws {
        let world = try await World()
        try await world.published("my-cargo", level: .untrusted)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo", input: ["prompt": "Hello"])
            #expect(job.state == .pending)
            let assignment = try await island.hearAssignment()
            let attempt = AttemptID(job: job.row.id, number: 1)
            #expect(assignment.attempt == attempt)
            #expect(assignment.slug == "my-cargo")
            #expect(assignment.runtime == .container)
            #expect(assignment.image == "ghcr.io/archipelag-io/my-cargo:v1.0.0")
            #expect(assignment.digest == FakeImages.digest(of: "ghcr.io/archipelag-io/my-cargo:v1.0.0").description)
            #expect(assignment.level == .untrusted)
            #expect(assignment.timeoutMilliseconds == 60_000)
            #expect(assignment.input == ["prompt": "Hello"])
            #expect(try await world.job(job.row.id).state == .queued)

            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("Hel"), FakeIsland.token("lo")]))
            #expect(try await island.hear() == .stored(attempt, upTo: 2))
            #expect(try await world.job(job.row.id).state == .running)
            world.clock.moveOn(by: .milliseconds(1500))
            island.say(.frames(attempt, first: 3, frames: [["type": "custom", "x": 1]]))
            #expect(try await island.hear() == .stored(attempt, upTo: 3))
            island.finish(attempt, frames: 3, runMilliseconds: 1500)
            #expect(try await island.hear() == .settled(attempt))

            let done = try await world.job(job.row.id)
            #expect(done.state == .completed)
            #expect(done.failure == nil)
            #expect(done.row.runMilliseconds == 1500)
            // 5 for the job, 2 for each of 2 tokens, 3 for each of 2 begun seconds.
            #expect(done.row.creditsUsed == 5 + 4 + 6)
            #expect(try await world.jobs.output(of: done, for: world.consumer) == "Hello")

            let records = try await world.transcript(done)
            #expect(records.map { $0["seq"] } == [1, 2, 3, 4, 5, 6])
            #expect(records.map { $0["type"] } == ["status", "status", "token", "token", "custom", "done"])
            #expect(records.map { $0["message"]?.string } == ["queued", "running", nil, nil, nil, nil])
            #expect(records.allSatisfy { $0["attempt"] == 1 })
            #expect(records[2] == ["type": "token", "content": "Hel", "seq": 3, "attempt": 1])
            #expect(records[4] == ["type": "custom", "x": 1, "seq": 5, "attempt": 1])
            #expect(records[5]["status"] == "completed")
            #expect(records[5]["usage"] == ["completion_tokens": 2, "credits_used": 15])
        }
    }

    @Test func aJobThatCameBeforeAnyIslandIsPlacedWhenOneConnects() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let job = try await world.submit("my-cargo")
            let island = try await world.connectIsland("a")
            #expect(try await island.hearAssignment().attempt.job == job.row.id)
        }
    }

    @Test func jobsGoByPriorityThenByAge() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let low = try await world.submit("my-cargo", priority: 1)
        world.clock.moveOn(by: .milliseconds(1))
        let early = try await world.submit("my-cargo", priority: 50)
        world.clock.moveOn(by: .milliseconds(1))
        let late = try await world.submit("my-cargo", priority: 50)
        let high = try await world.submit("my-cargo", priority: 100)
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 4))
            var order: [String] = []
            for _ in 0..<4 { order.append(try await island.hearAssignment().attempt.job) }
            #expect(order == [high, early, late, low].map(\.row.id))
        }
    }

    @Test func anIslandGetsNoMoreJobsThanItHasSlotsUntilOneIsSettled() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            _ = try await world.submit("my-cargo")
            _ = try await world.submit("my-cargo")
            let first = try await island.hearAssignment().attempt
            island.say(.started(first))
            island.finish(first, frames: 0)
            #expect(try await island.hear() == .settled(first))
            let second = try await island.hearAssignment().attempt
            #expect(second.job != first.job)
        }
    }

    @Test func aDrainedIslandGetsNothingNew() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let drained = try await world.registerIsland("a")
            _ = try await world.islands.setDrained(true, drained.id, by: world.publisher)
            let a = try await world.connect(try await world.islands.island(drained.id, for: world.publisher)).island
            let b = try await world.connectIsland("b")
            await world.dispatcher.setDrained(true, island: b.row.id)
            let c = try await world.connectIsland("c")
            for _ in 0..<2 { _ = try await world.submit("my-cargo") }
            for _ in 0..<2 { #expect(try await c.hearAssignment().slug == "my-cargo") }
            #expect(await world.dispatcher.connectedIslandIDs == [a.row.id, b.row.id, c.row.id])
        }
    }

    @Test func anIslandIsNotPaidForTimeThatDidNotPass() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [["type": "x"]]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
            world.clock.moveOn(by: .milliseconds(2000))
            island.finish(attempt, frames: 1, runMilliseconds: 3_600_000)
            #expect(try await island.hear() == .settled(attempt))
            let done = try await world.job(job.row.id)
            #expect(done.row.runMilliseconds == 2000)
            #expect(done.row.creditsUsed == 5 + 2 * 3)
        }
    }

    @Test func aRunningJobEndsOnItsVersionWhenANewerOneIsPublished() async throws {
        let world = try await World()
        try await world.published("my-cargo", version: "v1.0.0")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            try await world.published("my-cargo", version: "v2.0.0")
            island.finish(attempt, frames: 0)
            #expect(try await island.hear() == .settled(attempt))
            let done = try await world.job(job.row.id)
            #expect(done.state == .completed)
            #expect(done.version == "v1.0.0")
        }
    }

    // MARK: Failures of the Cargo

    @Test(arguments: [("nonzero_exit", JobState.failed), ("timeout", .timeout), ("out_of_memory", .failed), ("cargo_error", .failed)])
    func aFaultOfTheCargoEndsTheJobAndCostsNothing(code: String, state: JobState) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("half")]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
            island.fail(attempt, .cargo, code, frames: 1)
            #expect(try await island.hear() == .settled(attempt))
            let over = try await world.job(job.row.id)
            #expect(over.state == state)
            #expect(over.failure == JobFailure(fault: .cargo, code: code, message: "It failed."))
            #expect(over.row.creditsUsed == 0)
            let last = try await world.transcript(over).last
            #expect(last?["type"] == "error")
            #expect(last?["status"]?.string == state.rawValue)
            #expect(last?["fault"] == "cargo")
            #expect(last?["code"]?.string == code)
            #expect(last?["message"] == "It failed.")
            #expect(last?["error"] == "It failed.")
        }
    }

    // MARK: Faults of Islands

    @Test func aLostLeaseGivesTheJobToAnotherIslandAndTheLateResultIsKeptAsEvidence() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let first = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let lost = try await first.hearAssignment().attempt
            first.say(.started(lost))
            first.say(.frames(lost, first: 1, frames: [FakeIsland.token("lost")]))
            #expect(try await first.hear() == .stored(lost, upTo: 1))
            let second = try await world.connectIsland("b")
            await world.clock.pass(seconds: 29)
            #expect(try await world.job(job.row.id).state == .running)
            await world.clock.pass(seconds: 1)

            let again = try await second.hearAssignment().attempt
            #expect(again == AttemptID(job: job.row.id, number: 2))
            #expect(try await first.hear() == .cancel(lost))
            first.say(.frames(lost, first: 2, frames: [FakeIsland.token("late")]))
            #expect(try await first.hear() == .cancel(lost))
            first.finish(lost, frames: 1)
            #expect(try await first.hear() == .settled(lost))

            second.say(.started(again))
            second.say(.frames(again, first: 1, frames: [FakeIsland.token("good")]))
            #expect(try await second.hear() == .stored(again, upTo: 1))
            second.finish(again, frames: 1)
            #expect(try await second.hear() == .settled(again))

            let done = try await world.job(job.row.id)
            #expect(done.state == .completed)
            #expect(done.row.creditsUsed == 5 + 2)
            #expect(try await world.jobs.output(of: done, for: world.consumer) == "good")
            let records = try await world.transcript(done)
            #expect(records.map { $0["seq"]?.int } == Array(1...records.count))
            #expect(
                records.map { $0["message"]?.string ?? $0["content"]?.string ?? "-" } == [
                    "queued", "running", "lost", "restarted", "running", "good", "-",
                ])
            #expect(records.map { $0["attempt"]?.int } == [1, 1, 1, 2, 2, 2, 2])
            #expect(records.filter { $0["type"] == "done" || $0["type"] == "error" }.count == 1)
            let late = try await world.lateResults(done)
            #expect(late.map(\.attempt) == [1, 1])
            #expect(late.allSatisfy { $0.island == first.row.id })
            #expect(late.last?.what == "done")
        }
    }

    @Test func heartbeatsKeepALease() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            for _ in 0..<6 {
                await world.clock.pass(seconds: 29)
                island.say(.heartbeat([attempt]))
                // An unknown attempt in the same breath: its refusal says that the heartbeat was read.
                let unknown = AttemptID(job: "unknown", number: 1)
                island.say(.heartbeat([unknown]))
                #expect(try await island.hear() == .cancel(unknown))
            }
            #expect(try await world.job(job.row.id).state == .running)
            await world.clock.pass(seconds: 30)
            #expect(try await island.hear() == .cancel(attempt))
        }
    }

    /// The level's 300 s and 20 s for the end to arrive, however often the lease is renewed.
    @Test func aJobIsOverdueHoweverOftenItsLeaseIsRenewed() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            for _ in 0..<15 {
                await world.clock.pass(seconds: 20)
                island.say(.heartbeat([attempt, AttemptID(job: "unknown", number: 1)]))
                #expect(try await island.hear() == .cancel(AttemptID(job: "unknown", number: 1)))
            }
            #expect(try await world.job(job.row.id).state == .running)
            await world.clock.pass(seconds: 20)
            #expect(try await world.job(job.row.id).row.firstCause?.contains("overdue") == true)
        }
    }

    /// An Island that says `started` again and again holds its job for ever, unless the first time counts.
    @Test func sayingStartedAgainDoesNotMoveTheDeadline() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            for _ in 0..<16 {
                await world.clock.pass(seconds: 19)
                island.say(.started(attempt))
                island.say(.heartbeat([attempt, AttemptID(job: "unknown", number: 1)]))
                #expect(try await island.hear() == .cancel(AttemptID(job: "unknown", number: 1)))
            }
            await world.clock.pass(seconds: 17)
            #expect(try await world.job(job.row.id).row.firstCause?.contains("overdue") == true)
        }
    }

    @Test func threeFaultsOfIslandsEndTheJob() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            var islands: [String: FakeIsland] = [:]
            let a = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            islands["a"] = a
            let job = try await world.submit("my-cargo")
            var attempt = try await a.hearAssignment().attempt
            let b = try await world.connectIsland("b", capabilities: FakeIsland.capabilities(slots: 1))
            a.fail(attempt, .island, "image_not_found")
            attempt = try await b.hearAssignment().attempt
            #expect(attempt.number == 2)
            // Both have failed it by now; one that takes nothing new leaves the other.
            await world.dispatcher.setDrained(true, island: b.row.id)
            b.fail(attempt, .island, "level_not_enforced")
            attempt = try await a.hearAssignmentAfterSettled().attempt
            #expect(attempt.number == 3)
            a.fail(attempt, .island, "internal")
            let over = try await world.job(job.row.id, reaches: .failed)
            #expect(over.failure?.fault == .island)
            #expect(over.failure?.code == "internal")
            #expect(over.row.creditsUsed == 0)
            #expect(over.row.firstCause?.contains("image_not_found") == true)
            let records = try await world.transcript(over)
            #expect(records.map { $0["message"]?.string } == ["queued", "restarted", "restarted", "It failed."])
            #expect(records.map { $0["attempt"]?.int } == [1, 2, 3, 3])
        }
    }

    @Test func anIslandThatRestartedHasLostItsAttempts() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            await island.hangUp()
            let (back, resume) = try await world.connect(island.row, attempts: [])
            #expect(resume == [])
            #expect(try await back.hearAssignment().attempt == AttemptID(job: job.row.id, number: 2))
            #expect(try await world.job(job.row.id).row.firstCause?.contains("island_restarted") == true)
        }
    }

    // MARK: Reconnecting

    @Test func anIslandThatComesBackGoesOnWhereItWasAndLosesNothing() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("1"), FakeIsland.token("2")]))
            #expect(try await island.hear() == .stored(attempt, upTo: 2))
            await island.hangUp()
            await world.clock.pass(seconds: 20)
            let (back, resume) = try await world.connect(island.row, attempts: [attempt])
            #expect(resume == [.init(attempt: attempt, storedUpTo: 2)])
            // The lease began anew.
            await world.clock.pass(seconds: 29)
            back.say(.started(attempt))
            back.say(.frames(attempt, first: 2, frames: [FakeIsland.token("2"), FakeIsland.token("3")]))
            #expect(try await back.hear() == .stored(attempt, upTo: 3))
            back.finish(attempt, frames: 3)
            #expect(try await back.hear() == .settled(attempt))
            let done = try await world.job(job.row.id)
            #expect(try await world.jobs.output(of: done, for: world.consumer) == "123")
            #expect(try await world.transcript(done).filter { $0["message"] == "running" }.count == 1)
        }
    }

    /// Messages that gather are stored together: one that breaks the rules costs the connection, and what came with it is said again.
    @Test func whatWasSaidBesideABadMessageIsSaidAgain() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let (good, bad) = (try await world.submit("my-cargo"), try await world.submit("my-cargo"))
            var attempts: [String: AttemptID] = [:]
            for _ in 0..<2 {
                let attempt = try await island.hearAssignment().attempt
                attempts[attempt.job] = attempt
            }
            let (first, second) = (try #require(attempts[good.row.id]), try #require(attempts[bad.row.id]))
            // All at once, so that as much as possible is taken together.
            for attempt in [first, second] { island.say(.started(attempt)) }
            island.say(.frames(first, first: 1, frames: [FakeIsland.token("a")]))
            island.say(.frames(second, first: 7, frames: [FakeIsland.token("b")]))
            #expect(try await island.closeReason().contains("came before frame 1"))
            let (back, resume) = try await world.connect(island.row, attempts: [first, second])
            for resumption in resume {
                back.say(.started(resumption.attempt))
                if resumption.storedUpTo == 0 { back.say(.frames(resumption.attempt, first: 1, frames: [FakeIsland.token("a")])) }
                back.finish(resumption.attempt, frames: 1)
            }
            #expect(Set(resume.map(\.attempt)) == [first, second])
            for job in [good, bad] {
                let over = try await world.job(job.row.id, reaches: .completed)
                #expect(try await world.transcript(over).compactMap { $0["seq"]?.int } == [1, 2, 3, 4])
            }
        }
    }

    @Test func aNewConnectionOfAnIslandReplacesTheOldOne() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let row = try await world.registerIsland("a")
            let old = try await world.connect(row).island
            let new = try await world.connect(row).island
            #expect(try await old.closeReason() == "")
            _ = try await world.submit("my-cargo")
            #expect(try await new.hearAssignment().slug == "my-cargo")
            #expect(await world.dispatcher.connectedIslandIDs == [row.id])
        }
    }

    @Test func anEndThatWasTakenNoteOfIsNotResumed() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.finish(attempt, frames: 0)
            #expect(try await island.hear() == .settled(attempt))
            await island.hangUp()
            let (back, resume) = try await world.connect(island.row, attempts: [attempt])
            #expect(resume == [])
            back.finish(attempt, frames: 0)
            #expect(try await back.hear() == .settled(attempt))
            let done = try await world.job(job.row.id)
            #expect(try await world.transcript(done).filter { $0["type"] == "done" }.count == 1)
        }
    }

    /// The first word to an Island is `welcome`, also when a job is placed in the middle of its greeting.
    @Test func anIslandHearsWelcomeBeforeItsFirstAssignment() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let dispatcher = Dispatcher(database: gated, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            let row = try await world.registerIsland("a")
            await world.clock.untilSomebodySleeps()
            let held = gated.holdNextWrite()
            let island = FakeIsland(row: row)
            island.dial(IslandGate(dispatcher: dispatcher, logger: world.logger))
            island.say(.hello(.init(capabilities: FakeIsland.capabilities(), attempts: [])))
            await held.reached()
            let job = try await world.submit("my-cargo")
            // The job may be placed now or after the greeting; its record says when it was.
            let placed = gated.nextWrite()
            await placed.reached(orAfterYields: 10_000)
            held.letGo()
            guard case .welcome? = try await island.hear() else {
                Issue.record("the first word was not welcome")
                return
            }
            #expect(try await island.hearAssignment().attempt == AttemptID(job: job.row.id, number: 1))
        }
    }

    // MARK: Rules of the link

    @Test func framesThatWereStoredBeforeAreDropped() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            let frames = (1...4).map { FakeIsland.token("\($0)") }
            for (first, last, stored) in [(1, 2, 2), (1, 2, 2), (2, 3, 3), (1, 1, 3), (3, 4, 4), (1, 4, 4)] {
                island.say(.frames(attempt, first: first, frames: Array(frames[(first - 1)..<last])))
                #expect(try await island.hear() == .stored(attempt, upTo: stored))
            }
            island.finish(attempt, frames: 4)
            #expect(try await island.hear() == .settled(attempt))
            #expect(try await world.jobs.output(of: world.job(job.row.id), for: world.consumer) == "1234")
        }
    }

    struct Breach: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: String
        var text: @Sendable (AttemptID) -> String
        var testDescription: String { name }

        init(_ name: String, reason: String, message: @escaping @Sendable (AttemptID) -> IslandMessage) {
            (self.name, self.reason, text) = (name, reason, { message($0).text })
        }

        init(_ name: String, reason: String, text: @escaping @Sendable (AttemptID) -> String) {
            (self.name, self.reason, self.text) = (name, reason, text)
        }

        static func frames(_ attempt: AttemptID, first: Int = 1, _ frames: JSONObject...) -> IslandMessage {
            .frames(attempt, first: first, frames: frames)
        }

        static func finished(_ attempt: AttemptID, frames: Int = 0, done: JSONObject? = nil, failure: JobFailure? = nil) -> IslandMessage {
            .finished(
                .init(attempt: attempt, frames: frames, done: done, failure: failure, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0))
        }
    }

    static let breaches = [
        Breach("a gap in the frames", reason: "came before frame 1") { Breach.frames($0, first: 2, FakeIsland.token("x")) },
        Breach("a terminal frame among the others", reason: "terminal frame") { Breach.frames($0, ["type": "done"]) },
        Breach("an error frame among the others", reason: "terminal frame") { Breach.frames($0, ["type": "error", "message": "x"]) },
        Breach("a frame without type", reason: "I/O protocol") { Breach.frames($0, ["content": "x"]) },
        Breach("a token without content", reason: "I/O protocol") { Breach.frames($0, ["type": "token"]) },
        Breach("a frame above the level's size", reason: "longer than its trust level") {
            Breach.frames($0, FakeIsland.token(String(repeating: "x", count: 1 << 20)))
        },
        Breach("a done frame above the level's size", reason: "longer than its trust level") {
            Breach.finished($0, done: ["type": "done", "x": .string(String(repeating: "x", count: 1 << 20))])
        },
        Breach("an end that speaks of more frames than came", reason: "ended after 1 frames") {
            Breach.finished($0, frames: 1, done: ["type": "done"])
        },
        Breach("an end whose frame is no done", reason: "/done") { Breach.finished($0, done: ["type": "token", "content": "x"]) },
        Breach("a fault that is the platform's", reason: "/failure/fault") {
            Breach.finished($0, failure: JobFailure(fault: .platform, code: "x", message: "x"))
        },
        Breach("a fault that is the Consumer's", reason: "/failure/fault") {
            Breach.finished($0, failure: JobFailure(fault: .consumer, code: "x", message: "x"))
        },
        Breach("a second hello", reason: "hello is said once") { _ in .hello(.init(capabilities: FakeIsland.capabilities(), attempts: [])) },
        Breach("text that is no JSON", reason: "not JSON", text: { _ in "hello" }),
        Breach("an unknown message", reason: "/type", text: { _ in #"{"type":"gossip"}"# }),
    ]

    @Test(arguments: breaches)
    func anIslandThatBreaksTheLinksRulesIsCutOffAndToldWhy(breach: Breach) async throws {
        let world = try await World()
        try await world.published("my-cargo", level: .untrusted)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(text: breach.text(attempt))
            let reason = try await island.closeReason()
            #expect(reason.contains(breach.reason), "\(reason)")
            let after = try await world.job(job.row.id)
            #expect(after.state == .running)
            #expect(after.row.storedUpTo == 0)
            #expect(await world.dispatcher.connectedIslandIDs == [])
        }
    }

    @Test func theWholeTranscriptIsBoundedByTheLevel() async throws {
        let world = try await World()
        try await world.published("my-cargo", level: .untrusted)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            // As if all but the last frame's bytes of the 8 MiB had come before.
            let frame = FakeIsland.token("last")
            try await world.database.write { writer in
                _ = try writer.execute(
                    "UPDATE records SET frame_bytes = ? WHERE job_id = ?", [.integer((8 << 20) - frame.bytes.count), .text(attempt.job)])
            }
            island.say(.frames(attempt, first: 1, frames: [frame]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
            island.say(.frames(attempt, first: 2, frames: [["type": "x"]]))
            #expect(try await island.closeReason().contains("longer than its trust level"))
        }
    }

    @Test(arguments: [
        (#"{"type":"heartbeat","attempts":[]}"#, "first message must be hello"), ("", "not JSON"), ("[]", "must be an object"),
        (
            #"{"type":"hello","version":99,"capabilities":{"runtimes":[],"levels":[],"cores":1,"memory_mb":1,"vram_mb":0,"platform":"x","region":"","slots":1},"attempts":[]}"#,
            "version 99"
        ),
    ])
    func aGreetingThatIsNoneIsRefusedWithTheReason(text: String, reason: String) async throws {
        let world = try await World()
        let island = FakeIsland(row: try await world.registerIsland("a"))
        island.dial(IslandGate(dispatcher: world.dispatcher, logger: world.logger))
        island.say(text: text)
        #expect(try await island.closeReason().contains(reason))
        #expect(await world.dispatcher.connectedIslandIDs == [])
    }

    @Test func anIslandCannotSpeakForAnothersAttempt() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let owner = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await owner.hearAssignment().attempt
            owner.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            let thief = try await world.connectIsland("b")
            thief.say(.heartbeat([attempt]))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.say(.started(attempt))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.say(.frames(attempt, first: 1, frames: [FakeIsland.token("evil")]))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.finish(attempt, frames: 0)
            #expect(try await thief.hear() == .settled(attempt))
            thief.fail(attempt, .cargo, "evil")
            #expect(try await thief.hear() == .settled(attempt))
            let running = try await world.job(job.row.id)
            #expect(running.state == .running)
            #expect(running.row.storedUpTo == 0)
            // What the thief said is kept, and the owner goes on: its lease, too, is its own.
            owner.say(.heartbeat([attempt]))
            #expect(try await world.lateResults(running).allSatisfy { $0.island == thief.row.id })
            owner.say(.frames(attempt, first: 1, frames: [FakeIsland.token("good")]))
            #expect(try await owner.hear() == .stored(attempt, upTo: 1))
        }
    }

    @Test func anAssignmentThatWasNeverSentIsNotTheIslandsFault() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = FakeIsland(row: try await world.registerIsland("slow"))
            island.takes(false)
            island.dial(IslandGate(dispatcher: world.dispatcher, logger: world.logger))
            island.say(.hello(.init(capabilities: FakeIsland.capabilities(), attempts: [])))
            let job = try await world.submit("my-cargo")
            _ = try await world.job(job.row.id, reaches: .queued)
            let quick = try await world.connectIsland("quick")
            await world.clock.pass(seconds: 31)
            #expect(try await quick.hearAssignment().attempt.number == 2)
            #expect(try await world.job(job.row.id).row.firstCause?.contains("link_lost") == true)
            let id = island.row.id
            #expect(try await world.database.read { try $0.island(id: id) }?.karma == 0)
            // What it would have heard long ago is over.
            island.takes(true)
        }
    }

    @Test func framesGoByTheLimitsOfTheLevelAtWhichTheJobWasGiven() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let row = try await world.registerIsland("a")
        let held = Mutex<AttemptID?>(nil)
        try await world.dispatching {
            let island = try await world.connect(row).island
            _ = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(attempt.job, reaches: .running)
            held.withLock { $0 = attempt }
            await island.hangUp()
        }
        try await world.raise(published.row.id, to: .untrusted)
        let given = held.withLock { $0 }
        let attempt = try #require(given)
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            await world.clock.untilSomebodySleeps()
            let (island, _) = try await world.connect(row, attempts: [attempt], to: dispatcher)
            // More than level 0 allows.
            let long = FakeIsland.token(String(repeating: "x", count: TrustLevel.untrusted.limits.frameBytesMax))
            island.say(.frames(attempt, first: 1, frames: [long]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
        }
    }

    @Test func aDrainDuringTheHelloCounts() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let dispatcher = Dispatcher(database: gated, bus: world.bus, surroundings: world.surroundings)
        let row = try await world.registerIsland("a")
        try await dispatcher.recover()
        let gate = gated.holdNextWrite()
        async let session = dispatcher.open(row, .init(capabilities: FakeIsland.capabilities(), attempts: []))
        await gate.reached()
        // Nobody is there to be told, and what it reads says otherwise.
        await dispatcher.setDrained(true, island: row.id)
        gate.letGo()
        _ = try await session
        #expect(await dispatcher.islands.island(row.id)?.isDrained == true)
    }

    // MARK: Cancelling

    @Test func aJobThatWaitsIsCancelledAtOnce() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let cancelled = try await world.dispatcher.cancel(job.row.id, by: world.consumer)
        #expect(cancelled.state == .cancelled)
        #expect(cancelled.failure?.fault == .consumer)
        #expect(cancelled.row.creditsUsed == 0)
        let records = try await world.transcript(cancelled)
        #expect(records.map { $0["type"] } == ["error"])
        #expect(records.first?["code"] == "cancelled")
        #expect(await refusal { try await world.dispatcher.cancel(job.row.id, by: world.consumer) } == "state_conflict")
    }

    @Test func cancellingARunningJobStopsItsIslandAndFreesTheSlot() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            #expect(try await world.dispatcher.cancel(job.row.id, by: world.consumer).state == .cancelled)
            #expect(try await island.hear() == .cancel(attempt))
            island.finish(attempt, frames: 0)
            #expect(try await island.hear() == .settled(attempt))
            let over = try await world.job(job.row.id)
            #expect(over.state == .cancelled)
            #expect(try await world.transcript(over).filter { $0["type"] == "done" || $0["type"] == "error" }.count == 1)
            _ = try await world.submit("my-cargo")
            #expect(try await island.hearAssignment().attempt.number == 1)
        }
    }

    @Test func onlyTheConsumerAndAdministratorsMayCancel() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        #expect(await refusal { try await world.dispatcher.cancel(job.row.id, by: world.publisher) } == "not_found")
        #expect(await refusal { try await world.dispatcher.cancel("unknown", by: world.consumer) } == "not_found")
        let reader = Principal(accountID: world.consumer.accountID, scopes: [.read])
        #expect(await refusal { try await world.dispatcher.cancel(job.row.id, by: reader) } == "missing_scope")
        let admin = Principal(accountID: world.reviewer.accountID, scopes: [.admin])
        #expect(try await world.dispatcher.cancel(job.row.id, by: admin).state == .cancelled)
    }

    // MARK: A coordinator that restarts

    @Test func aNewDispatcherTakesOverQueuedAndRunningJobs() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let row = try await world.registerIsland("a")
        let attempts = Mutex<[AttemptID]>([])
        try await world.dispatching {
            let island = try await world.connect(row).island
            let running = try await world.submit("my-cargo")
            let first = try await island.hearAssignment().attempt
            island.say(.started(first))
            island.say(.frames(first, first: 1, frames: [FakeIsland.token("before ")]))
            #expect(try await island.hear() == .stored(first, upTo: 1))
            _ = try await world.submit("my-cargo")
            let second = try await island.hearAssignment().attempt
            #expect(first.job == running.row.id)
            attempts.withLock { $0 = [first, second] }
            await island.hangUp()
        }
        let waiting = try await world.submit("my-cargo")
        let (first, second) = attempts.withLock { ($0[0], $0[1]) }
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            await world.clock.untilSomebodySleeps()
            // The Island still holds the running job; the queued one never reached it.
            let (island, resume) = try await world.connect(row, attempts: [first], to: dispatcher)
            #expect(resume == [.init(attempt: first, storedUpTo: 1)])
            let next = try await island.hearAssignment().attempt
            #expect([waiting.row.id, second.job].contains(next.job))
            island.say(.frames(first, first: 2, frames: [FakeIsland.token("after")]))
            #expect(try await island.hear() == .stored(first, upTo: 2))
            island.finish(first, frames: 2)
            #expect(try await island.hear() == .settled(first))
            let done = try await world.job(first.job)
            #expect(try await world.jobs.output(of: done, for: world.consumer) == "before after")
            // The tokens of before the restart are paid as are those of after it.
            #expect(done.row.tokens == 2)
            #expect(done.row.creditsUsed == 5 + 4)
            #expect(try await world.job(second.job).row.firstCause?.contains("link_lost") == true)
        }
    }

    @Test func jobsWhoseIslandNeverComesBackAreRetriedAfterALease() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            island.say(.started(try await island.hearAssignment().attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            await island.hangUp()
        }
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            let other = try await world.connect(try await world.registerIsland("b"), to: dispatcher).island
            await world.clock.pass(seconds: 29)
            #expect(try await world.job(job.row.id).state == .running)
            await world.clock.pass(seconds: 1)
            #expect(try await other.hearAssignment().attempt == AttemptID(job: job.row.id, number: 2))
        }
    }

    /// An Island that is quicker than the recovery of a starting coordinator must not lose what it holds.
    @Test func anIslandThatComesBackBeforeTheRecoveryKeepsItsAttempts() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let row = try await world.registerIsland("a")
        let job = try await world.submit("my-cargo")
        try await world.dispatching {
            let island = try await world.connect(row).island
            island.say(.started(try await island.hearAssignment().attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            await island.hangUp()
        }
        let attempt = AttemptID(job: job.row.id, number: 1)
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings)
        let island = FakeIsland(row: row)
        island.dial(IslandGate(dispatcher: dispatcher, logger: world.logger))
        island.say(.hello(.init(capabilities: FakeIsland.capabilities(), attempts: [attempt])))
        try await world.dispatching(dispatcher) {
            let greeting = try await island.hear()
            #expect(greeting == .welcome(island: row.id, resume: [.init(attempt: attempt, storedUpTo: 0)]))
        }
    }

    // MARK: Fairness

    /// More jobs than one turn of placement looks at, none of which any Island can run, must not hold up one that can.
    @Test func jobsThatNobodyCanRunDoNotHoldUpOthers() async throws {
        let world = try await World()
        var fields = world.fields("huge-cargo")
        fields.requiredCPUCores = 1024
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        _ = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
        #expect(try await world.pipeline.scanNext())
        _ = try await world.review.approve(draft.row.id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(draft.row.id, to: .published, by: world.publisher)
        try await world.published("my-cargo")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 { group.addTask { _ = try await world.submit("huge-cargo", priority: 100) } }
            try await group.waitForAll()
        }
        let small = try await world.submit("my-cargo", priority: 0)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            #expect(try await island.hearAssignment().attempt.job == small.row.id)
        }
    }
}

extension FakeIsland {
    /// The next assignment, after the word that an attempt is settled.
    func hearAssignmentAfterSettled() async throws -> CoordinatorMessage.Assignment {
        while let message = try await hear() {
            if case .assign(let assignment) = message { return assignment }
        }
        throw LinkError("the link was closed")
    }
}

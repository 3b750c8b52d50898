import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// Islands that fall silent, take too long or fail, and what becomes of their jobs.
@Suite(.timeLimit(.minutes(5))) struct LeaseTests {
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

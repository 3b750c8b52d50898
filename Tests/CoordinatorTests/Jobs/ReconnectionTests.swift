import Domain
import IslandLink
import JSON
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

/// An Island that lost its link, or whose coordinator restarted, goes on where it was.
@Suite(.timeLimit(.minutes(5))) struct ReconnectionTests {
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
}

import Domain
import IslandLink
import JSON
import OCI
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// A job from its submission to its end, on Islands that do as they are told.
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

    /// An output stands in memory for each who asks for it; the records of a long one can be read all the same.
    @Test(arguments: [(3, false), (2, true)]) func aLongOutputIsNotGivenInOnePiece(tokens: Int, isGiven: Bool) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            let piece = String(repeating: "x", count: Jobs.outputBytesMax * 2 / 5)
            for number in 1...tokens {
                island.say(.frames(attempt, first: number, frames: [FakeIsland.token(piece)]))
                #expect(try await island.hear() == .stored(attempt, upTo: number))
            }
            island.finish(attempt, frames: tokens)
            #expect(try await island.hear() == .settled(attempt))
            let done = try await world.job(job.row.id)
            if isGiven {
                #expect(try await world.jobs.output(of: done, for: world.consumer)?.utf8.count == tokens * piece.utf8.count)
            } else {
                #expect(await serviceError { try await world.jobs.output(of: done, for: world.consumer) }?.code == "output_too_large")
            }
            #expect(try await world.transcript(done).filter { $0["type"] == "token" }.count == tokens)
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

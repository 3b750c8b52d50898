import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct PlacementExplanationTests {
    @Test func aWaitingJobSaysWhatWouldHaveToChange() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let nobody = try await world.dispatcher.explain(job.row.id, for: world.consumer)
        #expect(nobody["status"] == "pending")
        #expect(nobody["decision"] == .null)
        #expect(nobody["waiting"]?["message"] == "No Island is connected.")
        _ = try await world.connectIsland("other", capabilities: FakeIsland.capabilities(platform: "linux/arm64"))
        _ = try await world.connectIsland("weak", capabilities: FakeIsland.capabilities(levels: [.untrusted]))
        let some = try await world.dispatcher.explain(job.row.id, for: world.consumer)
        #expect(some["waiting"]?["islands"] == 2)
        #expect(some["waiting"]?["fitting"] == 0)
        #expect(some["waiting"]?["message"] == "No connected Island can take the job.")
        #expect(some["waiting"]?["obstacles"]?.array?.map { $0["reason"] } == ["level", "platform"])
        #expect(some["waiting"]?["obstacles"]?.array?.allSatisfy { $0["islands"] == 1 && $0["remedy"]?.string?.isEmpty == false } == true)
        #expect(await refusal { try await world.dispatcher.explain(job.row.id, for: world.publisher) } == "not_found")
    }

    @Test func aPlacedJobSaysWhyItsIslandWasChosen() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            _ = try await island.hearAssignment()
            let answer = try await world.dispatcher.explain(job.row.id, for: world.consumer)
            #expect(answer["status"] == "queued")
            #expect(answer["waiting"] == nil)
            #expect(answer["decision"]?["island"] == .string(island.row.id))
            #expect(answer["decision"]?["connected"] == 1)
            #expect(answer["decision"]?["candidates"]?.array?.count == 1)
            #expect(answer["decision"]?["candidates"]?[0]?["room"] == 300)
        }
    }

    @Test func aJobGoesOnlyWhereItsConsumerAllows() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("nowhere")
            let request = try Jobs.Request(["workload": "my-cargo", "input": [:], "regions": ["eu"]])
            let job = try await world.jobs.submit(request, by: world.consumer)
            let other = try await world.submit("my-cargo")
            #expect(try await island.hearAssignment().attempt.job == other.row.id)
            let answer = try await world.dispatcher.explain(job.row.id, for: world.consumer)
            #expect(answer["waiting"]?["obstacles"]?[0]?["reason"] == "region")
        }
    }

    @Test(arguments: [["eu west"], [""], Array(repeating: "r", count: 33)] as [[String]]) func wrongRegionsAreRefused(regions: [String]) async {
        let body: JSONObject = ["workload": "x", "input": [:], "regions": .array(regions.map(JSONValue.string))]
        #expect(await serviceError { try Jobs.Request(body) }?.details.map(\.pointer) == ["/regions"])
    }

    // MARK: Karma and outcomes

    @Test func faultsOfAnIslandCostKarmaUntilItGetsNoJobs() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            var faults = 0
            while try await world.islands.island(island.row.id, for: world.publisher).karma >= KarmaRule.least {
                let job = try await world.submit("my-cargo")
                for _ in 1...3 {
                    let karma = try await world.islands.island(island.row.id, for: world.publisher).karma
                    guard karma >= KarmaRule.least else { break }
                    island.fail(try await island.hearAssignmentAfterSettled().attempt, .island, "image_not_found")
                    faults += 1
                    while try await world.islands.island(island.row.id, for: world.publisher).karma == karma { await Task.yield() }
                }
                _ = job
            }
            #expect(faults == 7)
            let history = try await world.islands.karma(of: island.row.id, page: Page(), for: world.publisher)
            #expect(history.rows.map(\.karma) == [-21, -18, -15, -12, -9, -6, -3])
            #expect(Set(history.rows.map(\.reason)) == ["image_not_found"])
            let waiting = try await world.submit("my-cargo")
            let answer = try await world.dispatcher.explain(waiting.row.id, for: world.consumer)
            #expect(answer["waiting"]?["obstacles"]?[0]?["reason"] == "karma")
            // Ten minutes mend a point.
            while try await world.islands.island(island.row.id, for: world.publisher).karma < KarmaRule.least {
                await world.clock.pass(seconds: 11)
            }
            let changes = try await world.islands.karma(of: island.row.id, page: Page(), for: world.publisher).rows
            #expect(changes[0].reason == "recovery")
            #expect(changes[0].at - changes[1].at >= 600_000)
            _ = try await island.hearAssignmentAfterSettled()
        }
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
    }

    /// Found by the crash harness: an Island that held many jobs when it was killed once got no jobs for hours.
    @Test func aRestartCountsOnceHoweverManyJobsItCost() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            var island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 16))
            let row = island.row
            for (restarts, expected) in [(1, -2), (2, -4)] {
                for _ in 0..<16 { _ = try await world.submit("my-cargo") }
                for _ in 0..<16 { _ = try await island.hearAssignmentAfterSettled() }
                await island.hangUp()
                await world.clock.pass(seconds: 10)
                island = try await world.connect(row, capabilities: FakeIsland.capabilities(slots: 16), attempts: []).island
                #expect(try await world.islands.island(row.id, for: world.publisher).karma == expected, "after \(restarts) restarts")
                // The jobs come again, and are over before the next restart.
                for _ in 0..<16 { island.fail(try await island.hearAssignmentAfterSettled().attempt, .cargo, "broken") }
                while try await world.jobs.list(state: .failed, page: Page(), for: world.consumer).total < 16 * restarts { await Task.yield() }
                world.clock.moveOn(by: .seconds(61))
            }
        }
    }

    /// How far away an Island is is measured, told with its next heartbeat, and counts.
    @Test func theNearerIslandIsChosen() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let near = try await world.connectIsland("near")
            let far = try await world.connectIsland("far")
            for (island, distance) in [(near, 2), (far, 180)] {
                island.roundTrip = .milliseconds(distance)
                // Its answer says that the heartbeat was heard.
                let unknown = AttemptID(job: "unknown", number: 1)
                island.say(.heartbeat([unknown]))
                #expect(try await island.hear() == .cancel(unknown))
            }
            let job = try await world.submit("my-cargo")
            _ = try await near.hearAssignment()
            let decision = try #require(try await world.dispatcher.explain(job.row.id, for: world.consumer)["decision"])
            let points = (decision["candidates"]?.array ?? []).map { [$0["island"]?.string: $0["nearness"]?.int] }
            #expect(points.contains([near.row.id: 99]))
            #expect(points.contains([far.row.id: 10]))
        }
    }

    @Test func goodWorkEarnsKarma() async throws {
        let world = try await World()
        let island = try await world.registerIsland("a")
        let now = world.surroundings.now()
        for _ in 0..<13 {
            _ = try await world.database.write { writer in
                try writer.island(id: island.id).map { try writer.addWork(of: $0, milliseconds: 290_000, job: "", at: now) }
            }
        }
        // 13 × 290 s are 62.8 minutes.
        let stored = try await world.islands.island(island.id, for: world.publisher)
        #expect(stored.karma == 1)
        #expect(stored.workMilliseconds == 13 * 290_000 - 3_600_000)
        #expect(try await world.islands.karma(of: island.id, page: Page(), for: world.publisher).rows.map(\.reason) == ["work"])
    }

    @Test func whatCameOfEachJobIsKept() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let good = try await world.submit("my-cargo")
            var attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.finish(attempt, frames: 0)
            _ = try await world.job(good.row.id, reaches: .completed)
            let bad = try await world.submit("my-cargo")
            attempt = try await island.hearAssignmentAfterSettled().attempt
            island.fail(attempt, .cargo, "out_of_memory")
            _ = try await world.job(bad.row.id, reaches: .failed)
            let gone = try await world.submit("my-cargo")
            _ = try await world.dispatcher.cancel(gone.row.id, by: world.consumer)
            let outcomes = try await world.database.read { reader in
                try reader.query("SELECT job_id, succeeded, fault, code FROM job_outcomes ORDER BY job_id", []).map { row in
                    (try row.text("job_id"), try row.int("succeeded"), try row.optionalText("fault"), try row.optionalText("code"))
                }
            }
            let found = Dictionary(uniqueKeysWithValues: outcomes.map { ($0.0, "\($0.1) \($0.2 ?? "-") \($0.3 ?? "-")") })
            #expect(found == [good.row.id: "1 - -", bad.row.id: "0 cargo out_of_memory", gone.row.id: "0 consumer cancelled"])
        }
    }
}

import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct RetentionTests {
    /// A job that is over, with a token in its transcript.
    private func finished(_ world: World, hours: Int? = nil) async throws -> Job {
        var body: JSONObject = ["workload": "my-cargo", "input": ["prompt": "secret"]]
        body["retention_hours"] = hours.map(JSONValue.int)
        let request = try Jobs.Request(body)
        var id = ""
        id = try await world.jobs.submit(request, by: world.consumer).row.id
        try await world.dispatching { [id] in
            let island = try await world.connectIsland("a")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("answer")]))
            island.finish(attempt, frames: 1)
            _ = try await world.job(id, reaches: .completed)
        }
        return try await world.job(id)
    }

    @Test(arguments: [(Int?.none, 168), (1, 1), (168, 168)])
    func transcriptsAreKeptForTheirTime(hours: Int?, kept: Int) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await finished(world, hours: hours)
        let retention = Retention(database: world.database, surroundings: world.surroundings)
        world.clock.moveOn(by: .seconds(kept * 3600 - 1))
        #expect(try await !retention.eraseSome())
        #expect(try await world.jobs.output(of: job, for: world.consumer) == "answer")
        world.clock.moveOn(by: .seconds(1))
        #expect(try await retention.eraseSome())
        #expect(try await !retention.eraseSome())
        let erased = try await world.job(job.row.id)
        #expect(erased.row.input == "{}")
        #expect(erased.row.erasedAt == world.now)
        #expect(erased.row.creditsUsed == job.row.creditsUsed)
        #expect(try await world.stored(erased).isEmpty)
        #expect(try await world.transcript(erased).isEmpty)
        #expect(await refusal { try await world.jobs.jobWithTranscript(job.row.id, for: world.consumer) } == "transcript_erased")
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
    }

    @Test func aConsumerErasesWhatIsOver() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await finished(world)
        #expect(await refusal { try await world.jobs.erase(job.row.id, by: world.publisher) } == "not_found")
        #expect(try await world.jobs.erase(job.row.id, by: world.consumer).row.erasedAt == world.now)
        #expect(try await world.stored(job).isEmpty)
        let waiting = try await world.submit("my-cargo")
        #expect(await refusal { try await world.jobs.erase(waiting.row.id, by: world.consumer) } == "state_conflict")
    }

    @Test func keysOfRequestsAreKnownForTwoDays() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let body: JSONObject = ["workload": "my-cargo", "input": [:]]
        let key = try IdempotencyKey("k", request: body)
        let first = try await world.jobs.submit(Jobs.Request(body), key: key, by: world.consumer)
        let retention = Retention(database: world.database, surroundings: world.surroundings)
        world.clock.moveOn(by: .seconds(2 * 24 * 3600))
        try await retention.eraseSome()
        #expect(try await world.jobs.submit(Jobs.Request(body), key: key, by: world.consumer).row.id == first.row.id)
        world.clock.moveOn(by: .milliseconds(1))
        try await retention.eraseSome()
        #expect(try await world.jobs.submit(Jobs.Request(body), key: key, by: world.consumer).row.id != first.row.id)
    }
}

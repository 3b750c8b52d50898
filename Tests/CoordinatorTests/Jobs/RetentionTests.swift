import Domain
import Foundation
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

    /// Where the records of a job are that are too large for a row.
    private func files(_ job: Job, _ world: World) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(world.folder)/records/\(job.row.id)"))?.sorted() ?? []
    }

    @Test func aLargeImageLiesInAFileIsReadLikeAnyOtherRecordAndGoesWithItsJob() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let data = String(repeating: "QUJD", count: RecordFolder.rowBytesMax / 2)
        let image: JSONObject = ["type": "image", "data": .string(data), "format": "png", "width": 512, "height": 512]
        let live = Task { try await world.transcript(job) }
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("before"), image, FakeIsland.token("after")]))
            island.finish(attempt, frames: 3)
            _ = try await world.job(job.row.id, reaches: .completed)
        }
        let stored = try await world.stored(job)
        #expect(stored.map { $0["type"]?.string } == ["status", "status", "token", "image", "token", "done"])
        let record = try #require(stored.dropFirst(3).first)
        #expect(record["data"] == .string(data) && record["seq"] == 4 && record["attempt"] == 1 && record["width"] == 512)
        #expect(try await live.value == stored)
        #expect(try await world.transcript(job, from: 4).first == record)
        #expect(files(job, world) == ["4"])
        let inRow = try await world.database.read { reader in
            try reader.query("SELECT length(body) AS n FROM records WHERE job_id = ? AND seq = 4", [.text(job.row.id)]).map { try $0.int("n") }
        }
        #expect(inRow == [0])

        _ = try await world.jobs.erase(job.row.id, by: world.consumer)
        #expect(try await world.stored(job).isEmpty)
        try await world.database.removeErasedFiles(pageMax: 1)
        #expect(files(job, world).isEmpty)
        try await world.database.removeErasedFiles(pageMax: 1)
    }

    @Test func whatIsNotInItsFileIsSaidToBeMissing() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let body = [UInt8](repeating: 65, count: RecordFolder.rowBytesMax + 1)
        let id = job.row.id
        try await world.database.write { try $0.insert([RecordRow(seq: 1, attempt: 1, kind: "image", body: body)], of: job.row) }
        let read = { try await world.database.read { try $0.records(jobID: id, from: 1, limit: 10, bytesMax: 1) } }
        #expect(try await read().map(\.body) == [body])
        let file = "\(world.folder)/records/\(id)/1"
        // A second record with its number leaves it alone.
        await #expect(throws: StorageError.self) {
            try await world.database.write { writer in
                try writer.insert([RecordRow(seq: 1, attempt: 1, kind: "image", body: body + body)], of: job.row)
            }
        }
        #expect(try await read().map(\.body) == [body])
        for damage in [Array(body.dropLast()), nil] {
            if let damage { try Data(damage).write(to: URL(fileURLWithPath: file)) } else { try FileManager.default.removeItem(atPath: file) }
            await #expect(throws: StorageError.self) { try await read() }
        }
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

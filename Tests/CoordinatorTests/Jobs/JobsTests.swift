import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct JobsTests {
    @Test func aRequestHasItsDefaults() throws {
        let request = try Jobs.Request(["workload": "my-cargo", "input": ["a": 1]])
        #expect(request.workload == "my-cargo")
        #expect(request.input == ["a": 1])
        #expect(request.priority == 50)
        #expect(request.maxCredits == nil)
        #expect(request.timeoutSeconds == nil)
    }

    static let wrong: [(JSONObject, [String])] = [
        ([:], ["/workload", "/input"]), (["workload": 1, "input": []], ["/workload", "/input"]), (["workload": "x", "input": "text"], ["/input"]),
        (["workload": "x", "input": nil], ["/input"]), (["workload": "x", "input": [:], "priority": -1], ["/priority"]),
        (["workload": "x", "input": [:], "priority": 101], ["/priority"]), (["workload": "x", "input": [:], "priority": "high"], ["/priority"]),
        (["workload": "x", "input": [:], "max_credits": -1], ["/max_credits"]),
        (["workload": "x", "input": [:], "timeout_seconds": 0], ["/timeout_seconds"]),
        (["workload": "x", "input": [:], "timeout_seconds": 601], ["/timeout_seconds"]),
        (["workload": "x", "input": [:], "colour": "red"], ["/colour"]),
    ]

    @Test(arguments: wrong.indices)
    func everythingWrongWithARequestIsSaidAtOnce(row: Int) async {
        let (body, pointers) = Self.wrong[row]
        let error = await serviceError { try Jobs.Request(body) }
        #expect(error?.code == "validation_failed")
        #expect(error?.details.map(\.pointer) == pointers)
    }

    @Test(arguments: [("priority", 0), ("priority", 100), ("max_credits", 0), ("timeout_seconds", 1), ("timeout_seconds", 600)])
    func theBoundsThemselvesAreRight(name: String, value: Int) throws {
        var body: JSONObject = ["workload": "x", "input": [:]]
        body[name] = .int(value)
        _ = try Jobs.Request(body)
    }

    @Test func anAcceptedJobIsOnDiskAndPending() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo", input: ["text": "ä\u{0}\"", "big": .number(try #require(JSONValue(parsing: "1e400").number))])
        #expect(job.state == .pending)
        #expect(job.row.attempt == 0)
        #expect(job.row.timeoutMilliseconds == 300_000)
        #expect(job.row.createdAt == World.start)
        #expect(job.slug == "my-cargo")
        #expect(job.version == "v1.0.0")
        #expect(try await world.job(job.row.id) == job)
        #expect(try JSONValue(parsing: job.row.input)["big"] == JSONValue(parsing: "1e400"))
    }

    @Test func aJobsIdentifierIsAUUIDOfVersion7AndGrows() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        var ids: [String] = []
        for _ in 0..<5 {
            ids.append(try await world.submit("my-cargo").row.id)
            world.clock.moveOn(by: .milliseconds(1))
        }
        #expect(ids == ids.sorted())
        for id in ids {
            // RFC 9562 §5.7: 48 bits of milliseconds, version 7, variant 10.
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
        let milliseconds = Int(ids[0].replacing("-", with: "").prefix(12), radix: 16)
        #expect(milliseconds == World.start)
    }

    @Test func onlyPublishedCargosTakeJobs() async throws {
        let world = try await World()
        #expect(await refusal { try await world.submit("my-cargo") } == "not_found")
        _ = try await world.approved("my-cargo")
        #expect(await refusal { try await world.submit("my-cargo") } == "not_found")
    }

    /// A job runs the version that stands when it is accepted, though its input was checked against the one before.
    @Test(arguments: [1, 3])
    func aVersionThatIsPublishedMeanwhileCounts(jobs count: Int) async throws {
        let world = try await World()
        let before = try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let jobs = Jobs(database: gated, bus: world.bus, surroundings: world.surroundings)
        let held = gated.holdNextWrite()
        async let accepted =
            count == 1
            ? [jobs.submit(Jobs.Request(["workload": "my-cargo", "input": [:]]), by: world.consumer)]
            : Batches(jobs: jobs, dispatcher: world.dispatcher).submit(
                Batches.Request(["workload": "my-cargo", "inputs": .array(Array(repeating: [:], count: count))]), by: world.consumer
            ).jobs
        await held.reached()
        let after = try await world.published("my-cargo", version: "v2.0.0")
        held.letGo()
        for job in try await accepted {
            #expect(job.row.submissionID == after.row.id && after.row.id != before.row.id)
            #expect(job.version == "v2.0.0")
        }
        let again = try await jobs.submit(Jobs.Request(["workload": "my-cargo", "input": [:]]), by: world.consumer)
        #expect(again.version == "v2.0.0")
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
    }

    @Test(arguments: [(TrustLevel.untrusted, 60, true), (.untrusted, 61, false), (.basic, 300, true), (.basic, 301, false)])
    func aJobsTimeIsAtMostItsLevels(level: TrustLevel, seconds: Int, isRight: Bool) async throws {
        let world = try await World()
        try await world.published("my-cargo", level: level)
        let request = try Jobs.Request(["workload": "my-cargo", "input": [:], "timeout_seconds": .int(seconds)])
        let error = await serviceError { try await world.jobs.submit(request, by: world.consumer) }
        #expect(error?.details.map(\.pointer) == (isRight ? nil : ["/timeout_seconds"]))
    }

    @Test(arguments: [(0, true), (1, false)])
    func anInputHasAtMost4MiB(extra: Int, isRight: Bool) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let overhead = (["x": ""] as JSONObject).bytes.count
        let input: JSONObject = ["x": .string(String(repeating: "x", count: (4 << 20) - overhead + extra))]
        let error = await serviceError { try await world.submit("my-cargo", input: input) }
        #expect(error?.details.map(\.pointer) == (isRight ? nil : ["/input"]))
    }

    @Test func jobsAreSeenByTheirConsumerAndAdministratorsOnly() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let id = try await world.submit("my-cargo").row.id
        #expect(await refusal { try await world.jobs.job(id, for: world.publisher) } == "not_found")
        #expect(await refusal { try await world.jobs.job("unknown", for: world.consumer) } == "not_found")
        let admin = Principal(accountID: world.reviewer.accountID, scopes: [.admin])
        #expect(try await world.jobs.job(id, for: admin).row.id == id)
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.publisher).total == 0)
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.consumer).rows.map(\.row.id) == [id])
        #expect(try await world.jobs.list(state: .completed, page: Page(), for: world.consumer).total == 0)
    }

    @Test func keysOfOtherScopesCannotSubmit() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let request = try Jobs.Request(["workload": "my-cargo", "input": [:]])
        for scopes in [[], [.read], [.review], [.island]] as [Set<Scope>] {
            let principal = Principal(accountID: world.consumer.accountID, scopes: scopes)
            #expect(await refusal { try await world.jobs.submit(request, by: principal) } == "missing_scope")
        }
    }

    @Test func aJobWithoutTokensHasItsLastFrameAsOutput() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            #expect(try await world.jobs.output(of: world.job(job.row.id), for: world.consumer) == nil)
            island.say(.started(attempt))
            island.say(
                .finished(
                    .init(
                        attempt: attempt, frames: 0, done: ["type": "done", "result": [1, 2]], failure: nil, runMilliseconds: 0, cpuMilliseconds: 0,
                        peakMemoryBytes: 0)))
            #expect(try await island.hear() == .settled(attempt))
            let output = try await world.jobs.output(of: world.job(job.row.id), for: world.consumer)
            let object = try JSONValue(parsing: try #require(output))
            #expect(object["type"] == "done")
            #expect(object["result"] == [1, 2])
            #expect(object["seq"] == nil)
        }
    }
}

extension JSONValue {
    fileprivate var number: JSONNumber? { if case .number(let number) = self { number } else { nil } }
}

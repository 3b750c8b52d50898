import Domain
import IslandLink
import JSON
import Storage
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct BatchesTests {
    private func batches(_ world: World) -> Batches { Batches(jobs: world.jobs, dispatcher: world.dispatcher) }

    private func request(_ count: Int, maxCredits: Int = 100) throws -> Batches.Request {
        let inputs = (0..<count).map { JSONValue.object(["prompt": .string("\($0)")]) }
        return try Batches.Request(["workload": "my-cargo", "inputs": .array(inputs), "max_credits": .int(maxCredits)])
    }

    @Test func aBatchIsItsJobsInOrder() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let batch = try await batches(world).submit(request(100), by: world.consumer)
        #expect(batch.jobs.map { $0.row.batch } == (0..<100).map { JobRow.Batch(id: batch.row.id, index: $0) })
        #expect(batch.counts == [.pending: 100])
        #expect(!batch.isOver)
        let found = try await batches(world).batch(batch.row.id, for: world.consumer)
        #expect(found.jobs.map(\.row.id) == batch.jobs.map(\.row.id))
        #expect(try await world.ledger.wallet(for: world.consumer).held == 10_000)
        #expect(try await world.jobs.list(state: nil, batch: batch.row.id, page: Page(), for: world.consumer).total == 100)
        #expect(try await batches(world).list(page: Page(), for: world.consumer).rows.map(\.row.id) == [batch.row.id])
    }

    @Test(
        arguments: [
            (["workload": "my-cargo"], ["/inputs"]), (["workload": "my-cargo", "inputs": []], ["/inputs"]),
            (["workload": "my-cargo", "inputs": .array(Array(repeating: [:], count: 101))], ["/inputs"]),
            (["workload": "my-cargo", "inputs": [[:], 1, [:], "x"]], ["/inputs/1", "/inputs/3"]),
            (["workload": "my-cargo", "inputs": [[:]], "input": [:]], ["/input"]),
            (["inputs": [[:], [:]], "priority": 101], ["/workload", "/priority"]),
            (["workload": "my-cargo", "inputs": [[:]], "colour": "red"], ["/colour"]),
        ] as [(JSONObject, [String])])
    func everythingWrongIsSaidOnceWithItsPlace(body: JSONObject, pointers: [String]) async {
        #expect(await serviceError { try Batches.Request(body) }?.details.map(\.pointer) == pointers)
    }

    @Test func oneWrongInputKeepsAllOut() async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.inputSchema = #"{"type":"object","required":["prompt"],"properties":{"prompt":{"type":"string"}}}"#
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        _ = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
        while try await world.pipeline.scanNext() {}
        _ = try await world.review.approve(draft.row.id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(draft.row.id, to: .published, by: world.publisher)
        let request = try Batches.Request(["workload": "my-cargo", "inputs": [["prompt": "a"], ["prompt": 1], [:]]])
        let error = await serviceError { try await batches(world).submit(request, by: world.consumer) }
        #expect(error?.details.map(\.pointer) == ["/inputs/1/prompt", "/inputs/2/prompt"])
        // Everything that the Cargo's terms say of it is said at once.
        let worse = try Batches.Request([
            "workload": "my-cargo", "inputs": [["prompt": "a"], ["prompt": 1], [:]], "timeout_seconds": 301, "max_credits": 1,
        ])
        let all = await serviceError { try await batches(world).submit(worse, by: world.consumer) }
        #expect(all?.details.map(\.pointer).sorted() == ["/inputs/1/prompt", "/inputs/2/prompt", "/max_credits", "/timeout_seconds"])
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.consumer).total == 0)
    }

    @Test func creditsForAllButOneKeepAllOut() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let poor = try await world.person("poor")
        _ = try await world.ledger.grant(Ledger.Grant(["amount": 299]), to: poor.accountID, by: world.administrator)
        let error = await serviceError { try await batches(world).submit(request(3), by: poor) }
        #expect(error?.code == "insufficient_credits")
        #expect(error?.context["needed"] == 300)
        #expect(error?.context["available"] == 299)
        #expect(try await world.ledger.wallet(for: poor) == Wallet(credits: 299, held: 0))
        #expect(try await world.jobs.list(state: nil, page: Page(), for: poor).total == 0)
        #expect(try await batches(world).list(page: Page(), for: poor).total == 0)
    }

    @Test func cancellingABatchLeavesWhatIsOver() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            let batch = try await batches(world).submit(request(3), by: world.consumer)
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.finish(attempt, frames: 0)
            _ = try await world.job(attempt.job, reaches: .completed)
            let over = try await batches(world).cancel(batch.row.id, by: world.consumer)
            #expect(over.counts == [.completed: 1, .cancelled: 2])
            #expect(over.isOver)
            #expect(try await batches(world).cancel(batch.row.id, by: world.consumer) == over)
        }
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
        #expect(try await world.ledger.wallet(for: world.consumer).held == 0)
    }

    /// As with a single job: who may send may cancel, whether or not it may read.
    @Test func whoMayOnlySendMayCancel() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let sender = Principal(accountID: world.consumer.accountID, scopes: [.write])
        let batch = try await batches(world).submit(request(2), by: sender)
        #expect(try await batches(world).cancel(batch.row.id, by: sender).counts == [.cancelled: 2])
        #expect(await refusal { try await batches(world).batch(batch.row.id, for: sender) } == "missing_scope")
    }

    @Test func aBatchIsItsConsumersAlone() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let batch = try await batches(world).submit(request(1), by: world.consumer)
        #expect(await refusal { try await batches(world).batch(batch.row.id, for: world.publisher) } == "not_found")
        #expect(await refusal { try await batches(world).cancel(batch.row.id, by: world.publisher) } == "not_found")
        #expect(try await batches(world).batch(batch.row.id, for: world.administrator).jobs.count == 1)
    }

    @Test func aBatchUnderAKnownKeyIsTheFirstOne() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let key = try IdempotencyKey("k", request: ["x": 1])
        let first = try await batches(world).submit(request(2), key: key, by: world.consumer)
        #expect(try await batches(world).submit(request(2), key: key, by: world.consumer).row.id == first.row.id)
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.consumer).total == 2)
    }
}

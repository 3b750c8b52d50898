import Domain
import IslandLink
import JSON
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

/// Prices of the world's Cargos: 5 a job, 2 a token, 3 a second; the Island's owner is the publisher, who gets all of it.
@Suite(.timeLimit(.minutes(5))) struct LedgerTests {
    /// What a job of level 1 holds without `max_tokens`.
    static let worst = 5 + 2 * 4096 + 3 * 300

    private func credits(_ principal: Principal, _ world: World) async throws -> Wallet { try await world.ledger.wallet(for: principal) }

    /// Everything adds up, and nothing is held that no job holds.
    private func expectBalanced(_ world: World, held: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let found = try await world.ledger.verify(for: world.administrator)
        #expect(found.faults == [], sourceLocation: sourceLocation)
        #expect(found.held == held, sourceLocation: sourceLocation)
    }

    // MARK: Holding

    @Test func aJobsWorstCaseIsHeldWhenItIsSent() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        #expect(job.row.held == Self.worst)
        #expect(try await credits(world.consumer, world) == Wallet(credits: World.credits - Self.worst, held: Self.worst))
        let few = try await world.submit("my-cargo", input: ["max_tokens": 10])
        #expect(few.row.held == 5 + 20 + 900)
        let capped = try await world.submit("my-cargo", maxCredits: 100)
        #expect(capped.row.held == 100)
        let short = try await world.jobs.submit(
            Jobs.Request(["workload": "my-cargo", "input": ["max_tokens": 0], "timeout_seconds": 2]), by: world.consumer)
        #expect(short.row.held == 5 + 6)
        try await expectBalanced(world, held: Self.worst + 925 + 100 + 11)
    }

    @Test(arguments: [JSONValue.int(-1), "many", .null, true, .number(JSONNumber(1.5))]) func whatCountsNoTokensIsTheUsualNumber(tokens: JSONValue)
        async throws
    {
        let world = try await World()
        try await world.published("my-cargo")
        #expect(try await world.submit("my-cargo", input: ["max_tokens": tokens]).row.held == Self.worst)
    }

    @Test func aConsumerWithoutEnoughCreditsIsToldHowManyAreMissingAndNothingIsKept() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let poor = try await world.person("poor")
        _ = try await world.ledger.grant(Ledger.Grant(["amount": 924]), to: poor.accountID, by: world.administrator)
        let request = try Jobs.Request(["workload": "my-cargo", "input": ["max_tokens": 10]])
        let error = await serviceError { try await world.jobs.submit(request, key: IdempotencyKey("k", request: [:]), by: poor) }
        #expect(error?.kind == .paymentRequired)
        #expect(error?.code == "insufficient_credits")
        #expect(error?.context["needed"] == 925)
        #expect(error?.context["available"] == 924)
        #expect(try await world.jobs.list(state: nil, page: Page(), for: poor).total == 0)
        _ = try await world.ledger.grant(Ledger.Grant(["amount": 1]), to: poor.accountID, by: world.administrator)
        #expect(try await world.jobs.submit(request, key: IdempotencyKey("k", request: [:]), by: poor).row.held == 925)
        #expect(try await credits(poor, world) == Wallet(credits: 0, held: 925))
        try await expectBalanced(world, held: 925)
    }

    @Test func aHoldBeyondAllCreditsIsRefusedAndNeverTraps() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        #expect(await refusal { try await world.submit("my-cargo", input: ["max_tokens": .int(Int.max)]) } == "insufficient_credits")
        try await expectBalanced(world)
    }

    @Test func aLimitBelowTheCheapestRunIsRefused() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        for most in [0, 4, 7] {
            let error = await serviceError { try await world.submit("my-cargo", maxCredits: most) }
            #expect(error?.details.map(\.pointer) == ["/max_credits"])
        }
        #expect(try await world.submit("my-cargo", maxCredits: 8).row.held == 8)
    }

    @Test func parallelSubmitsNeverSpendACreditTwice() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let poor = try await world.person("poor")
        _ = try await world.ledger.grant(Ledger.Grant(["amount": .int(10 * 925 + 924)]), to: poor.accountID, by: world.administrator)
        let request = try Jobs.Request(["workload": "my-cargo", "input": ["max_tokens": 10]])
        let accepted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { (try? await world.jobs.submit(request, by: poor)) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 10)
        #expect(try await credits(poor, world) == Wallet(credits: 924, held: 9250))
        try await expectBalanced(world, held: 9250)
    }

    // MARK: Settling

    /// Runs a job of ten tokens and a second and a half, which ends as `finish` says.
    private func ran(
        _ world: World, maxCredits: Int? = nil, timeoutSeconds: Int? = nil, tokens: Int = 10,
        _ finish: @escaping @Sendable (FakeIsland, AttemptID, Job) async throws -> Void
    ) async throws -> Job {
        try await world.published("my-cargo")
        let id = Mutex("")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo", maxCredits: maxCredits, timeoutSeconds: timeoutSeconds)
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: (0..<tokens).map { FakeIsland.token("\($0)") }))
            guard case .stored? = try await island.hear() else { throw LinkError("nothing was stored") }
            world.clock.moveOn(by: .milliseconds(1500))
            try await finish(island, attempt, job)
            while try await !world.job(job.row.id).state.isTerminal { await Task.yield() }
            id.withLock { $0 = job.row.id }
        }
        return try await world.job(id.withLock(\.self))
    }

    @Test func aCompletedJobIsChargedSplitAndTheRestReleased() async throws {
        let world = try await World()
        let job = try await ran(world) { island, attempt, _ in island.finish(attempt, frames: 10, runMilliseconds: 1500) }
        #expect(job.row.creditsUsed == 5 + 20 + 6)
        #expect(job.row.held == 0)
        #expect(try await credits(world.consumer, world) == Wallet(credits: World.credits - 31, held: 0))
        #expect(try await credits(world.publisher, world) == Wallet(credits: 31, held: 0))
        try await expectBalanced(world)
        let lines = try await world.ledger.statement(page: Page(), for: world.consumer)
        #expect(lines.rows.map(\.kind) == ["settlement", "hold", "grant"])
        #expect(lines.rows.map(\.amount) == [Self.worst - 31, -Self.worst, World.credits])
        #expect(lines.rows.map(\.balance) == [World.credits - 31, World.credits - Self.worst, World.credits])
        #expect(lines.rows.map(\.jobID) == [job.row.id, job.row.id, nil])
    }

    /// With a second of its own, and as long as its level allows.
    @Test(arguments: [(1, 0), (nil, 1)]) func aTimeoutIsFreeAndCountsAgainstTheCargoIfItsLevelsTimeIsOver(timeoutSeconds: Int?, failed: Int)
        async throws
    {
        let world = try await World()
        let job = try await ran(world, timeoutSeconds: timeoutSeconds) { island, attempt, _ in
            island.fail(attempt, .cargo, "timeout", frames: 10)
        }
        #expect(job.state == .timeout)
        #expect(job.failure?.fault == .cargo)
        #expect(job.row.creditsUsed == 0)
        #expect(try await world.registry.cargo(slug: "my-cargo", for: world.consumer).entry.jobsFailed == failed)
        try await expectBalanced(world)
    }

    @Test(arguments: [FaultClass.cargo, .island, .input]) func faultsOfOthersCostTheConsumerNothing(fault: FaultClass) async throws {
        let world = try await World()
        let job = try await ran(world) { island, attempt, _ in
            var attempt = attempt
            island.fail(attempt, fault, "broken", frames: 10)
            for _ in 0..<(fault == .island ? 2 : 0) {
                attempt = try await island.hearAssignmentAfterSettled().attempt
                island.fail(attempt, fault, "broken")
            }
        }
        #expect(job.state == .failed)
        #expect(job.row.creditsUsed == 0)
        #expect(try await credits(world.consumer, world) == Wallet(credits: World.credits, held: 0))
        #expect(try await credits(world.publisher, world) == Wallet(credits: 0, held: 0))
        try await expectBalanced(world)
    }

    @Test func aJobCancelledWhileItRunsPaysForTokensAndSecondsSoFar() async throws {
        let world = try await World()
        let job = try await ran(world) { _, _, job in _ = try await world.dispatcher.cancel(job.row.id, by: world.consumer) }
        #expect(job.state == .cancelled)
        #expect(job.row.creditsUsed == 20 + 6)
        #expect(try await world.transcript(job).last?["usage"]?["credits_used"] == 26)
        #expect(try await credits(world.consumer, world) == Wallet(credits: World.credits - 26, held: 0))
        try await expectBalanced(world)
    }

    @Test func aJobCancelledBeforeItRunsCostsNothing() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let over = try await world.dispatcher.cancel(job.row.id, by: world.consumer)
        #expect(over.row.creditsUsed == 0)
        #expect(try await credits(world.consumer, world) == Wallet(credits: World.credits, held: 0))
        try await expectBalanced(world)
    }

    @Test func aJobThatWasTakenFromItsIslandPaysNothingForIt() async throws {
        let world = try await World()
        let job = try await ran(world) { island, _, job in
            await island.hangUp()
            await world.clock.pass(seconds: 31)
            _ = try await world.dispatcher.cancel(job.row.id, by: world.consumer)
        }
        #expect(job.state == .cancelled)
        #expect(job.row.creditsUsed == 0)
        try await expectBalanced(world)
    }

    @Test func tokensBeyondTheHoldAreNotDeliveredAndEndTheJob() async throws {
        let world = try await World()
        // 5 + 2 × 10 + 3 × 0 is paid for; no eleventh token.
        let job = try await ran(world, maxCredits: 25, tokens: 11) { island, attempt, _ in
            let word = try await island.hear()
            #expect(word == .cancel(attempt))
        }
        #expect(job.state == .failed)
        #expect(job.failure?.code == "credits_exhausted")
        #expect(job.failure?.fault == .consumer)
        #expect(job.row.tokens == 10)
        #expect(job.row.creditsUsed == 20)
        let records = try await world.transcript(job)
        #expect(records.filter { $0["type"] == "token" }.count == 10)
        #expect(records.last?["code"] == "credits_exhausted")
        try await expectBalanced(world)
    }

    @Test func timeBeyondTheHoldEndsTheJob() async throws {
        let world = try await World()
        // 5 + 20 + 3 × 4 seconds are paid for.
        let job = try await ran(world, maxCredits: 38) { island, attempt, _ in
            island.say(.heartbeat([attempt]))
            await world.clock.pass(seconds: 1)
            let running = try await world.jobs.job(attempt.job, for: world.consumer)
            #expect(running.state == .running)
            await world.clock.pass(seconds: 3)
            let word = try await island.hear()
            #expect(word == .cancel(attempt))
        }
        #expect(job.failure?.code == "credits_exhausted")
        #expect(try #require(job.row.creditsUsed) <= 38)
        #expect(try #require(job.row.creditsUsed) >= 20 + 9)
        try await expectBalanced(world)
    }

    /// It may have done nothing, so its time does not use up what is held: the job runs elsewhere.
    @Test(arguments: [true, false]) func nobodyPaysForTheTimeOfAnIslandThatIsNotHeardOf(hangsUp: Bool) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        // 5 + 20 + 3 × 20 seconds are paid for.
        let job = try await world.submit("my-cargo", maxCredits: 85)
        try await world.dispatching {
            let gone = try await world.connectIsland("a")
            let attempt = try await gone.hearAssignment().attempt
            gone.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            if hangsUp { await gone.hangUp() }
            let other = try await world.connectIsland("b")
            await world.clock.pass(seconds: 29)
            #expect(try await world.job(job.row.id).state == .running)
            await world.clock.pass(seconds: 1)
            let second = try await other.hearAssignment().attempt
            #expect(second == AttemptID(job: job.row.id, number: 2))
            other.say(.started(second))
            other.finish(second, frames: 0)
            #expect(try await other.hear() == .settled(second))
        }
        let done = try await world.job(job.row.id)
        #expect(done.state == .completed && done.row.creditsUsed == 5)
        try await expectBalanced(world)
    }

    @Test func thePlatformTakesItsFee() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings, platformFee: 10)
        let owner = try await world.person("owner")
        try await world.dispatching(dispatcher) {
            let row = try await world.islands.register(name: "elsewhere", by: owner).island
            let island = try await world.connect(row, to: dispatcher).island
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(.frames(attempt, first: 1, frames: (0..<48).map { FakeIsland.token("\($0)") }))
            _ = try await island.hear()
            island.finish(attempt, frames: 48)
            #expect(try await island.hear() == .settled(attempt))
            #expect(try await world.job(job.row.id).row.creditsUsed == 101)
        }
        #expect(try await credits(owner, world).credits == 70)
        #expect(try await credits(world.publisher, world).credits == 21)
        #expect(try await world.database.read { try $0.ledgerBalance(account: "platform") } == 10)
        try await expectBalanced(world)
    }

    // MARK: Granting

    @Test func creditsAreGivenAndTakenByAdministratorsAlone() async throws {
        let world = try await World()
        let grant = try Ledger.Grant(["amount": 5, "note": "Welcome"])
        for asker in [world.consumer, world.publisher, world.reviewer] {
            #expect(await refusal { try await world.ledger.grant(grant, to: asker.accountID, by: asker) } == "missing_scope")
            #expect(await refusal { try await world.ledger.verify(for: asker) } == "missing_scope")
        }
        #expect(await refusal { try await world.ledger.grant(grant, to: "nobody", by: world.administrator) } == "not_found")
        #expect(try await world.ledger.grant(grant, to: world.publisher.accountID, by: world.administrator).credits == 5)
        let taken = try Ledger.Grant(["amount": -6])
        #expect(
            await refusal { try await world.ledger.grant(taken, to: world.publisher.accountID, by: world.administrator) } == "insufficient_credits")
        #expect(try await world.ledger.grant(Ledger.Grant(["amount": -5]), to: world.publisher.accountID, by: world.administrator).credits == 0)
        let most = try Ledger.Grant(["amount": .int(Transfer.creditsMax)])
        #expect(await refusal { try await world.ledger.grant(most, to: world.publisher.accountID, by: world.administrator) } == "too_many_credits")
        try await expectBalanced(world)
        #expect(try await world.audit.list(AuditFilter(action: "account.credits"), page: Page(), for: world.administrator).total == 2)
    }

    @Test(
        arguments: [
            [:], ["amount": 0], ["amount": "5"], ["amount": .number(JSONNumber(1.5))], ["amount": 1_000_000_000_000_001], ["amount": 5, "note": 1],
            ["amount": 5, "why": ""],
        ] as [JSONObject])
    func aWrongGrantIsRefused(body: JSONObject) async {
        #expect(await refusal { try Ledger.Grant(body) } == "validation_failed")
    }

    // MARK: Checking

    @Test(arguments: [
        "UPDATE ledger_balances SET balance = balance + 1 WHERE account = 'holds'",
        "UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'issued'",
        "DELETE FROM ledger_entries WHERE account = 'holds'", "UPDATE jobs SET held = held + 1", "UPDATE jobs SET completed_at = 1",
        "DELETE FROM ledger_balances WHERE account = 'issued'",
    ])
    func whatWasTamperedWithIsFound(statement: String) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        _ = try await world.submit("my-cargo")
        try await expectBalanced(world, held: Self.worst)
        try await world.database.write { _ = try $0.execute(statement, []) }
        #expect(try await !world.ledger.verify(for: world.administrator).faults.isEmpty)
    }

    @Test func theDatabaseItselfRefusesABalanceBelowZero() async throws {
        let world = try await World()
        let transfer = LedgerTransferRow(
            kind: "grant", jobID: nil, actorID: "x", note: "", at: 0,
            entries: [.init(account: "wallet/\(world.publisher.accountID)", amount: -1), .init(account: "issued", amount: 1)])
        await #expect { try await world.database.write { try $0.book(transfer) } } throws: { ($0 as? StorageError)?.code == .constraint }
        try await expectBalanced(world)
    }

    // MARK: Repeated requests

    private static let body: JSONObject = ["workload": "my-cargo", "input": ["prompt": "Hello"]]

    @Test func theSameRequestUnderOneKeyIsOneJobAndHasTheFirstAnswer() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let key = try IdempotencyKey("order-17", request: Self.body)
        let first = try await world.jobs.submit(Jobs.Request(Self.body), key: key, by: world.consumer)
        _ = try await world.dispatcher.cancel(first.row.id, by: world.consumer)
        let second = try await world.jobs.submit(Jobs.Request(Self.body), key: key, by: world.consumer)
        #expect(second == first)
        let other = try await world.person("other")
        _ = try await world.ledger.grant(Ledger.Grant(["amount": 100_000]), to: other.accountID, by: world.administrator)
        #expect(try await world.jobs.submit(Jobs.Request(Self.body), key: key, by: other).row.id != first.row.id)
        try await expectBalanced(world, held: Self.worst)
    }

    @Test func twoAtTheSameInstantAreOneJob() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let key = try IdempotencyKey("order-17", request: Self.body)
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 { group.addTask { try await world.jobs.submit(Jobs.Request(Self.body), key: key, by: world.consumer).row.id } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.consumer).total == 1)
        try await expectBalanced(world, held: Self.worst)
    }

    /// Not every client writes the members of an object in the same order each time.
    @Test func theSameRequestInAnotherOrderIsTheSame() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let one: JSONObject = ["workload": "my-cargo", "input": ["prompt": "Hi", "more": ["a": 1, "b": [["x": 1, "y": 2]]]], "priority": 5]
        let other: JSONObject = ["priority": 5, "input": ["more": ["b": [["y": 2, "x": 1]], "a": 1], "prompt": "Hi"], "workload": "my-cargo"]
        let first = try await world.jobs.submit(Jobs.Request(one), key: IdempotencyKey("k", request: one), by: world.consumer)
        let second = try await world.jobs.submit(Jobs.Request(other), key: IdempotencyKey("k", request: other), by: world.consumer)
        #expect(first == second)
    }

    @Test func anotherRequestUnderAKnownKeyIsRefused() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        _ = try await world.jobs.submit(Jobs.Request(Self.body), key: IdempotencyKey("k", request: Self.body), by: world.consumer)
        let other: JSONObject = ["workload": "my-cargo", "input": ["prompt": "Bye"]]
        let error = await serviceError {
            try await world.jobs.submit(Jobs.Request(other), key: IdempotencyKey("k", request: other), by: world.consumer)
        }
        #expect(error?.kind == .invalid)
        #expect(error?.code == "idempotency_key_reused")
    }

    @Test(arguments: ["", "a b", "ä", "tab\t", String(repeating: "k", count: 256)]) func aKeyIsVisibleASCII(name: String) async {
        #expect(await refusal { try IdempotencyKey(name, request: [:]) } == "validation_failed")
    }
}

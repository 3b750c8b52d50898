import Domain
import IslandLink
import JSON
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

/// A database that cannot be written to for a while, as on a full disk.
private final class FailingDatabase: Database {
    private let database: any Database
    private let failures = Mutex(0)

    init(_ database: any Database) { self.database = database }

    /// The next writes fail.
    func fail(writes: Int) { failures.withLock { $0 = writes } }
    var isOver: Bool { failures.withLock { $0 == 0 } }

    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Value) async throws -> Value { try await database.read(body) }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value {
        let fails = failures.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if fails { throw StorageError(.unavailable, "the disk is full") }
        return try await database.write(body)
    }

    var recordFolder: RecordFolder { database.recordFolder }

    func close() async { await database.close() }
}

@Suite(.timeLimit(.minutes(5))) struct OutageTests {
    @Test func jobsThatCouldNotBePlacedArePlacedOnceTheDiskHasRoom() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let database = FailingDatabase(world.database)
        let dispatcher = Dispatcher(database: database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            let row = try await world.registerIsland("a")
            let island = try await world.connect(row, to: dispatcher).island
            database.fail(writes: 3)
            let jobs = [try await world.submit("my-cargo"), try await world.submit("my-cargo")]
            while !database.isOver { await world.clock.pass(seconds: 1) }
            await world.clock.pass(seconds: 1)
            let attempts = [try await island.hearAssignment().attempt, try await island.hearAssignment().attempt]
            #expect(Set(attempts.map(\.job)) == Set(jobs.map(\.row.id)))
            #expect(attempts.allSatisfy { $0.number == 1 })
        }
    }

    @Test func leasesAreLookedAtAgainAfterAnOutage() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let database = FailingDatabase(world.database)
        let dispatcher = Dispatcher(database: database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            let row = try await world.registerIsland("a")
            let island = try await world.connect(row, to: dispatcher).island
            let job = try await world.submit("my-cargo")
            _ = try await island.hearAssignment()
            await island.hangUp()
            database.fail(writes: 2)
            for _ in 0..<34 { await world.clock.pass(seconds: 1) }
            let lost = try await world.job(job.row.id, reaches: .pending)
            #expect(lost.row.firstCause?.contains("lease_lost") == true)
        }
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
    }

    /// Between the commit that gives two jobs to an Island and their way to it the Island leaves, and the disk is full: both come back.
    @Test func jobsWhoseIslandLeftDuringAnOutageAreNotForgotten() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let database = FailingDatabase(gated)
        let dispatcher = Dispatcher(database: database, bus: world.bus, surroundings: world.surroundings)
        let batches = Batches(jobs: world.jobs, dispatcher: dispatcher)
        try await world.dispatching(dispatcher) {
            let row = try await world.registerIsland("a")
            let island = try await world.connect(row, to: dispatcher).island
            let placing = gated.holdNextWrite()
            let request = try Batches.Request(["workload": "my-cargo", "inputs": [[:], [:]]])
            let jobs = try await batches.submit(request, by: world.consumer).jobs
            await placing.reached()
            await island.hangUp()
            database.fail(writes: 1)
            placing.letGo()
            while !database.isOver { await Task.yield() }
            await world.clock.pass(seconds: 1)
            let back = try await world.connect(row, to: dispatcher).island
            let attempts = [try await back.hearAssignment().attempt, try await back.hearAssignment().attempt]
            #expect(Set(attempts.map(\.job)) == Set(jobs.map(\.row.id)))
            #expect(attempts.allSatisfy { $0.number == 2 })
        }
    }

    /// Whoever is first: one end, one settlement.
    @Test func cancellingAndFinishingAtOnceSettleOnce() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 8))
            for _ in 0..<40 {
                let job = try await world.submit("my-cargo")
                let attempt = try await island.hearAssignmentAfterSettled().attempt
                island.say(.started(attempt))
                island.say(.frames(attempt, first: 1, frames: [FakeIsland.token("a"), FakeIsland.token("b")]))
                island.finish(attempt, frames: 2)
                async let cancelled = refusal { try await world.dispatcher.cancel(job.row.id, by: world.consumer) }
                let word = await cancelled
                while try await !world.job(job.row.id).state.isTerminal { await Task.yield() }
                let over = try await world.job(job.row.id)
                #expect((over.state == .cancelled) == (word == "no refusal"))
                #expect(try await world.transcript(over).filter { ["done", "error"].contains($0["type"]?.string) && $0["status"] != nil }.count == 1)
            }
        }
        let books = try await world.ledger.verify(for: world.administrator)
        #expect(books.faults == [])
        #expect(books.held == 0)
    }

    /// Thousands of jobs that are sent and cancelled while nobody can run them leave nothing that waits.
    @Test func cancelledJobsDoNotWait() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            _ = try await world.connectIsland("other", capabilities: FakeIsland.capabilities(platform: "linux/arm64"))
            for _ in 0..<200 {
                let job = try await world.submit("my-cargo")
                _ = try await world.dispatcher.cancel(job.row.id, by: world.consumer)
            }
            let last = try await world.submit("my-cargo")
            let island = try await world.connectIsland("fits")
            #expect(try await island.hearAssignment().attempt == AttemptID(job: last.row.id, number: 1))
            #expect(try await world.database.read { try $0.queuedJobs(after: 0, limit: 10) }.isEmpty)
            #expect(await world.dispatcher.waitingRows.isEmpty)
        }
        #expect(try await world.ledger.verify(for: world.administrator).faults == [])
    }
}

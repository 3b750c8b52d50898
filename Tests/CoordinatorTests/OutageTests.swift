import Domain
import IslandLink
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

    func close() async { await database.close() }
}

@Suite(.timeLimit(.minutes(1))) struct OutageTests {
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
}

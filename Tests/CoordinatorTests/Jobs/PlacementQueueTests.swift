import Domain
import IslandLink
import JSON
import Storage
import Testing

@testable import Coordinator

/// What the dispatcher keeps of jobs that wait, and of those on their way.
@Suite(.timeLimit(.minutes(5))) struct PlacementQueueTests {
    // MARK: Jobs that are gone

    /// More cancelled jobs than one commit places stand before one that waits, and nothing else happens than that a slot becomes free.
    @Test func cancelledJobsDoNotHideOneThatWaits() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 1))
            _ = try await world.submit("my-cargo")
            let running = try await island.hearAssignment().attempt
            let crowd = try await world.submit("my-cargo", each: Array(repeating: [], count: 700))
            while await world.dispatcher.waitingRows.count < crowd.count { await Task.yield() }
            try await world.cancel(crowd)
            let last = try await world.submit("my-cargo")
            while await world.dispatcher.waitingRows[last.row.id] == nil { await Task.yield() }
            island.say(.started(running))
            island.finish(running, frames: 0)
            #expect(try await island.hearAssignmentAfterSettled().attempt.job == last.row.id)
        }
    }

    /// One job that nobody can run waits; of others like it, or stranger, nothing is left once they are cancelled.
    @Test(arguments: [true, false]) func whatIsGoneIsForgottenWhileAnotherWaits(isStrange: Bool) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let parked = try await world.submit("my-cargo", each: [["nowhere"]])
            let crowd = try await world.submit("my-cargo", each: (1...300).map { isStrange ? ["nowhere", "r\($0)"] : ["nowhere"] })
            while await world.dispatcher.waitingRows.count < 301 { await Task.yield() }
            #expect(await world.dispatcher.kinds.count == (isStrange ? 301 : 1))
            try await world.cancel(crowd)
            let last = try await world.submit("my-cargo")
            #expect(try await island.hearAssignment().attempt.job == last.row.id)
            #expect(await world.dispatcher.kinds.count == 1)
            #expect(await world.dispatcher.requirements.count == 1)
            #expect(await world.dispatcher.waiting.count == 1)
            #expect(await Array(world.dispatcher.waitingRows.keys) == parked.map(\.row.id))
        }
    }

    /// What was read of the queue says that it waits, and by then it is over.
    @Test func aJobThatEndsWhileTheQueueIsReadDoesNotStandInLine() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let dispatcher = Dispatcher(database: gated, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            let first = try await world.submit("my-cargo")
            while await dispatcher.waitingRows[first.row.id] == nil { await Task.yield() }
            let gate = gated.holdNextRead()
            let cancelled = try await world.submit("my-cargo")
            await gate.reached()
            _ = try await dispatcher.cancel(cancelled.row.id, by: world.consumer)
            gate.letGo()
            let last = try await world.submit("my-cargo")
            while await dispatcher.waitingRows[last.row.id] == nil { await Task.yield() }
            #expect(await Set(dispatcher.waitingRows.keys) == [first.row.id, last.row.id])
        }
    }

    /// A kind is known by its number, which no other kind gets as long as a job of it waits.
    @Test func aKindThatComesAgainIsTakenForNoOther() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 8))
            let parked = try await world.submit("my-cargo", each: [["nowhere"]])
            for round in 1...3 {
                let plain = try await world.submit("my-cargo")
                #expect(try await island.hearAssignment().attempt.job == plain.row.id)
                _ = try await world.submit("my-cargo", each: [["nowhere", "\(round)"]])
                while await world.dispatcher.kinds.count < 1 + round { await Task.yield() }
            }
            #expect(await Set(world.dispatcher.kinds.values) == Set(world.dispatcher.requirements.keys))
            #expect(try await world.job(parked[0].row.id).state == .pending)
        }
    }

    // MARK: Large inputs

    /// Together they are more than one commit reads, and each is more than waits for its turn in memory.
    @Test func largeInputsReachASlowIslandAndDoNotWaitInMemory() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(slots: 8))
            island.takes(false)
            let text = String(repeating: "a", count: 4_000_000)
            let jobs: [Job] = try await withThrowingTaskGroup(of: Job.self) { group in
                for number in 0..<6 {
                    group.addTask { try await world.submit("my-cargo", input: ["number": .int(number), "text": .string(text)]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            while await world.dispatcher.leases.count < jobs.count { await Task.yield() }
            let bytes = await world.dispatcher.sessions[island.row.id]?.bytesWaiting
            #expect(bytes.map { $0 <= IslandSession.inputBytesMax } == true)
            island.takes(true)
            var inputs: [String: JSONObject] = [:]
            for _ in jobs {
                let assignment = try await island.hearAssignment()
                inputs[assignment.attempt.job] = assignment.input
            }
            #expect(Set(inputs.values.compactMap { $0["number"]?.int }) == Set(0..<6))
            #expect(inputs.values.allSatisfy { $0["text"]?.string == text })
            let stored = try await world.database.read { reader in try jobs.compactMap { try reader.job(id: $0.row.id) } }
            #expect(stored.allSatisfy { inputs[$0.id]?.text == $0.input })
        }
    }

    @Test func aLargeInputOfACancelledJobIsNotSent() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            island.takes(false)
            let small = try await world.submit("my-cargo")
            while await world.dispatcher.leases[small.row.id] == nil { await Task.yield() }
            let large = try await world.submit("my-cargo", input: ["text": .string(String(repeating: "a", count: 2_000_000))])
            while await world.dispatcher.leases[large.row.id] == nil { await Task.yield() }
            _ = try await world.dispatcher.cancel(large.row.id, by: world.consumer)
            island.takes(true)
            #expect(try await island.hearAssignment().attempt.job == small.row.id)
            #expect(try await island.hear() == .cancel(AttemptID(job: large.row.id, number: 1)))
        }
    }
}

extension World {
    /// Sends many jobs at once, each allowed in regions of its own; none means all of them.
    fileprivate func submit(_ slug: String, each regions: [[String]]) async throws -> [Job] {
        try await withThrowingTaskGroup(of: Job.self) { group in
            for names in regions {
                let request = try Jobs.Request(["workload": .string(slug), "input": [:], "regions": .array(names.map(JSONValue.string))])
                group.addTask { try await self.jobs.submit(request, by: self.consumer) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    fileprivate func cancel(_ jobs: [Job]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in jobs { group.addTask { _ = try await self.dispatcher.cancel(job.row.id, by: self.consumer) } }
            try await group.waitForAll()
        }
    }
}

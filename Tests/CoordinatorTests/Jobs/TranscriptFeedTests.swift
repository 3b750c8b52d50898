import Domain
import Fabric
import IslandLink
import JSON
import Storage
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct TranscriptFeedTests {
    /// A job whose attempt runs on an Island.
    static func running(_ world: World) async throws -> (job: Job, island: FakeIsland, attempt: AttemptID) {
        let island = try await world.connectIsland("a")
        let job = try await world.submit("my-cargo")
        let attempt = try await island.hearAssignment().attempt
        island.say(.started(attempt))
        return (try await world.job(job.row.id, reaches: .running), island, attempt)
    }

    @Test func aReaderHearsWhatIsStoredAndThenWhatComesUntilTheEnd() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let (job, island, attempt) = try await Self.running(world)
            var feed = world.jobs.transcript(of: job, from: 1).makeAsyncIterator()
            var seen = try await feed.next() ?? []
            #expect(seen.map(\.seq) == [1, 2])
            for number in 1...3 {
                island.say(.frames(attempt, first: number, frames: [FakeIsland.token("\(number)")]))
                let page = try await feed.next() ?? []
                #expect(page.map(\.seq) == [number + 2])
                seen += page
            }
            island.finish(attempt, frames: 3)
            seen += try await feed.next() ?? []
            #expect(try await feed.next() == nil)
            #expect(try await feed.next() == nil)
            #expect(seen.map(\.seq) == Array(1...6))
            #expect(seen.last?.kind == "done")
        }
    }

    /// More news than waits for a listener, and frames that are too long to wait: both are read from the database.
    @Test(arguments: [(frames: 3 * SignalListener.newsMax, longEvery: Int.max), (frames: 12, longEvery: 3)])
    func whoFallsBehindMissesNothing(frames: Int, longEvery: Int) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let (job, island, attempt) = try await Self.running(world)
            var feed = world.jobs.transcript(of: job, from: 1).makeAsyncIterator()
            var seen = try await feed.next() ?? []
            for number in 1...frames {
                let content = number % longEvery == 0 ? String(repeating: "x", count: 40_000) : "\(number)"
                island.say(.frames(attempt, first: number, frames: [FakeIsland.token(content)]))
                #expect(try await island.hear() == .stored(attempt, upTo: number))
            }
            island.finish(attempt, frames: frames)
            while let page = try await feed.next() { seen += page }
            #expect(seen.map(\.seq) == Array(1...(2 + frames + 1)))
            let stored = try await world.transcript(job)
            #expect(try seen.map { try JSONValue(parsing: $0.body).object } == stored)
        }
    }

    @Test func manyReadersHearTheSame() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let (job, island, attempt) = try await Self.running(world)
            try await withThrowingTaskGroup(of: [Int?].self) { group in
                for reader in 0..<20 {
                    group.addTask { try await world.transcript(job, from: reader % 5 + 1).map { $0["seq"]?.int } }
                }
                for batch in 0..<10 {
                    island.say(.frames(attempt, first: batch * 50 + 1, frames: (0..<50).map { FakeIsland.token("\($0)") }))
                    #expect(try await island.hear() == .stored(attempt, upTo: (batch + 1) * 50))
                }
                island.finish(attempt, frames: 500)
                let last = 2 + 500 + 1
                var firsts: [Int: Int] = [:]
                for try await seqs in group {
                    let first = seqs.first.flatMap(\.self) ?? 0
                    #expect(seqs == (first...last).map(Optional.some))
                    firsts[first, default: 0] += 1
                }
                #expect(firsts == [1: 4, 2: 4, 3: 4, 4: 4, 5: 4])
            }
            #expect(world.bus.listenerCount == 1)
        }
    }

    @Test func aLateReaderStartsAtAnyRecordAndPagesAreSmall() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let (job, island, attempt) = try await Self.running(world)
            for batch in 0..<2 {
                island.say(.frames(attempt, first: batch * 300 + 1, frames: (0..<300).map { FakeIsland.token("\($0)") }))
                #expect(try await island.hear() == .stored(attempt, upTo: (batch + 1) * 300))
            }
            island.finish(attempt, frames: 600)
            #expect(try await island.hear() == .settled(attempt))
            let last = 2 + 600 + 1
            for from in [Int.min, -1, 0, 1, 2, 300, last - 1, last] {
                let seqs = try await world.transcript(job, from: from).map { $0["seq"]?.int }
                #expect(seqs == (max(1, from)...last).map(Optional.some), "from \(from)")
            }
            for from in [last + 1, last + 100, Int.max - 1] {
                #expect(try await world.transcript(job, from: from) == [], "from \(from)")
            }
            var pages: [Int] = []
            for try await page in world.jobs.transcript(of: job, from: 1) { pages.append(page.count) }
            #expect(pages.allSatisfy { (1...256).contains($0) })
            #expect(pages.reduce(0, +) == last)
        }
    }

    @Test func aReaderThatLeavesIsForgotten() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let reading = Task { try await world.transcript(job) }
        while world.bus.listenerCount == 0 { await Task.yield() }
        reading.cancel()
        // Cancelled while it waits it gets nil; cancelled while it reads, what the database throws.
        do { #expect(try await reading.value == []) } catch is CancellationError {}
        #expect(world.bus.listenerCount == 0)
    }

    @Test func aReaderOfAnUnknownJobIsNotKeptWaiting() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let id = job.row.id
        try await world.database.write { writer in
            for (table, column) in [("job_queue", "job_id"), ("ledger_transfers", "job_id"), ("jobs", "id")] {
                if table == "ledger_transfers" { try writer.execute("DELETE FROM ledger_entries", []) }
                try writer.execute("DELETE FROM \(table) WHERE \(column) = ?", [.text(id)])
            }
        }
        #expect(try await world.transcript(job) == [])
    }
}

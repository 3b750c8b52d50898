import Domain
import IslandLink
import JSON
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

/// What an Island may say, and what comes of everything else.
@Suite(.timeLimit(.minutes(5))) struct LinkRulesTests {
    @Test func framesThatWereStoredBeforeAreDropped() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            let frames = (1...4).map { FakeIsland.token("\($0)") }
            for (first, last, stored) in [(1, 2, 2), (1, 2, 2), (2, 3, 3), (1, 1, 3), (3, 4, 4), (1, 4, 4)] {
                island.say(.frames(attempt, first: first, frames: Array(frames[(first - 1)..<last])))
                #expect(try await island.hear() == .stored(attempt, upTo: stored))
            }
            island.finish(attempt, frames: 4)
            #expect(try await island.hear() == .settled(attempt))
            #expect(try await world.jobs.output(of: world.job(job.row.id), for: world.consumer) == "1234")
        }
    }

    struct Breach: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: String
        var text: @Sendable (AttemptID) -> String
        var testDescription: String { name }

        init(_ name: String, reason: String, message: @escaping @Sendable (AttemptID) -> IslandMessage) {
            (self.name, self.reason, text) = (name, reason, { message($0).text })
        }

        init(_ name: String, reason: String, text: @escaping @Sendable (AttemptID) -> String) {
            (self.name, self.reason, self.text) = (name, reason, text)
        }

        static func frames(_ attempt: AttemptID, first: Int = 1, _ frames: JSONObject...) -> IslandMessage {
            .frames(attempt, first: first, frames: frames)
        }

        static func finished(_ attempt: AttemptID, frames: Int = 0, done: JSONObject? = nil, failure: JobFailure? = nil) -> IslandMessage {
            .finished(
                .init(attempt: attempt, frames: frames, done: done, failure: failure, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0))
        }
    }

    static let breaches = [
        Breach("a gap in the frames", reason: "came before frame 1") { Breach.frames($0, first: 2, FakeIsland.token("x")) },
        Breach("a terminal frame among the others", reason: "terminal frame") { Breach.frames($0, ["type": "done"]) },
        Breach("an error frame among the others", reason: "terminal frame") { Breach.frames($0, ["type": "error", "message": "x"]) },
        Breach("a frame without type", reason: "I/O protocol") { Breach.frames($0, ["content": "x"]) },
        Breach("a token without content", reason: "I/O protocol") { Breach.frames($0, ["type": "token"]) },
        Breach("a frame above the level's size", reason: "longer than its trust level") {
            Breach.frames($0, FakeIsland.token(String(repeating: "x", count: 1 << 20)))
        },
        Breach("a done frame above the level's size", reason: "longer than its trust level") {
            Breach.finished($0, done: ["type": "done", "x": .string(String(repeating: "x", count: 1 << 20))])
        },
        Breach("an end that speaks of more frames than came", reason: "ended after 1 frames") {
            Breach.finished($0, frames: 1, done: ["type": "done"])
        },
        Breach("an end whose frame is no done", reason: "/done") { Breach.finished($0, done: ["type": "token", "content": "x"]) },
        Breach("a fault that is the platform's", reason: "/failure/fault") {
            Breach.finished($0, failure: JobFailure(fault: .platform, code: "x", message: "x"))
        },
        Breach("a fault that is the Consumer's", reason: "/failure/fault") {
            Breach.finished($0, failure: JobFailure(fault: .consumer, code: "x", message: "x"))
        },
        Breach("a second hello", reason: "hello is said once") { _ in .hello(.init(capabilities: FakeIsland.capabilities(), attempts: [])) },
        Breach("text that is no JSON", reason: "not JSON", text: { _ in "hello" }),
        Breach("an unknown message", reason: "/type", text: { _ in #"{"type":"gossip"}"# }),
    ]

    @Test(arguments: breaches)
    func anIslandThatBreaksTheLinksRulesIsCutOffAndToldWhy(breach: Breach) async throws {
        let world = try await World()
        try await world.published("my-cargo", level: .untrusted)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            island.say(text: breach.text(attempt))
            let reason = try await island.closeReason()
            #expect(reason.contains(breach.reason), "\(reason)")
            let after = try await world.job(job.row.id)
            #expect(after.state == .running)
            #expect(after.row.storedUpTo == 0)
            #expect(await world.dispatcher.connectedIslandIDs == [])
        }
    }

    @Test func theWholeTranscriptIsBoundedByTheLevel() async throws {
        let world = try await World()
        try await world.published("my-cargo", level: .untrusted)
        try await world.dispatching {
            let island = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            // As if all but the last frame's bytes of the 8 MiB had come before.
            let frame = FakeIsland.token("last")
            try await world.database.write { writer in
                _ = try writer.execute(
                    "UPDATE records SET frame_bytes = ? WHERE job_id = ?", [.integer((8 << 20) - frame.bytes.count), .text(attempt.job)])
            }
            island.say(.frames(attempt, first: 1, frames: [frame]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
            island.say(.frames(attempt, first: 2, frames: [["type": "x"]]))
            #expect(try await island.closeReason().contains("longer than its trust level"))
        }
    }

    @Test(arguments: [
        (#"{"type":"heartbeat","attempts":[]}"#, "first message must be hello"), ("", "not JSON"), ("[]", "must be an object"),
        (
            #"{"type":"hello","version":99,"capabilities":{"runtimes":[],"levels":[],"cores":1,"memory_mb":1,"vram_mb":0,"platform":"x","region":"","slots":1},"attempts":[]}"#,
            "version 99"
        ),
    ])
    func aGreetingThatIsNoneIsRefusedWithTheReason(text: String, reason: String) async throws {
        let world = try await World()
        let island = FakeIsland(row: try await world.registerIsland("a"))
        island.dial(IslandGate(dispatcher: world.dispatcher, logger: world.logger))
        island.say(text: text)
        #expect(try await island.closeReason().contains(reason))
        #expect(await world.dispatcher.connectedIslandIDs == [])
    }

    @Test func anIslandCannotSpeakForAnothersAttempt() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let owner = try await world.connectIsland("a")
            let job = try await world.submit("my-cargo")
            let attempt = try await owner.hearAssignment().attempt
            owner.say(.started(attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            let thief = try await world.connectIsland("b")
            thief.say(.heartbeat([attempt]))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.say(.started(attempt))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.say(.frames(attempt, first: 1, frames: [FakeIsland.token("evil")]))
            #expect(try await thief.hear() == .cancel(attempt))
            thief.finish(attempt, frames: 0)
            #expect(try await thief.hear() == .settled(attempt))
            thief.fail(attempt, .cargo, "evil")
            #expect(try await thief.hear() == .settled(attempt))
            let running = try await world.job(job.row.id)
            #expect(running.state == .running)
            #expect(running.row.storedUpTo == 0)
            // What the thief said is kept, and the owner goes on: its lease, too, is its own.
            owner.say(.heartbeat([attempt]))
            #expect(try await world.lateResults(running).allSatisfy { $0.island == thief.row.id })
            owner.say(.frames(attempt, first: 1, frames: [FakeIsland.token("good")]))
            #expect(try await owner.hear() == .stored(attempt, upTo: 1))
        }
    }

    @Test func anAssignmentThatWasNeverSentIsNotTheIslandsFault() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        try await world.dispatching {
            let island = FakeIsland(row: try await world.registerIsland("slow"))
            island.takes(false)
            island.dial(IslandGate(dispatcher: world.dispatcher, logger: world.logger))
            island.say(.hello(.init(capabilities: FakeIsland.capabilities(), attempts: [])))
            let job = try await world.submit("my-cargo")
            _ = try await world.job(job.row.id, reaches: .queued)
            let quick = try await world.connectIsland("quick")
            await world.clock.pass(seconds: 31)
            #expect(try await quick.hearAssignment().attempt.number == 2)
            #expect(try await world.job(job.row.id).row.firstCause?.contains("link_lost") == true)
            let id = island.row.id
            #expect(try await world.database.read { try $0.island(id: id) }?.karma == 0)
            // What it would have heard long ago is over.
            island.takes(true)
        }
    }

    @Test func framesGoByTheLimitsOfTheLevelAtWhichTheJobWasGiven() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let row = try await world.registerIsland("a")
        let held = Mutex<AttemptID?>(nil)
        try await world.dispatching {
            let island = try await world.connect(row).island
            _ = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(attempt.job, reaches: .running)
            held.withLock { $0 = attempt }
            await island.hangUp()
        }
        try await world.raise(published.row.id, to: .untrusted)
        let given = held.withLock { $0 }
        let attempt = try #require(given)
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: world.surroundings)
        try await world.dispatching(dispatcher) {
            await world.clock.untilSomebodySleeps()
            let (island, _) = try await world.connect(row, attempts: [attempt], to: dispatcher)
            // More than level 0 allows.
            let long = FakeIsland.token(String(repeating: "x", count: TrustLevel.untrusted.limits.frameBytesMax))
            island.say(.frames(attempt, first: 1, frames: [long]))
            #expect(try await island.hear() == .stored(attempt, upTo: 1))
        }
    }

    @Test func aDrainDuringTheHelloCounts() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let gated = GatedDatabase(world.database)
        let dispatcher = Dispatcher(database: gated, bus: world.bus, surroundings: world.surroundings)
        let row = try await world.registerIsland("a")
        try await dispatcher.recover()
        let gate = gated.holdNextWrite()
        async let session = dispatcher.open(row, .init(capabilities: FakeIsland.capabilities(), attempts: []))
        await gate.reached()
        // Nobody is there to be told, and what it reads says otherwise.
        await dispatcher.setDrained(true, island: row.id)
        gate.letGo()
        _ = try await session
        #expect(await dispatcher.islands.island(row.id)?.isDrained == true)
    }
}

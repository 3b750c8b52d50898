import Domain
import IslandLink
import JSON
import TestSupport
import Testing

@testable import Island
@testable import Sandbox

@Suite(.timeLimit(.minutes(5))) struct IslandAgentTests {
    static let capabilities = IslandCapabilities(
        runtimes: [.container], levels: [.untrusted], cores: 2, memoryMegabytes: 1024, vramMegabytes: 0, platform: "linux/amd64", region: "", slots: 2
    )

    /// An agent that runs beside `body`, and is stopped after it.
    static func withAgent(
        _ sandbox: any CargoSandbox = FakeSandbox(writing: #"{"type":"done"}"#), jitter: Double = 0.5, answer: FakeCoordinator.Answer = .accept,
        _ body: @escaping @Sendable (FakeCoordinator, ManualClock) async throws -> Void
    ) async throws {
        let coordinator = FakeCoordinator()
        coordinator.answer(answer)
        let clock = ManualClock()
        let agent = IslandAgent(
            link: coordinator, runner: Samples.runner(sandbox), capabilities: capabilities, clock: clock, jitter: { jitter }, logger: silent)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { try await agent.run() } catch is CancellationError {}
                return false
            }
            group.addTask {
                try await body(coordinator, clock)
                return true
            }
            defer { group.cancelAll() }
            while let isBody = try await group.next() { if isBody { return } }
        }
    }

    @Test func saysHelloWithWhatItCanDoAndHoldsNothing() async throws {
        try await Self.withAgent { coordinator, _ in
            let (hello, _) = try await coordinator.greet()
            #expect(hello == .init(version: 1, capabilities: Self.capabilities, attempts: []))
        }
    }

    @Test func runsWhatIsAssignedAndForgetsItWhenSettled() async throws {
        let sandbox = FakeSandbox(writing: #"{"type":"token","content":"1"}"#, #"{"type":"done"}"#)
        try await Self.withAgent(sandbox) { coordinator, _ in
            let (_, connection) = try await coordinator.greet()
            connection.say(.assign(Samples.assignment()))
            #expect(try await connection.hear() == .started(Samples.attempt))
            #expect(try await connection.hear() == .frames(Samples.attempt, first: 1, frames: [Samples.token("1")]))
            guard case .finished(let end)? = try await connection.hear() else {
                Issue.record("the end was not said")
                return
            }
            #expect(end.done == ["type": "done"])
            connection.say(.stored(Samples.attempt, upTo: 1))
            connection.say(.settled(Samples.attempt))
            connection.hangUp()
            _ = try await connection.untilClosed()
        }
    }

    @Test func anAssignmentThatIsSaidTwiceRunsOnce() async throws {
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        try await Self.withAgent(sandbox) { coordinator, _ in
            let (_, connection) = try await coordinator.greet()
            connection.say(.assign(Samples.assignment()))
            connection.say(.assign(Samples.assignment()))
            let other = AttemptID(job: "other", number: 1)
            connection.say(.assign(Samples.assignment(other)))
            var ended: [AttemptID] = []
            while ended.count < 2, let message = try await connection.hear() { if case .finished(let end) = message { ended.append(end.attempt) } }
            #expect(Set(ended) == [Samples.attempt, other])
        }
        #expect(sandbox.jobs.count == 2)
    }

    @Test func renewsItsLeasesEveryTenSeconds() async throws {
        try await Self.withAgent { coordinator, clock in
            let (_, connection) = try await coordinator.greet()
            for _ in 0..<3 {
                await clock.untilSomebodySleeps()
                #expect(clock.nextWakeUp == .seconds(10))
                clock.moveOn(by: .seconds(10))
                #expect(try await connection.hear() == .heartbeat([]))
            }
        }
    }

    @Test func comesBackAfterABrokenConnectionWithWhatItHoldsAndSendsAgainWhatWasNotStored() async throws {
        let sandbox = FakeSandbox(writing: #"{"type":"token","content":"1"}"#, #"{"type":"token","content":"2"}"#, #"{"type":"done"}"#)
        try await Self.withAgent(sandbox) { coordinator, clock in
            let (_, first) = try await coordinator.greet()
            first.say(.assign(Samples.assignment()))
            while let message = try await first.hear() { if case .finished = message { break } }
            first.say(.stored(Samples.attempt, upTo: 1))
            first.hangUp()
            _ = try await first.untilClosed()
            await clock.untilSomebodySleeps()
            clock.moveOn(by: .seconds(60))
            let (hello, second) = try await coordinator.greet(resume: [.init(attempt: Samples.attempt, storedUpTo: 1)])
            #expect(hello.attempts == [Samples.attempt])
            #expect(try await second.hear() == .started(Samples.attempt))
            #expect(try await second.hear() == .frames(Samples.attempt, first: 2, frames: [Samples.token("2")]))
            guard case .finished(let end)? = try await second.hear() else {
                Issue.record("the end was not said again")
                return
            }
            #expect(end.frames == 2)
            second.say(.settled(Samples.attempt))
        }
        #expect(sandbox.jobs.count == 1)
    }

    /// 0.25 s doubled up to 15 s; with a jitter of 0.5 the wait is exactly that.
    @Test func waitsLongerAndLongerForACoordinatorThatIsNotThere() async throws {
        try await Self.withAgent(answer: .unreachable) { coordinator, clock in
            for milliseconds in [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000] {
                #expect(await coordinator.nextCall() == nil)
                await clock.untilSomebodySleeps()
                #expect(clock.nextWakeUp == .milliseconds(milliseconds))
                clock.moveOn(by: .milliseconds(milliseconds))
            }
            #expect(await coordinator.nextCall() == nil)
            await clock.untilSomebodySleeps()
            coordinator.answer(.accept)
            clock.moveOn(by: .seconds(15))
            // A conversation makes the next wait short again.
            let (_, connection) = try await coordinator.greet()
            coordinator.answer(.unreachable)
            connection.hangUp()
            _ = try await connection.untilClosed()
            await clock.untilSomebodySleeps()
            #expect(clock.nextWakeUp == .milliseconds(250))
        }
    }

    @Test(arguments: [(0.0, 125), (0.5, 250), (0.999, 374)])
    func theJitterSpreadsTheWait(jitter: Double, milliseconds: Int) async throws {
        try await Self.withAgent(jitter: jitter, answer: .unreachable) { coordinator, clock in
            _ = await coordinator.nextCall()
            await clock.untilSomebodySleeps()
            let wait = try #require(clock.nextWakeUp)
            #expect(wait >= .milliseconds(milliseconds) && wait < .milliseconds(milliseconds + 1))
        }
    }

    /// A coordinator that answers and hangs up at once is no better than one that is not there.
    @Test func doesNotStormACoordinatorThatClosesBeforeWelcome() async throws {
        try await Self.withAgent { coordinator, clock in
            for milliseconds in [250, 500, 1000, 2000] {
                let connection = try #require(await coordinator.nextCall())
                connection.hangUp(reason: "the Island speaks another version")
                await clock.untilSomebodySleeps()
                #expect(clock.nextWakeUp == .milliseconds(milliseconds))
                clock.moveOn(by: .milliseconds(milliseconds))
            }
        }
    }

    @Test func anIslandThatIsRefusedGivesUp() async throws {
        let coordinator = FakeCoordinator()
        coordinator.answer(.refuse)
        let agent = IslandAgent(
            link: coordinator, runner: Samples.runner(FakeSandbox(writing: "")), capabilities: Self.capabilities, clock: ManualClock(), jitter: { 0 },
            logger: silent)
        let refusal = await #expect(throws: LinkRefused.self) { try await agent.run() }
        #expect(refusal?.description == "The Island's token is not known.")
    }

    @Test(arguments: [
        ("a settled attempt instead of welcome", #"{"type":"settled","job":"j","attempt":1}"#, "first message must be welcome"),
        ("another version", #"{"type":"welcome","version":2,"island":"i","resume":[]}"#, "version 2"), ("no JSON", "hello", "not JSON"),
    ])
    func aGreetingThatIsNoneClosesTheLinkWithTheReason(name: String, text: String, reason: String) async throws {
        try await Self.withAgent { coordinator, _ in
            let connection = try #require(await coordinator.nextCall())
            connection.say(text: text)
            #expect(try await connection.untilClosed()?.contains(reason) == true)
        }
    }

    @Test(
        arguments: [
            ("a second welcome", #"{"type":"welcome","version":2,"island":"i","resume":[]}"#, "welcome is said once"),
            ("frames confirmed that were never sent", #"{"type":"stored","job":"j","attempt":1,"up_to":1}"#, nil), ("no JSON", "{", "not JSON"),
        ] as [(String, String, String?)])
    func aCoordinatorThatBreaksTheRulesIsLeftAndCalledAgain(name: String, text: String, reason: String?) async throws {
        try await Self.withAgent { coordinator, clock in
            let (_, connection) = try await coordinator.greet()
            connection.say(text: text)
            guard let reason else {
                // Of an attempt that it does not hold: nothing happens, the link goes on.
                await clock.untilSomebodySleeps()
                clock.moveOn(by: .seconds(10))
                #expect(try await connection.hear() == .heartbeat([]))
                return
            }
            #expect(try await connection.untilClosed()?.contains(reason) == true)
            await clock.untilSomebodySleeps()
            clock.moveOn(by: .seconds(60))
            _ = try await coordinator.greet()
        }
    }

    @Test func anAttemptThatIsCancelledEndsWithoutAWord() async throws {
        let ended = Flag()
        let sandbox = FakeSandbox { _, _ in
            while !Task.isCancelled { await Task.yield() }
            ended.raise()
            throw CancellationError()
        }
        try await Self.withAgent(sandbox) { coordinator, clock in
            let (_, connection) = try await coordinator.greet()
            connection.say(.assign(Samples.assignment()))
            #expect(try await connection.hear() == .started(Samples.attempt))
            connection.say(.cancel(Samples.attempt))
            while !ended.isRaised { await Task.yield() }
            await clock.untilSomebodySleeps()
            var heartbeat: IslandMessage?
            for _ in 0..<3 where heartbeat != .heartbeat([]) {
                clock.moveOn(by: .seconds(10))
                heartbeat = try await connection.hear()
                await clock.untilSomebodySleeps()
            }
            #expect(heartbeat == .heartbeat([]))
        }
    }

    @Test func anIslandThatStopsEndsItsRunsAndItself() async throws {
        let ended = Flag()
        let sandbox = FakeSandbox { _, _ in
            while !Task.isCancelled { await Task.yield() }
            ended.raise()
            throw CancellationError()
        }
        try await Self.withAgent(sandbox) { coordinator, _ in
            let (_, connection) = try await coordinator.greet()
            connection.say(.assign(Samples.assignment()))
            #expect(try await connection.hear() == .started(Samples.attempt))
        }
        #expect(ended.isRaised)
    }
}

import Domain
import IslandLink
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

/// What the machine's clock does is nobody's to pay for.
@Suite(.timeLimit(.minutes(5))) struct ClockTests {
    @Test func aProcessGoesOnFromTheTimeThatItReadOnce() {
        let elapsed = Mutex(Duration.zero)
        let time = SteadyTime(from: Timestamp(milliseconds: 1000)) { elapsed.withLock(\.self) }
        #expect(time.now.milliseconds == 1000)
        elapsed.withLock { $0 = .milliseconds(250) }
        #expect(time.now.milliseconds == 1250)
        let live = SteadyTime(from: Timestamp(milliseconds: 5))
        let first = live.now
        #expect(first.milliseconds >= 5 && live.now >= first)
    }

    @Test(arguments: [
        (0, 0), (1, 0), (29_999, 0), (30_000, 0), (30_001, 1), (7_200_000, 7_170_000), (-1, -1), (-7_200_000, -7_200_000),
    ])
    func ofAGapALeasesLengthCounts(gap: Int, leftOut: Int) {
        let seen = Timestamp(milliseconds: 10_000_000)
        #expect(SteadyTime.unmetered(from: seen, to: seen + .milliseconds(gap), most: LeaseTerms.length) == .milliseconds(leftOut))
    }

    /// A second costs 3 credits, and of a job that is cancelled nothing else. `counted` are the seconds of the gap that count.
    @Test(arguments: [(0, 0), (10, 10), (30, 30), (7200, 30), (-7200, 0)])
    func ofAClockThatIsSetBetweenTwoProcessesALeasesLengthIsBilledAtMost(shift: Int, counted: Int) async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let job = try await world.submit("my-cargo")
        let row = try await world.registerIsland("a")
        try await world.dispatching {
            let island = try await world.connect(row).island
            island.say(.started(try await island.hearAssignment().attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            await world.clock.pass(seconds: 6)
            await island.hangUp()
        }
        let set = Surroundings(
            now: { world.surroundings.now() + .seconds(shift) }, randomBytes: world.surroundings.randomBytes, clock: world.clock)
        let dispatcher = Dispatcher(database: world.database, bus: world.bus, surroundings: set)
        try await world.dispatching(dispatcher) {
            await world.clock.untilSomebodySleeps()
            #expect(try await world.job(job.row.id).state == .running)
            let cancelled = try await dispatcher.cancel(job.row.id, by: world.consumer)
            let charge = try #require(cancelled.row.creditsUsed)
            // The first process may have counted a second less than passed when it ended.
            #expect((3 * (5 + counted)...3 * (6 + counted)).contains(charge), "\(charge)")
        }
    }
}

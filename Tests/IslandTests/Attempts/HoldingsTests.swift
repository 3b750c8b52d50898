import Domain
import IslandLink
import JSON
import Synchronization
import Testing

@testable import Island

@Suite(.timeLimit(.minutes(5))) struct HoldingsTests {
    static let attempt = Samples.attempt
    static let end = IslandMessage.Finished(
        attempt: attempt, frames: 0, done: ["type": "done"], failure: nil, runMilliseconds: 1, cpuMilliseconds: 1, peakMemoryBytes: 1)

    static func tokens(_ range: ClosedRange<Int>) -> [JSONObject] { range.map { Samples.token("\($0)") } }

    /// Holdings with an attempt that has had some frames, all of them sent.
    static func sent(_ count: Int) async throws -> Holdings {
        let holdings = Holdings()
        #expect(await holdings.take(attempt))
        await holdings.start(attempt)
        for frame in tokens(1...count) { try await holdings.append(frame, bytes: 10, to: attempt) }
        _ = await holdings.drain()
        return holdings
    }

    @Test func anAttemptIsTakenOnce() async {
        let holdings = Holdings()
        #expect(await holdings.take(Self.attempt))
        #expect(await holdings.take(Self.attempt) == false)
        #expect(await holdings.take(AttemptID(job: Self.attempt.job, number: 2)))
        #expect(await holdings.attempts.map(\.number) == [1, 2])
    }

    @Test func theStartGoesBeforeTheFramesAndTheEndAfterThem() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        try await holdings.append(Samples.token("1"), bytes: 10, to: Self.attempt)
        await holdings.finish(Self.end)
        await holdings.start(Self.attempt)
        #expect(await holdings.drain() == [.started(Self.attempt), .frames(Self.attempt, first: 1, frames: Self.tokens(1...1)), .finished(Self.end)])
        #expect(await holdings.drain() == [])
    }

    @Test func framesAreNumberedOnFromOneWhateverIsConfirmed() async throws {
        let holdings = try await Self.sent(3)
        try await holdings.append(Samples.token("4"), bytes: 10, to: Self.attempt)
        #expect(await holdings.drain() == [.frames(Self.attempt, first: 4, frames: Self.tokens(4...4))])
        try await holdings.confirm(Self.attempt, upTo: 2)
        try await holdings.append(Samples.token("5"), bytes: 10, to: Self.attempt)
        #expect(await holdings.drain() == [.frames(Self.attempt, first: 5, frames: Self.tokens(5...5))])
        #expect(await holdings.frameCount(Self.attempt) == 5)
    }

    @Test func aMessageHasAtMost512Frames() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        for frame in Self.tokens(1...1025) { try await holdings.append(frame, bytes: 1, to: Self.attempt) }
        let batches = await holdings.drain().map { message -> (Int, Int) in
            guard case .frames(_, let first, let frames) = message else { return (0, 0) }
            return (first, frames.count)
        }
        #expect(batches.map(\.0) == [1, 513, 1025])
        #expect(batches.map(\.1) == [512, 512, 1])
    }

    @Test func aMessageOfLargeFramesIsCutByTheirSizeButHasOneAtLeast() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        for frame in Self.tokens(1...3) { try await holdings.append(frame, bytes: LinkLimits.frameBytesTarget, to: Self.attempt) }
        let batches = await holdings.drain()
        #expect(batches == (1...3).map { .frames(Self.attempt, first: $0, frames: Self.tokens($0...$0)) })
    }

    @Test(arguments: [1, 2, 3])
    func afterAReconnectTheUnconfirmedIsSentAgain(stored: Int) async throws {
        let holdings = try await Self.sent(3)
        await holdings.finish(Self.end)
        _ = await holdings.drain()
        try await holdings.resume([.init(attempt: Self.attempt, storedUpTo: stored)])
        var expected: [IslandMessage] = [.started(Self.attempt)]
        if stored < 3 { expected.append(.frames(Self.attempt, first: stored + 1, frames: Self.tokens((stored + 1)...3))) }
        expected.append(.finished(Self.end))
        #expect(await holdings.drain() == expected)
    }

    @Test func whatTheCoordinatorNoLongerKnowsIsCancelledOrForgotten() async throws {
        let holdings = try await Self.sent(1)
        let over = AttemptID(job: "over", number: 1)
        _ = await holdings.take(over)
        await holdings.finish(
            .init(attempt: over, frames: 0, done: ["type": "done"], failure: nil, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0))
        try await holdings.resume([])
        await holdings.cancelled(Self.attempt)
        #expect(await holdings.attempts == [Self.attempt])
        #expect(await holdings.drain() == [])
    }

    /// The coordinator stored what came over the old connection; its word comes after the new one began.
    @Test func aConfirmationOfWhatAnOldConnectionCarriedIsTaken() async throws {
        let holdings = try await Self.sent(3)
        try await holdings.resume([.init(attempt: Self.attempt, storedUpTo: 1)])
        try await holdings.confirm(Self.attempt, upTo: 3)
        #expect(await holdings.drain() == [.started(Self.attempt)])
    }

    @Test(arguments: [(3, false), (4, true), (Int.max, true)])
    func aConfirmationOfWhatWasNeverSentIsRefused(number: Int, isRefused: Bool) async throws {
        let holdings = try await Self.sent(3)
        if isRefused {
            await #expect(throws: LinkError.self) { try await holdings.confirm(Self.attempt, upTo: number) }
            await #expect(throws: LinkError.self) { try await holdings.resume([.init(attempt: Self.attempt, storedUpTo: number)]) }
        } else {
            try await holdings.confirm(Self.attempt, upTo: number)
        }
    }

    @Test func framesThatWaitToBeSentCannotBeConfirmed() async throws {
        let holdings = try await Self.sent(1)
        try await holdings.append(Samples.token("2"), bytes: 10, to: Self.attempt)
        await #expect(throws: LinkError.self) { try await holdings.confirm(Self.attempt, upTo: 2) }
    }

    @Test func anOldOrForeignConfirmationChangesNothing() async throws {
        let holdings = try await Self.sent(3)
        try await holdings.confirm(Self.attempt, upTo: 2)
        try await holdings.confirm(Self.attempt, upTo: 1)
        try await holdings.confirm(Self.attempt, upTo: 0)
        try await holdings.confirm(AttemptID(job: "unknown", number: 1), upTo: 9)
        try await holdings.resume([.init(attempt: Self.attempt, storedUpTo: 2)])
        #expect(await holdings.drain() == [.started(Self.attempt), .frames(Self.attempt, first: 3, frames: Self.tokens(3...3))])
    }

    // MARK: Backpressure

    /// Appends one more frame beside the caller; the flag says whether there was room.
    static func appending(to holdings: Holdings) -> (task: Task<Bool, Never>, isDone: @Sendable () -> Bool) {
        let flag = Flag()
        let task = Task { () -> Bool in
            defer { flag.raise() }
            do {
                try await holdings.append(Samples.token("more"), bytes: 1, to: attempt)
                return true
            } catch {
                return false
            }
        }
        return (task, { flag.isRaised })
    }

    /// Lets everybody else run for a while.
    static func giveWay() async { for _ in 0..<2000 { await Task.yield() } }

    @Test func aFullPipelineHoldsTheCargoBackUntilFramesAreConfirmed() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        // 4 MiB unconfirmed; the last frame may go over.
        try await holdings.append(Samples.token("1"), bytes: (4 << 20) - 1, to: Self.attempt)
        try await holdings.append(Samples.token("2"), bytes: 100, to: Self.attempt)
        _ = await holdings.drain()
        let (task, isDone) = Self.appending(to: holdings)
        await Self.giveWay()
        #expect(!isDone())
        try await holdings.confirm(Self.attempt, upTo: 1)
        #expect(await task.value)
        #expect(await holdings.frameCount(Self.attempt) == 3)
    }

    @Test func alsoManySmallFramesFillThePipeline() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        for frame in Self.tokens(1...8192) { try await holdings.append(frame, bytes: 1, to: Self.attempt) }
        _ = await holdings.drain()
        let (task, isDone) = Self.appending(to: holdings)
        await Self.giveWay()
        #expect(!isDone())
        try await holdings.confirm(Self.attempt, upTo: 1)
        #expect(await task.value)
    }

    @Test func aSingleFrameLargerThanThePipelineIsTaken() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        try await holdings.append(Samples.token("1"), bytes: 32 << 20, to: Self.attempt)
        #expect(await holdings.frameCount(Self.attempt) == 1)
    }

    @Test func cancellingAnAttemptEndsItsWaitForRoom() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        try await holdings.append(Samples.token("1"), bytes: 4 << 20, to: Self.attempt)
        let (task, _) = Self.appending(to: holdings)
        await Self.giveWay()
        await holdings.cancel(Self.attempt)
        #expect(await task.value == false)
    }

    // MARK: Cancelling

    @Test func aCancelledAttemptSaysNothingMoreAndTakesNothingMore() async throws {
        let holdings = try await Self.sent(1)
        try await holdings.append(Samples.token("2"), bytes: 10, to: Self.attempt)
        await holdings.cancel(Self.attempt)
        await holdings.cancelled(Self.attempt)
        #expect(await holdings.drain() == [])
        await #expect(throws: CancellationError.self) { try await holdings.append(Samples.token("3"), bytes: 10, to: Self.attempt) }
    }

    @Test func whoeverWaitsForACancellationIsToldOnce() async {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        let waiting = Task { await holdings.cancelled(Self.attempt) }
        await Self.giveWay()
        await holdings.cancel(Self.attempt)
        await waiting.value
        await holdings.cancelled(Self.attempt)
        await holdings.cancelled(AttemptID(job: "unknown", number: 1))
    }

    /// The work may be over before anybody waits for its cancellation.
    @Test func waitingForTheCancellationOfWorkThatIsOverReturns() async {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        await holdings.finish(Self.end)
        await holdings.cancelled(Self.attempt)
        #expect(await holdings.attempts == [Self.attempt])
    }

    @Test func theEndOfACancelledAttemptForgetsIt() async throws {
        let holdings = try await Self.sent(1)
        await holdings.cancel(Self.attempt)
        #expect(await holdings.attempts == [Self.attempt])
        await holdings.finish(Self.end)
        #expect(await holdings.attempts == [])
        #expect(await holdings.drain() == [])
    }

    @Test func anAttemptThatIsCancelledAfterItsEndIsForgotten() async throws {
        let holdings = try await Self.sent(1)
        await holdings.finish(Self.end)
        await holdings.cancel(Self.attempt)
        #expect(await holdings.attempts == [])
    }

    @Test func aForgottenAttemptIsGone() async throws {
        let holdings = try await Self.sent(1)
        await holdings.forget(Self.attempt)
        #expect(await holdings.attempts == [])
        #expect(await holdings.drain() == [])
        #expect(await holdings.frameCount(Self.attempt) == 0)
        await holdings.cancelled(Self.attempt)
        #expect(await holdings.take(Self.attempt))
    }

    // MARK: News

    @Test func newsWakesTheWriterAlsoWhenItCameBefore() async throws {
        let holdings = Holdings()
        _ = await holdings.take(Self.attempt)
        await holdings.start(Self.attempt)
        try await holdings.waitForNews()
        let waiting = Task { try await holdings.waitForNews() }
        await Self.giveWay()
        try await holdings.append(Samples.token("1"), bytes: 1, to: Self.attempt)
        try await waiting.value
    }

    @Test func aWriterThatIsCancelledStopsWaiting() async {
        let holdings = Holdings()
        let waiting = Task { try await holdings.waitForNews() }
        await Self.giveWay()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}

/// A flag that is raised once.
final class Flag: Sendable {
    private let raised = Mutex(false)
    var isRaised: Bool { raised.withLock(\.self) }
    func raise() { raised.withLock { $0 = true } }
}

import Domain
import IslandLink
import Synchronization
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct MessageQueueTests {
    private struct Refused: Error {}

    private static func message(_ number: Int, job: String = "j") -> ReceivedMessage {
        let attempt = AttemptID(job: job, number: number)
        return ReceivedMessage(attempt: attempt, message: .started(attempt), at: Timestamp(milliseconds: number))
    }

    /// Runs `body` beside a queue whose gatherings `handle` gets.
    private func running(
        _ queue: MessageQueue, _ handle: @escaping @Sendable (Gathering) async throws -> Void, _ body: @escaping @Sendable () async -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(handle) }
            group.addTask {
                await body()
                queue.close()
            }
            for try await _ in group {}
        }
    }

    @Test func everyMessageIsHandledOnceAndInItsOrder() async throws {
        let queue = MessageQueue()
        let seen = Mutex<[Int]>([])
        try await running(queue) { gathering in
            seen.withLock { $0 += gathering.all().map(\.attempt.number) }
            await Task.yield()
        } _: {
            for number in 0..<5000 { await queue.add(Self.message(number)) }
        }
        #expect(seen.withLock(\.self) == Array(0..<5000))
    }

    @Test func whatComesBeforeTheWriteBeginsIsTakenWithIt() async throws {
        let queue = MessageQueue()
        let (called, call) = AsyncStream.makeStream(of: Void.self)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let seen = Mutex<[[Int]]>([])
        try await running(queue) { gathering in
            call.yield()
            for await _ in begun { break }
            seen.withLock { $0.append(gathering.all().map(\.attempt.number)) }
        } _: {
            await queue.add(Self.message(1))
            for await _ in called { break }
            await queue.add(Self.message(2))
            await queue.add(Self.message(3))
            begin.yield()
        }
        #expect(seen.withLock(\.self) == [[1, 2, 3]])
    }

    @Test func aWriteThatRunsAgainHasTheSameMessagesAndMore() async throws {
        let queue = MessageQueue()
        let (called, call) = AsyncStream.makeStream(of: Void.self)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let seen = Mutex<[[Int]]>([])
        try await running(queue) { gathering in
            let first = gathering.all().map(\.attempt.number)
            guard first == [1] else { return seen.withLock { $0.append(first) } }
            call.yield()
            for await _ in begun { break }
            let second = gathering.all().map(\.attempt.number)
            seen.withLock { $0 += [first, second] }
        } _: {
            await queue.add(Self.message(1))
            for await _ in called { break }
            begin.yield()
        }
        #expect(seen.withLock(\.self) == [[1], [1]])
    }

    @Test func aFailureEndsIt() async throws {
        let queue = MessageQueue()
        await #expect(throws: Refused.self) {
            try await running(queue) { gathering in
                _ = gathering.all()
                throw Refused()
            } _: {
                await queue.add(Self.message(1))
            }
        }
    }

    @Test func messagesOfOneAttemptAreOneStepAndKeepTheirOrder() throws {
        let messages = [(1, "a"), (1, "b"), (2, "a"), (1, "a"), (1, "b")].map { Self.message($0.0, job: $0.1) }
        let steps = try AttemptStep.steps(messages)
        #expect(steps.map(\.attempt) == [.init(job: "a", number: 1), .init(job: "b", number: 1), .init(job: "a", number: 2)])
        #expect(steps.map(\.messages.count) == [2, 2, 1])
    }

    @Test(arguments: [FaultClass.platform, .consumer]) func whatIsNotAnIslandsToSayIsRefused(fault: FaultClass) {
        let attempt = AttemptID(job: "j", number: 1)
        let end = IslandMessage.Finished(
            attempt: attempt, frames: 0, done: nil, failure: JobFailure(fault: fault, code: "x", message: ""), runMilliseconds: 0, cpuMilliseconds: 0,
            peakMemoryBytes: 0)
        let received = ReceivedMessage(attempt: attempt, message: .finished(end), at: Timestamp(milliseconds: 0))
        #expect(throws: LinkError.self) { try AttemptStep.steps([Self.message(1), received]) }
    }
}

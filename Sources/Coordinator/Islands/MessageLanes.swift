import IslandLink
import Synchronization

/// Hands an Island's messages on side by side, those of one attempt in their order.
///
/// Every message waits for a commit. One after the other they would take a commit's time each; side by side they share commits.
final class MessageLanes: Sendable {
    /// Chosen: as many commits' worth of messages as are ever under way; more lanes share no more.
    private static let count = 64
    /// Chosen: messages that wait at most. More of them stay in the socket, whose other end is then slowed down.
    private static let waitingMax = 512

    private struct Room {
        var left = MessageLanes.waitingMax
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let lanes: [(stream: AsyncStream<IslandMessage>, continuation: AsyncStream<IslandMessage>.Continuation)]
    private let room = Mutex(Room())

    init() { lanes = (0..<Self.count).map { _ in AsyncStream.makeStream() } }

    /// Adds a message; waits while too many wait. One caller.
    func add(_ message: IslandMessage) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = room.withLock { room in
                    if room.left > 0 || Task.isCancelled {
                        room.left -= 1
                        return true
                    }
                    room.waiting = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            room.withLock { $0.waiting.take() }?.resume()
        }
        let lane = message.job.map { abs($0.hashValue % Self.count) } ?? 0
        lanes[lane].continuation.yield(message)
    }

    /// Handles messages until ``close()``, and throws what handling one throws.
    func run(_ handle: @escaping @Sendable (IslandMessage) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask { [self] in
                    for await message in lane.stream {
                        try await handle(message)
                        leave()
                    }
                }
            }
            // The first failure ends the others.
            for try await _ in group {}
        }
    }

    /// Ends ``run(_:)`` once all that was added is handled.
    func close() { lanes.forEach { $0.continuation.finish() } }

    private func leave() {
        let waiting = room.withLock { room -> CheckedContinuation<Void, Never>? in
            guard let waiting = room.waiting.take() else {
                room.left += 1
                return nil
            }
            return waiting
        }
        waiting?.resume()
    }
}

extension IslandMessage {
    /// The job that it is about; `nil` for one about the Island.
    fileprivate var job: String? {
        switch self {
        case .hello, .heartbeat: nil
        case .started(let attempt): attempt.job
        case .frames(let attempt, _, _): attempt.job
        case .finished(let end): end.attempt.job
        }
    }
}

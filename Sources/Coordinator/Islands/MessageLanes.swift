import IslandLink
import Synchronization

/// Hands an Island's messages on side by side, those of one job in their order.
///
/// Every message waits for a commit. One after the other they would take a commit's time each; side by side they share commits.
/// What gathers in a lane meanwhile is handed on together.
final class MessageLanes: Sendable {
    /// Chosen: enough for the messages of a busy Island to be in the next commit, few enough for those of one job to meet.
    private static let count = 16
    /// Chosen: messages that wait at most. More of them stay in the socket, whose other end is then slowed down.
    private static let waitingMax = 512

    private struct Lane {
        var messages: [ReceivedMessage] = []
        var listener: CheckedContinuation<[ReceivedMessage]?, Never>?
    }

    private struct State {
        var lanes = [Lane](repeating: Lane(), count: MessageLanes.count)
        var room = MessageLanes.waitingMax
        var adder: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Adds a message; waits while too many wait. One caller.
    func add(_ received: ReceivedMessage) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.room > 0 || Task.isCancelled { return true }
                    state.adder = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.adder.take() }?.resume()
        }
        let number = received.message.job.map { abs($0.hashValue % Self.count) } ?? 0
        let listener = state.withLock { state -> CheckedContinuation<[ReceivedMessage]?, Never>? in
            state.room -= 1
            guard let listener = state.lanes[number].listener.take() else {
                state.lanes[number].messages.append(received)
                return nil
            }
            return listener
        }
        listener?.resume(returning: [received])
    }

    /// Handles messages until ``close()``, and throws what handling some throws.
    func run(_ handle: @escaping @Sendable ([ReceivedMessage]) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.count {
                group.addTask { [self] in
                    while let messages = await next(number) {
                        try await handle(messages)
                        leave(messages.count)
                    }
                }
            }
            // The first failure ends the others.
            for try await _ in group {}
        }
    }

    /// Ends ``run(_:)`` once all that was added is handled.
    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            return state.lanes.indices.compactMap { state.lanes[$0].listener.take() }
        }
        for listener in listeners { listener.resume(returning: nil) }
    }

    /// All that waits in a lane, or the next that comes; `nil` when nothing more does.
    private func next(_ number: Int) async -> [ReceivedMessage]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let found = state.withLock { state -> [ReceivedMessage]?? in
                    if Task.isCancelled { return .some(nil) }
                    if !state.lanes[number].messages.isEmpty {
                        defer { state.lanes[number].messages = [] }
                        return state.lanes[number].messages
                    }
                    if state.isClosed { return .some(nil) }
                    state.lanes[number].listener = continuation
                    return nil
                }
                if let found { continuation.resume(returning: found) }
            }
        } onCancel: {
            state.withLock { $0.lanes[number].listener.take() }?.resume(returning: nil)
        }
    }

    private func leave(_ count: Int) {
        state.withLock { state in
            state.room += count
            return state.room > 0 ? state.adder.take() : nil
        }?.resume()
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

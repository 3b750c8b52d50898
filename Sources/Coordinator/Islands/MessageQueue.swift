import IslandLink
import Synchronization

/// Hands an Island's messages on in their order, all at once that wait when they are taken.
///
/// They are taken by the write that stores them, at the moment when it begins, and until then it stands in line behind a commit. So what comes
/// during one commit is in the next one, in a single write, however much it is and whichever jobs it is about.
final class MessageQueue: Sendable {
    /// Chosen: one to take what waits while another one's commit is under way, and one that comes back from a commit meanwhile.
    private static let hands = 3
    /// Chosen: messages that wait at most. More of them stay in the socket, whose other end is then slowed down.
    private static let waitingMax = 512

    private struct State {
        var messages: [ReceivedMessage] = []
        /// Whether a hand is about to take them.
        var isCalled = false
        /// Hands that have nothing to do.
        var idle = [CheckedContinuation<Bool, Never>?](repeating: nil, count: MessageQueue.hands)
        var room = MessageQueue.waitingMax
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
        let hand = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.room -= 1
            state.messages.append(received)
            guard !state.isCalled, let hand = state.idle.firstIndex(where: { $0 != nil }) else { return nil }
            state.isCalled = true
            return state.idle[hand].take()
        }
        hand?.resume(returning: true)
    }

    /// Handles messages until ``close()``, and throws what handling some throws.
    ///
    /// - Parameter handle: must ask for ``Gathering/all()``. What it does before that happens in the order of the messages; it may be called
    ///   anew from then on.
    func run(_ handle: @escaping @Sendable (Gathering) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for hand in 0..<Self.hands {
                group.addTask { [self] in
                    while await isCalled(hand) {
                        let gathering = Gathering(self)
                        try await handle(gathering)
                        leave(gathering.count)
                    }
                }
            }
            // The first failure ends the others.
            for try await _ in group {}
        }
    }

    /// Ends ``run(_:)`` once all that was added is handled.
    func close() {
        let hands = state.withLock { state in
            state.isClosed = true
            return state.idle.indices.compactMap { state.idle[$0].take() }
        }
        for hand in hands { hand.resume(returning: false) }
    }

    /// Waits for messages that nobody is about to take; `false` when no more come.
    private func isCalled(_ hand: Int) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if !state.messages.isEmpty, !state.isCalled {
                        state.isCalled = true
                        return true
                    }
                    if state.isClosed { return false }
                    state.idle[hand] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.idle[hand].take() }?.resume(returning: false)
        }
    }

    fileprivate func take() -> [ReceivedMessage] {
        state.withLock { state in
            defer { (state.messages, state.isCalled) = ([], false) }
            return state.messages
        }
    }

    private func leave(_ count: Int) {
        state.withLock { state in
            state.room += count
            return state.room > 0 ? state.adder.take() : nil
        }?.resume()
    }
}

/// Messages of an Island that are handled together.
final class Gathering: Sendable {
    private let queue: MessageQueue
    private let taken = Mutex<[ReceivedMessage]>([])

    fileprivate init(_ queue: MessageQueue) { self.queue = queue }

    /// Takes all that wait by now, behind what was taken before: a write that runs again asks again.
    func all() -> [ReceivedMessage] {
        taken.withLock { taken in
            taken += queue.take()
            return taken
        }
    }

    fileprivate var count: Int { taken.withLock(\.count) }
}

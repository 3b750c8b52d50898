import Synchronization

/// A clock that stands still until a test moves it on.
public final class ManualClock: Clock, Sendable {
    public struct Instant: InstantProtocol {
        public var offset: Duration
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now: Duration = .zero
        var nextID = 0
        var sleepers: [Int: (until: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    public init() {}

    public var now: Instant { Instant(offset: state.withLock(\.now)) }
    public var minimumResolution: Duration { .nanoseconds(1) }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (waiting, result) = state.withLock { state -> ([CheckedContinuation<Void, Never>], Result<Void, any Error>?) in
                    if state.cancelled.remove(id) != nil { return ([], .failure(CancellationError())) }
                    if deadline.offset <= state.now { return ([], .success(())) }
                    state.sleepers[id] = (deadline.offset, continuation)
                    defer { state.waiting = [] }
                    return (state.waiting, nil)
                }
                for one in waiting { one.resume() }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Returns once somebody sleeps, or when the task is cancelled.
    public func untilSomebodySleeps() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = !state.sleepers.isEmpty || Task.isCancelled
                    if !isOver { state.waiting.append(continuation) }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            for one in waiting { one.resume() }
        }
    }

    /// How long the next sleeper still sleeps; `nil` when nobody does.
    public var nextWakeUp: Duration? { state.withLock { state in state.sleepers.values.map(\.until).min().map { $0 - state.now } } }

    /// Moves the time on and wakes whoever is due.
    public func moveOn(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Lets seconds pass one by one for something that sleeps again and again; returns when it sleeps after the last.
    public func pass(seconds: Int) async {
        for _ in 0..<seconds where !Task.isCancelled {
            await untilSomebodySleeps()
            moveOn(by: .seconds(1))
        }
        await untilSomebodySleeps()
    }
}

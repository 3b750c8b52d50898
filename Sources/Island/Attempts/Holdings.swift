import Domain
import IslandLink
import JSON

/// Every attempt that this Island holds, and what the coordinator has not confirmed of it.
///
/// Frames are numbered from 1 and kept until they are confirmed as stored, so a broken connection loses nothing. What is
/// kept is bounded: ``append(_:to:)`` waits while an attempt has too much unconfirmed, and so the Cargo's stdout is not
/// read meanwhile.
actor Holdings {
    private struct Held {
        var isStarted = false
        var isStartSaid = false
        /// Unconfirmed frames; the first one's number is `storedUpTo + 1`.
        var frames: [JSONObject] = []
        var frameBytes: [Int] = []
        var unconfirmedBytes = 0
        var storedUpTo = 0
        var sentUpTo = 0
        /// The newest frame sent over any connection: what an old one carried may be confirmed after a reconnect.
        var everSentUpTo = 0
        var end: IslandMessage.Finished?
        var isEndSaid = false
        var isCancelled = false
        var waitingForRoom: [CheckedContinuation<Void, Never>] = []
        var waitingForCancel: [CheckedContinuation<Void, Never>] = []
    }

    /// Chosen: a second of output at 4 MB/s; a longer single frame is still taken.
    private static let unconfirmedBytesMax = 4 << 20
    private static let unconfirmedFramesMax = 8192

    private var held: [AttemptID: Held] = [:]
    private var order: [AttemptID] = []
    private var hasNews = false
    private var waitingForNews: CheckedContinuation<Void, Never>?

    /// All attempts held, for `hello` and heartbeats.
    var attempts: [AttemptID] { order }

    /// Takes an attempt on; `false` when it is held already.
    func take(_ attempt: AttemptID) -> Bool {
        guard held[attempt] == nil else { return false }
        held[attempt] = Held()
        order.append(attempt)
        return true
    }

    /// Notes that the Cargo runs.
    func start(_ attempt: AttemptID) {
        held[attempt]?.isStarted = true
        wake()
    }

    /// Adds a frame; waits while too much is unconfirmed.
    ///
    /// - Throws: `CancellationError` once the attempt is cancelled.
    func append(_ frame: JSONObject, bytes: Int, to attempt: AttemptID) async throws {
        while let one = held[attempt], !one.isCancelled,
            one.unconfirmedBytes >= Self.unconfirmedBytesMax || one.frames.count >= Self.unconfirmedFramesMax
        {
            await withCheckedContinuation { held[attempt]?.waitingForRoom.append($0) }
        }
        guard held[attempt]?.isCancelled == false else { throw CancellationError() }
        held[attempt]?.frames.append(frame)
        held[attempt]?.frameBytes.append(bytes)
        held[attempt]?.unconfirmedBytes += bytes
        wake()
    }

    /// How many frames an attempt has had.
    func frameCount(_ attempt: AttemptID) -> Int { held[attempt].map { $0.storedUpTo + $0.frames.count } ?? 0 }

    /// Notes how an attempt ended; one that was cancelled is forgotten.
    func finish(_ end: IslandMessage.Finished) {
        guard let one = held[end.attempt] else { return }
        if one.isCancelled { return forget(end.attempt) }
        held[end.attempt]?.end = end
        held[end.attempt]?.waitingForCancel = []
        for continuation in one.waitingForCancel { continuation.resume() }
        wake()
    }

    /// Notes that frames are stored.
    ///
    /// - Throws: ``LinkError`` when the coordinator confirms what was never sent.
    func confirm(_ attempt: AttemptID, upTo number: Int) throws {
        guard var one = held[attempt], number > one.storedUpTo else { return }
        let count = number - one.storedUpTo
        guard number <= one.everSentUpTo, count <= one.frames.count else { throw LinkError("frame \(number) of \(attempt) was never sent") }
        one.unconfirmedBytes -= one.frameBytes.prefix(count).reduce(0, +)
        one.frames.removeFirst(count)
        one.frameBytes.removeFirst(count)
        one.storedUpTo = number
        one.sentUpTo = max(one.sentUpTo, number)
        let waiting = one.waitingForRoom
        one.waitingForRoom = []
        held[attempt] = one
        for continuation in waiting { continuation.resume() }
    }

    /// Ends an attempt that nobody wants any more.
    func cancel(_ attempt: AttemptID) {
        guard let one = held[attempt] else { return }
        held[attempt]?.isCancelled = true
        held[attempt]?.waitingForRoom = []
        held[attempt]?.waitingForCancel = []
        for continuation in one.waitingForRoom + one.waitingForCancel { continuation.resume() }
        // Its work is over and nobody will settle it any more.
        if one.end != nil {
            held[attempt] = nil
            order.removeAll { $0 == attempt }
        }
    }

    /// Returns once an attempt is cancelled, over, or forgotten.
    func cancelled(_ attempt: AttemptID) async {
        guard let one = held[attempt], !one.isCancelled, one.end == nil else { return }
        await withCheckedContinuation { held[attempt]?.waitingForCancel.append($0) }
    }

    /// Forgets an attempt.
    func forget(_ attempt: AttemptID) {
        cancel(attempt)
        held[attempt] = nil
        order.removeAll { $0 == attempt }
    }

    /// After a reconnect: what is not named is lost, the rest is sent again from its newest stored frame on.
    func resume(_ resumptions: [CoordinatorMessage.Resumption]) throws {
        let known = Dictionary(resumptions.map { ($0.attempt, $0.storedUpTo) }, uniquingKeysWith: max)
        for attempt in Array(order) {
            guard let storedUpTo = known[attempt] else {
                cancel(attempt)
                continue
            }
            try confirm(attempt, upTo: storedUpTo)
            // Read first: the assignment below holds the dictionary from its left side on.
            let confirmed = held[attempt]?.storedUpTo ?? 0
            held[attempt]?.sentUpTo = confirmed
            held[attempt]?.isStartSaid = false
            held[attempt]?.isEndSaid = false
        }
        wake()
    }

    private func wake() {
        hasNews = true
        waitingForNews?.resume()
        waitingForNews = nil
    }

    /// Returns once there may be something to send; one waits at a time.
    ///
    /// - Throws: `CancellationError`.
    func waitForNews() async throws {
        await withTaskCancellationHandler {
            if hasNews || Task.isCancelled { return }
            await withCheckedContinuation { continuation in
                waitingForNews?.resume()
                waitingForNews = continuation
            }
        } onCancel: {
            // Unstructured: a cancellation handler is synchronous, and this only wakes the waiter, which then throws.
            Task { await self.wake() }
        }
        hasNews = false
        try Task.checkCancellation()
    }

    /// The next message to send, or `nil` when all is said.
    func nextMessage() -> IslandMessage? {
        for attempt in order {
            guard let one = held[attempt], !one.isCancelled else { continue }
            if one.isStarted, !one.isStartSaid {
                held[attempt]?.isStartSaid = true
                return .started(attempt)
            }
            if let batch = nextBatch(one) {
                let first = one.sentUpTo + 1
                held[attempt]?.sentUpTo += batch.count
                held[attempt]?.everSentUpTo = max(one.everSentUpTo, one.sentUpTo + batch.count)
                return .frames(attempt, first: first, frames: batch)
            }
            if let end = one.end, !one.isEndSaid {
                held[attempt]?.isEndSaid = true
                return .finished(end)
            }
        }
        return nil
    }

    private func nextBatch(_ one: Held) -> [JSONObject]? {
        let start = one.sentUpTo - one.storedUpTo
        guard start < one.frames.count else { return nil }
        var end = start
        var bytes = 0
        while end < one.frames.count, end - start < LinkLimits.framesMax, bytes < LinkLimits.frameBytesTarget {
            bytes += one.frameBytes[end]
            end += 1
        }
        return Array(one.frames[start..<end])
    }
}

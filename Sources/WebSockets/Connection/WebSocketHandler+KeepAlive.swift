import NIOCore
import Synchronization

/// How long the peer's answer to the last ping took; `nil` before the first one.
final class LastRoundTrip: Sendable {
    private let duration = Mutex<Duration?>(nil)

    var value: Duration? { duration.withLock(\.self) }

    func set(_ duration: Duration) { self.duration.withLock { $0 = duration } }
}

/// When the peer last gave a sign of life.
struct WebSocketKeepAlive {
    /// When the ping that is not yet answered was sent, or when after that something else showed that the peer lives.
    private(set) var waitingSince: NIODeadline?
    private var pingSent: NIODeadline?

    mutating func notePing(at now: NIODeadline) {
        guard waitingSince == nil else { return }
        (waitingSince, pingSent) = (now, now)
    }

    /// Returns how long the answer took; `nil` for one that nobody asked for.
    mutating func notePong(at now: NIODeadline) -> Duration? {
        defer { (waitingSince, pingSent) = (nil, nil) }
        return pingSent.map { .nanoseconds((now - $0).nanoseconds) }
    }

    mutating func noteRead(at now: NIODeadline) { if waitingSince != nil { waitingSince = now } }
    mutating func noteWrite(at now: NIODeadline) { if waitingSince != nil { waitingSince = now } }
}

extension WebSocketHandler {
    /// Looks after the peer again after a time, and no later than the next ping may be due.
    func scheduleKeepAlive(in delay: Duration?) {
        guard let delay, let interval = limits.pingInterval, let context else { return }
        keepAliveTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(min(delay, interval))) { [self] in
            checkPeer()
        }
    }

    /// Sends a ping when none is unanswered, and gives the connection up when one is for too long.
    ///
    /// While this side does not read (its reader is slow) a pong cannot be seen, and silence means nothing; then the
    /// kernel finds a vanished peer, because the ping stays unacknowledged.
    private func checkPeer() {
        guard phase == .open, let context else { return }
        let now = context.eventLoop.now
        guard let since = keepAlive.waitingSince else {
            keepAlive.notePing(at: now)
            outbox.addControl(.ping, [])
            flush()
            scheduleKeepAlive(in: limits.pongTimeout)
            return
        }
        if inbox.isPaused { keepAlive.noteRead(at: now) }
        let silence = now - since
        if inbox.isPaused || silence < TimeAmount(limits.pongTimeout) {
            let rest = TimeAmount(limits.pongTimeout) - (inbox.isPaused ? .zero : silence)
            scheduleKeepAlive(in: .nanoseconds(max(1_000_000, rest.nanoseconds)))
            return
        }
        ending.note(WebSocketClosure(code: .abnormal, reason: "the peer did not answer a ping", isByPeer: true))
        context.close(promise: nil)
    }
}

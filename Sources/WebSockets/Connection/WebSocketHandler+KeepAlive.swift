import NIOCore

/// When the peer last gave a sign of life.
struct WebSocketKeepAlive {
    /// When the ping that is not yet answered was sent, or when after that something else showed that the peer lives.
    private(set) var waitingSince: NIODeadline?

    mutating func notePing(at now: NIODeadline) { if waitingSince == nil { waitingSince = now } }
    mutating func notePong() { waitingSince = nil }
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

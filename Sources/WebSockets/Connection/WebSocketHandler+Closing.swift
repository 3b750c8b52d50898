import NIOCore

extension WebSocketHandler {
    /// Begins the closing handshake from this side; does nothing when it has already begun.
    func startClose(_ code: WebSocketCloseCode, _ reason: String) {
        guard phase == .open else { return }
        phase = .closeSent
        ending.note(WebSocketClosure(code: code, reason: reason, isByPeer: false))
        sendClose(code, reason)
        awaitEnd()
        resumeReading()
    }

    /// Fails the connection (RFC 6455 §7.1.7): says why, then listens to nothing more.
    func fail(_ failure: WebSocketFailure) {
        guard phase == .open || phase == .closeSent else { return }
        let isFirst = phase == .open
        phase = .failed
        if isFirst {
            ending.note(WebSocketClosure(code: failure.code, reason: failure.reason, isByPeer: false))
            sendClose(failure.code, failure.reason)
        }
        inbox.finish()
        awaitEnd()
        // Reading goes on, without looking: closing a socket with unread bytes would reset it, and the Close frame
        // could be lost on its way.
        resumeReading()
    }

    /// Takes the peer's Close frame, answers it, and ends the connection: at once as the server, and as the client when
    /// the server has closed the socket (RFC 6455 §7.1.1).
    func peerClosed(_ code: WebSocketCloseCode, _ reason: String) {
        let isFirst = phase == .open
        phase = .closed
        ending.note(WebSocketClosure(code: code, reason: reason, isByPeer: true))
        if isFirst { sendClose(code, "") }
        inbox.finish()
        awaitEnd()
        guard isServer else { return }
        closesWhenSent = true
        if outbox.isEmpty { context?.close(promise: nil) }
    }

    /// Puts the Close frame behind everything that waits to be sent.
    private func sendClose(_ code: WebSocketCloseCode, _ reason: String) {
        outbox.addControl(.close, Self.closePayload(code, reason))
        outbox.close()
        flush()
    }

    /// Closes the socket when the peer takes too long.
    private func awaitEnd() {
        guard closeTimer == nil, let context else { return }
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.closeTimeout)) { [self] in
            self.context?.close(promise: nil)
        }
    }

    /// The payload of a Close frame: two bytes of code, then at most 123 of reason, cut between characters
    /// (RFC 6455 §5.5.1); empty for a code that may not be sent.
    static func closePayload(_ code: WebSocketCloseCode, _ reason: String) -> [UInt8] {
        guard code.isSendable else { return [] }
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for character in reason.unicodeScalars {
            guard payload.count + UTF8.width(character) <= WebSocketFrameHeader.controlBytesMax else { break }
            payload.append(contentsOf: String(character).utf8)
        }
        return payload
    }
}

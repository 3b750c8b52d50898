import NIOCore

/// The last handler of a WebSocket's pipeline: bytes in, messages to the inbox; the outbox to bytes.
///
/// Everything in it happens on the channel's event loop.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where the closing handshake stands (RFC 6455 §7).
    enum Phase {
        case open
        /// Our Close frame is out, the peer's is awaited; data that still comes in is dropped.
        case closeSent
        /// As ``closeSent``, after a failure: nothing that comes in is looked at.
        case failed
        /// Both Close frames are out.
        case closed
    }

    /// Where the answer to a ping is.
    private enum PongState {
        case none
        case inOutbox
        case onItsWay
    }

    let limits: WebSocketLimits
    let isServer: Bool
    let inbox: WebSocketInbox
    let outbox: WebSocketOutbox
    let ending: WebSocketEnding
    let lastRoundTrip: LastRoundTrip
    var receiver: WebSocketReceiver
    var phase = Phase.open
    var keepAlive = WebSocketKeepAlive()
    var keepAliveTimer: Scheduled<Void>?
    var closeTimer: Scheduled<Void>?
    /// Whether the socket is to be closed as soon as everything is sent.
    var closesWhenSent = false
    private(set) var context: ChannelHandlerContext?
    private var isActive = false
    private var isReadHeld = false
    private var pong = PongState.none
    private var nextPong: [UInt8]?

    init(
        limits: WebSocketLimits, isServer: Bool, inbox: WebSocketInbox, outbox: WebSocketOutbox, ending: WebSocketEnding,
        lastRoundTrip: LastRoundTrip
    ) {
        self.limits = limits
        self.isServer = isServer
        self.inbox = inbox
        self.outbox = outbox
        self.ending = ending
        self.lastRoundTrip = lastRoundTrip
        receiver = WebSocketReceiver(limits: limits, isMasked: isServer)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// Begins to write: the HTTP handlers, which would not understand the bytes, have left the pipeline. Till then
    /// frames wait in the outbox.
    func activate() {
        isActive = true
        scheduleKeepAlive(in: limits.pingInterval)
        flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) { connectionLost() }

    func channelInactive(context: ChannelHandlerContext) {
        connectionLost()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: startClose(.goingAway, "the server is shutting down")
        case ChannelEvent.inputClosed:
            // The peer will send nothing more: what is here is delivered, and the socket is done.
            process(ignoringPause: true)
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        keepAlive.noteRead(at: context.eventLoop.now)
        guard phase != .failed, phase != .closed else { return }
        receiver.append(unwrapInboundIn(data))
        process(ignoringPause: false)
    }

    func read(context: ChannelHandlerContext) {
        if isHoldingReads { isReadHeld = true } else { context.read() }
    }

    private var isHoldingReads: Bool { phase == .open && inbox.isPaused }

    /// Goes on after the reader made room.
    func resumeReading() {
        process(ignoringPause: false)
        guard isReadHeld, !isHoldingReads else { return }
        isReadHeld = false
        context?.read()
    }

    private func process(ignoringPause: Bool) {
        do throws(WebSocketFailure) {
            while phase == .open || phase == .closeSent, ignoringPause || !isHoldingReads, let event = try receiver.next() {
                handle(event)
            }
        } catch {
            fail(error)
        }
    }

    private func handle(_ event: WebSocketEvent) {
        switch event {
        case .message(let message): if phase == .open { inbox.push(message) }
        case .ping(let payload): if phase == .open { answerPing(payload) }
        case .pong:
            guard let context, let took = keepAlive.notePong(at: context.eventLoop.now) else { break }
            lastRoundTrip.set(took)
        case .close(let code, let reason): peerClosed(code, reason)
        }
    }

    /// Answers a ping; while an answer is still unsent only the newest ping is remembered (RFC 6455 §5.5.3 allows it),
    /// so that a flood of pings takes no memory.
    private func answerPing(_ payload: [UInt8]) {
        guard pong == .none else {
            nextPong = payload
            return
        }
        pong = .inOutbox
        outbox.addControl(.pong, payload)
        flush()
    }

    private func pongSent() {
        pong = .none
        guard let payload = nextPong else { return }
        nextPong = nil
        if phase == .open { answerPing(payload) }
    }

    // MARK: Writing

    /// Writes everything in the outbox.
    func flush() {
        guard isActive, let context, let bytes = outbox.take() else { return }
        let count = bytes.readableBytes
        let hasPong = pong == .inOutbox
        if hasPong { pong = .onItsWay }
        let promise = context.eventLoop.makePromise(of: Void.self)
        var isWaiting = false
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            // The kernel had no room at first, and now took it: somebody reads at the other end.
            if isWaiting { keepAlive.noteWrite(at: context.eventLoop.now) }
            outbox.completed(count)
            if hasPong { pongSent() }
            if outbox.isEmpty { everythingSent() }
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
        isWaiting = true
        // Frames added meanwhile asked for no flush of their own. A turn of the loop later, so that one busy
        // connection does not hold up the others.
        guard outbox.needsAnotherFlush() else { return }
        context.eventLoop.assumeIsolated().execute { [self] in flush() }
    }

    private func everythingSent() {
        if closesWhenSent {
            context?.close(promise: nil)
        } else if phase == .failed {
            // Tells the peer that nothing more comes; its own end is still awaited, so that the Close frame arrives.
            context?.close(mode: .output, promise: nil)
        }
    }

    // MARK: The end

    /// Ends everything: the socket is gone.
    private func connectionLost() {
        guard context != nil else { return }
        if phase == .open || phase == .closeSent { process(ignoringPause: true) }
        phase = .closed
        context = nil
        keepAliveTimer?.cancel()
        closeTimer?.cancel()
        ending.note(WebSocketClosure(code: .abnormal, reason: "the connection was lost", isByPeer: true))
        outbox.close()
        inbox.finish()
        ending.finish()
    }
}

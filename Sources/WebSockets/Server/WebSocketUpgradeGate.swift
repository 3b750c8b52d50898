public import NIOCore
public import NIOHTTP1

/// Stands behind the HTTP/1 parser of a server connection: asks about each WebSocket handshake that passes, turns the
/// pipeline into a WebSocket's when told so, and lets everything else through untouched.
///
/// Behind the answer to a request that lets no other follow (an upgrade request that was passed on, `Connection: close`,
/// HTTP/1.0 without `keep-alive`: RFC 9112 §9.3) it closes the connection.
///
/// Any request of a kept-alive connection may be a handshake; one that is pipelined behind a request not yet answered
/// is not upgraded but passed on. While a decision is awaited the socket is not read.
public final class WebSocketUpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    /// Parts of requests, from the HTTP parser.
    public typealias InboundIn = HTTPServerRequestPart
    /// The same parts, for the ordinary handlers.
    public typealias InboundOut = HTTPServerRequestPart
    /// Parts of responses, from the ordinary handlers.
    public typealias OutboundIn = HTTPServerResponsePart
    /// The same parts, for the HTTP encoder.
    public typealias OutboundOut = HTTPServerResponsePart
    /// Decides about a handshake. Runs outside the event loop; nothing is read from the socket meanwhile.
    public typealias Decide = @Sendable (WebSocketUpgradeRequest) async -> WebSocketUpgradeDecision

    private enum Phase {
        /// HTTP.
        case http
        /// A handshake waits for its decision, with its parts held back.
        case deciding([HTTPServerRequestPart])
        /// A request was passed on that no other may follow: the connection ends with the answer to it.
        case lastRequest
        /// The connection is a WebSocket.
        case upgraded
    }

    private let limits: WebSocketLimits
    private let decide: Decide
    private let encoder = HTTPResponseEncoder()
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let promise: EventLoopPromise<UpgradedWebSocket?>
    private var phase = Phase.http
    private var unanswered = 0
    private var isReadHeld = false
    /// Whether the last request has come in to its end.
    private var isLastRequestRead = false
    /// Whether the kernel has the whole answer to the last request.
    private var isLastAnswerSent = false
    private var handlersToRemove: [any RemovableChannelHandler] = []

    private init(
        limits: WebSocketLimits, decoderLimits: NIOHTTPDecoderLimitConfiguration, eventLoop: any EventLoop, decide: @escaping Decide
    ) {
        self.limits = limits
        self.decide = decide
        decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        promise = eventLoop.makePromise()
    }

    /// Adds the HTTP/1 encoder and parser and a gate to an empty pipeline, on its event loop.
    ///
    /// The caller adds the ordinary HTTP handlers behind it, tells ``removeWhenUpgraded(_:)`` of those that must not
    /// stay, and waits for ``upgraded``.
    public static func install(
        on channel: any Channel, limits: WebSocketLimits, decoderLimits: NIOHTTPDecoderLimitConfiguration, decide: @escaping Decide
    ) throws -> WebSocketUpgradeGate {
        let gate = WebSocketUpgradeGate(limits: limits, decoderLimits: decoderLimits, eventLoop: channel.eventLoop, decide: decide)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(gate.encoder)
        try pipeline.addHandler(gate.decoder)
        try pipeline.addHandler(gate)
        return gate
    }

    /// Completes with the WebSocket when the connection becomes one, or with `nil` when it ends without.
    public var upgraded: EventLoopFuture<UpgradedWebSocket?> { promise.futureResult }

    /// Names a handler behind the gate that watches over HTTP (for example its idle time) and must go with it.
    public func removeWhenUpgraded(_ handler: any RemovableChannelHandler) { handlersToRemove.append(handler) }

    /// Does nothing but let go of the connection when it ends.
    public func handlerRemoved(context: ChannelHandlerContext) {
        if case .upgraded = phase { return }
        promise.succeed(nil)
    }

    /// Holds back a handshake, and lets everything else through.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch (phase, part) {
        case (.http, .head(let head)) where unanswered == 0 && WebSocketHandshake.isProper(head):
            phase = .deciding([part])
        case (.http, .head(let head)):
            unanswered += 1
            if WebSocketHandshake.endsHTTP(head) || !head.isKeepAlive { phase = .lastRequest }
            context.fireChannelRead(data)
        case (.lastRequest, .end):
            isLastRequestRead = true
            context.fireChannelRead(data)
            closeBehindLastAnswer(context)
        case (.deciding(var parts), .end):
            parts.append(part)
            phase = .deciding(parts)
            askAboutHandshake(parts, context: context)
        case (.deciding(var parts), _):
            parts.append(part)
            phase = .deciding(parts)
        case (.http, _), (.lastRequest, _), (.upgraded, _):
            context.fireChannelRead(data)
        }
    }

    /// Waits with reading while a decision is awaited.
    public func read(context: ChannelHandlerContext) {
        if case .deciding = phase { isReadHeld = true } else { context.read() }
    }

    /// Marks the answer to the last request as the connection's last one, and closes behind it.
    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        guard case .lastRequest = phase else {
            if case .end = part { unanswered -= 1 }
            context.write(data, promise: promise)
            return
        }
        switch part {
        case .head(var head):
            if unanswered == 1, head.status.code >= 200 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            let sent = promise ?? context.eventLoop.makePromise()
            if unanswered == 0 {
                sent.futureResult.assumeIsolated().whenComplete { [self] _ in
                    isLastAnswerSent = true
                    closeBehindLastAnswer(context)
                }
            }
            context.write(data, promise: sent)
        }
    }

    /// Closes once the last answer is sent; as long as its request still comes in, only the sending side, because closing
    /// a socket with unread bytes would reset it, and the answer could be lost on its way (RFC 9112 §9.6).
    private func closeBehindLastAnswer(_ context: ChannelHandlerContext) {
        guard isLastAnswerSent else { return }
        context.close(mode: isLastRequestRead ? .all : .output, promise: nil)
    }

    private func askAboutHandshake(_ parts: [HTTPServerRequestPart], context: ChannelHandlerContext) {
        guard case .head(let head)? = parts.first else { return }
        let request = WebSocketUpgradeRequest(head: head, remoteAddress: context.remoteAddress?.ipAddress)
        // Unstructured: a channel handler has no task of its own. There is one at most for a connection, and its
        // result is dropped when the connection has ended meanwhile.
        context.eventLoop.makeFutureWithTask { [decide] in await decide(request) }.assumeIsolated().whenSuccess { [self] decision in
            guard case .deciding = phase, context.channel.isActive else { return }
            switch decision {
            case .pass: pass(parts, context: context)
            case .upgrade(let subprotocol, let handler): upgrade(head, subprotocol, handler, context: context)
            }
        }
    }

    private func pass(_ parts: [HTTPServerRequestPart], context: ChannelHandlerContext) {
        phase = .lastRequest
        isLastRequestRead = true
        unanswered += 1
        for part in parts { context.fireChannelRead(wrapInboundOut(part)) }
        context.fireChannelReadComplete()
        resumeReading(context)
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    /// Answers 101, then puts a WebSocket handler in the place of the HTTP handlers. The ones behind the gate that stay
    /// get no more input, and end when the connection does.
    private func upgrade(
        _ head: HTTPRequestHead, _ subprotocol: String?, _ handler: @escaping @Sendable (WebSocketConnection) async -> Void,
        context: ChannelHandlerContext
    ) {
        let pipeline = context.pipeline.syncOperations
        let connection = WebSocketConnection(channel: context.channel, limits: limits, maskingKey: nil)
        context.writeAndFlush(wrapOutboundOut(.head(WebSocketHandshake.answer(to: head, subprotocol: subprotocol))), promise: nil)
        do {
            try pipeline.addHandler(connection.channelHandler, position: .after(decoder))
        } catch {
            context.close(promise: nil)
            return
        }
        phase = .upgraded
        for handler in handlersToRemove { pipeline.removeHandler(handler, promise: nil) }
        handlersToRemove = []
        pipeline.removeHandler(encoder, promise: nil)
        promise.succeed(UpgradedWebSocket(connection: connection, handler: handler))
        // The decoder forwards what it has not parsed: frames of a client that did not wait for the answer.
        pipeline.removeHandler(decoder).assumeIsolated().whenComplete { [self] _ in
            connection.channelHandler.activate()
            // Through the WebSocket handler, which may want to wait.
            if isReadHeld { context.pipeline.read() }
            isReadHeld = false
            pipeline.removeHandler(context: context, promise: nil)
        }
    }
}

/// Event loops are the only ones to touch a gate.
@available(*, unavailable)
extension WebSocketUpgradeGate: Sendable {}

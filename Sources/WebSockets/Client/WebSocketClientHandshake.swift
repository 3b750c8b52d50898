import NIOCore
import NIOHTTP1

/// Asks a server for a WebSocket, and hands the connection over when it agrees.
final class WebSocketClientHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Longest body of a refusal that is kept, in bytes. Chosen: far more than an error envelope.
    static let refusalBytesMax = 64 << 10

    private let request: HTTPRequestHead
    private let key: String
    private let subprotocols: [String]
    private let limits: WebSocketLimits
    private let maskingKey: @Sendable () -> UInt32
    private let encoder = HTTPRequestEncoder()
    private let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
    private let promise: EventLoopPromise<WebSocketConnection>
    private var response: HTTPResponseHead?
    private var body: [UInt8] = []
    private var isDone = false

    init(
        request: HTTPRequestHead, key: String, subprotocols: [String], limits: WebSocketLimits,
        maskingKey: @escaping @Sendable () -> UInt32, promise: EventLoopPromise<WebSocketConnection>
    ) {
        self.request = request
        self.key = key
        self.subprotocols = subprotocols
        self.limits = limits
        self.maskingKey = maskingKey
        self.promise = promise
    }

    /// Adds the HTTP handlers and itself to an empty pipeline, on its event loop.
    func install(on channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(encoder)
        try channel.pipeline.syncOperations.addHandler(decoder)
        try channel.pipeline.syncOperations.addHandler(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): response = head
        case .body(let bytes):
            body.append(contentsOf: bytes.readableBytesView.prefix(Self.refusalBytesMax - body.count))
            if body.count == Self.refusalBytesMax { finish(context: context) }
        case .end: finish(context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(WebSocketError(.unreachable, "the server closed the connection during the handshake"), context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(WebSocketError(.invalidAnswer, "the server's answer is no HTTP", cause: error), context: context)
    }

    private func finish(context: ChannelHandlerContext) {
        guard !isDone, let response else { return }
        guard response.status == .switchingProtocols else {
            let refusal = WebSocketError.Refusal(
                status: Int(response.status.code), contentType: response.headers.first(name: "content-type"),
                retryAfter: response.headers.first(name: "retry-after"), body: body)
            fail(
                WebSocketError(.refused, "the server answered \(refusal.status) and not 101", refusal: refusal), context: context)
            return
        }
        if let problem = WebSocketHandshake.problem(in: response, key: key, subprotocols: subprotocols) {
            fail(WebSocketError(.invalidAnswer, problem), context: context)
            return
        }
        becomeWebSocket(context: context)
    }

    private func becomeWebSocket(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        let connection = WebSocketConnection(channel: context.channel, limits: limits, maskingKey: maskingKey)
        do {
            try pipeline.addHandler(connection.channelHandler, position: .after(decoder))
        } catch {
            fail(WebSocketError(.unreachable, "the connection was lost during the handshake", cause: error), context: context)
            return
        }
        isDone = true
        pipeline.removeHandler(encoder, promise: nil)
        pipeline.removeHandler(context: context, promise: nil)
        // Forwards the frames that came right behind the answer.
        pipeline.removeHandler(decoder).assumeIsolated().whenComplete { _ in connection.channelHandler.activate() }
        promise.succeed(connection)
    }

    private func fail(_ error: WebSocketError, context: ChannelHandlerContext) {
        guard !isDone else { return }
        isDone = true
        promise.fail(error)
        context.close(promise: nil)
    }
}

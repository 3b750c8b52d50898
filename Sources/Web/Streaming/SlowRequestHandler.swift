import NIOCore
import NIOHTTPTypes

/// Closes a connection that does not ask: one on which no request comes, or whose request comes too slowly.
///
/// Each connection is a descriptor and some memory, and costs whoever opens it nothing. An answer may take as long as it needs: a stream of a job
/// goes on for hours.
final class SlowRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Chosen: longer than most clients keep a connection for another request (60 s), so that it is they who close it.
    static let patience: TimeAmount = .seconds(75)
    /// Chosen: as of what is written to a slow peer, see ``StalledPeerHandler/leastBytes``.
    static let leastBytes = StalledPeerHandler.leastBytes

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    /// Bytes of a request's body since the timer began; `nil` between requests.
    private var received: Int?
    /// Requests that are not answered yet.
    private var open = 0

    /// - Parameter patience: how long a request, or ``leastBytes`` of its body, may take to come.
    init(patience: TimeAmount = SlowRequestHandler.patience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { watch(context) } }

    func channelActive(context: ChannelHandlerContext) {
        watch(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            open += 1
            received = 0
            watch(context)
        case .body(let bytes):
            let sum = (received ?? 0) + bytes.readableBytes
            received = sum
            if sum >= Self.leastBytes {
                received = 0
                watch(context)
            }
        case .end:
            received = nil
            timer?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            open -= 1
            if open <= 0, received == nil { watch(context) }
        }
        context.write(data, promise: promise)
    }

    private func watch(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience) { bound.value.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}

import NIOCore

/// Closes a connection whose peer takes too little of what is written to it.
///
/// What is written waits in memory, a bounded amount for each connection; but a peer that reads a byte a second would keep that, and
/// a reader's place, for ever. A stream that was cut is taken up again where it broke, with `Last-Event-ID` or `?from=SEQ`.
final class StalledPeerHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// Chosen: a peer must take in a minute what lies between NIO's two marks, 32 KiB; the slowest modem did that in ten seconds.
    static let patience: TimeAmount = .minutes(1)

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?

    /// - Parameter patience: for how long more may wait to be sent than ought to.
    init(patience: TimeAmount = StalledPeerHandler.patience) { self.patience = patience }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        if !context.channel.isWritable {
            let connection = NIOLoopBound(context, eventLoop: context.eventLoop)
            timer = context.eventLoop.scheduleTask(in: patience) { connection.value.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}

import NIOCore

/// Closes a connection whose peer takes too little of what is written to it.
///
/// What is written waits in memory, a bounded amount for each connection; but a peer that reads a byte a second would keep that, and
/// a reader's place, for ever. A stream that was cut is taken up again where it broke, with `Last-Event-ID` or `?from=SEQ`.
final class StalledPeerHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// Chosen: a peer must take ``leastBytes`` in a minute; the slowest modem did that in ten seconds.
    static let patience: TimeAmount = .minutes(1)
    /// Chosen: what lies between NIO's two marks of a full connection.
    static let leastBytes = 32 << 10

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?

    /// - Parameter patience: how long a peer may take less than it must.
    init(patience: TimeAmount = StalledPeerHandler.patience) { self.patience = patience }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        if !context.channel.isWritable { watch(context, waiting: Self.bytesWaiting(context)) }
        context.fireChannelWritabilityChanged()
    }

    /// Looks again after a while. One long answer may keep a connection full for longer than that, though its peer reads.
    private func watch(_ context: ChannelHandlerContext, waiting before: Int) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience) {
            let (handler, context) = bound.value
            let waiting = Self.bytesWaiting(context)
            if before - waiting >= Self.leastBytes { handler.watch(context, waiting: waiting) } else { context.close(promise: nil) }
        }
    }

    /// What was written and not yet sent. A full connection gets nothing more from those who heed it, so this only falls.
    private static func bytesWaiting(_ context: ChannelHandlerContext) -> Int {
        // Every connection of ours has the option; one without it would be cut off as one that takes nothing.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}

import NIOCore
import NIOPosix
import Synchronization

/// The way from Islands to the coordinator: a port that hands every connection on, and can cut all of them at once.
final class ChaosLink: Sendable {
    let port: Int
    private let listener: any Channel
    private let connections: Mutex<[ObjectIdentifier: any Channel]>

    private init(listener: any Channel, port: Int, connections: Connections) {
        self.listener = listener
        self.port = port
        self.connections = Mutex([:])
        connections.onOpen = { [weak self] channel in self?.note(channel) }
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// - Parameter target: the port that connections are handed on to.
    static func open(to target: Int) async throws -> ChaosLink {
        let connections = Connections()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { near in
                connections.onOpen?(near)
                // Nothing is read of it before it is initialised, and the other side says nothing before it is asked.
                return ClientBootstrap(group: near.eventLoop).connect(host: "127.0.0.1", port: target).flatMap { far in
                    near.eventLoop.makeCompletedFuture {
                        try near.pipeline.syncOperations.addHandler(Relay(to: far))
                        try far.pipeline.syncOperations.addHandler(Relay(to: near))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ChaosLink(listener: listener, port: listener.localAddress?.port ?? 0, connections: connections)
    }

    /// Ends every connection, in the middle of whatever it carries; new ones are taken.
    func cut() {
        let all = connections.withLock { connections in
            defer { connections = [:] }
            return connections.values
        }
        for channel in all { channel.close(promise: nil) }
    }

    /// Takes no more connections, and ends those there are.
    func close() async {
        try? await listener.close()
        cut()
    }

    private func note(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        connections.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { [weak self] _ in self?.connections.withLock { $0[id] = nil } }
    }
}

/// Told of each new connection.
private final class Connections: Sendable {
    private let listener = Mutex<(@Sendable (any Channel) -> Void)?>(nil)

    var onOpen: (@Sendable (any Channel) -> Void)? {
        get { listener.withLock(\.self) }
        set { listener.withLock { $0 = newValue } }
    }
}

/// Writes what one connection reads to another, and ends it with this one.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func handlerAdded(context: ChannelHandlerContext) {
        // One end may be gone before it has the other.
        context.channel.closeFuture.whenComplete { [other] _ in other.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import WebSockets

/// A server without Hummingbird: the gate, and behind it a handler that answers everything with 404 and the path.
final class TestServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let openConnections = Mutex(0)
    private let running = Mutex<[any Channel]>([])

    var open: Int { openConnections.withLock { $0 } }

    private init(channel: any Channel) throws {
        self.channel = channel
        port = try #require(channel.localAddress?.port)
    }

    static func with<Result>(
        limits: WebSocketLimits = WebSocketLimits(), decide: @escaping WebSocketUpgradeGate.Decide, _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let shared = Box()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gate = try WebSocketUpgradeGate.install(on: channel, limits: limits, decoderLimits: .init(), decide: decide)
                    try channel.pipeline.syncOperations.addHandler(NotFound())
                    shared.server.map { server in
                        server.openConnections.withLock { $0 += 1 }
                        server.running.withLock { $0.append(channel) }
                        channel.closeFuture.whenComplete { _ in server.openConnections.withLock { $0 -= 1 } }
                    }
                    gate.upgraded.whenSuccess { upgraded in
                        guard let upgraded else { return }
                        Task { await upgraded.run() }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = try TestServer(channel: channel)
        shared.set(server)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    /// Tells every connection that the server goes down, as Hummingbird does.
    func quiesce() {
        for channel in running.withLock({ $0 }) { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    func connect(_ path: String = "/", limits: WebSocketLimits = WebSocketLimits()) async throws -> WebSocketConnection {
        try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)\(path)", limits: limits)
    }

    private final class Box: Sendable {
        private let value = Mutex<TestServer?>(nil)
        var server: TestServer? { value.withLock { $0 } }
        func set(_ server: TestServer) { value.withLock { $0 = server } }
    }

    private final class NotFound: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        var uri = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): uri = "\(head.method) \(head.uri) \(head.headers["upgrade"].joined())"
            case .body: break
            case .end:
                let body = ByteBuffer(string: uri)
                let headers = HTTPHeaders([("content-length", "\(body.readableBytes)"), ("content-type", "text/plain")])
                context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .notFound, headers: headers))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

/// A TCP connection on which a test writes what it wants.
struct RawPeer {
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func connect(port: Int) async throws -> RawPeer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return RawPeer(channel: channel)
    }

    /// Sends the bytes, then reads until `enough` or the end.
    static func exchange(port: Int, send parts: [[UInt8]], until enough: ([UInt8]) -> Bool = { _ in false }) async throws -> [UInt8] {
        try await connect(port: port).channel.executeThenClose { inbound, outbound in
            for part in parts { try await outbound.write(ByteBuffer(bytes: part)) }
            var all: [UInt8] = []
            for try await chunk in inbound {
                all += chunk.readableBytesView
                if enough(all) { break }
            }
            return all
        }
    }

    // RFC 6455 §1.2, as a raw text.
    static func handshake(_ path: String = "/") -> [UInt8] {
        Array(
            ("GET \(path) HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)
    }
}

/// A TCP server for one connection, on which a test answers what it wants.
enum RawServer {
    /// Runs the body with the server's port, beside what answers; ends when both have.
    static func with(
        _ answer: @escaping @Sendable (NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws -> Void, _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.executeThenClose { connections in
                    for try await connection in connections { return try await answer(connection) }
                }
            }
            try await body(try #require(server.channel.localAddress?.port))
            try await group.waitForAll()
        }
    }
}

/// What came in on a TCP connection and was not yet taken.
struct RawBytes {
    struct Ended: Error {}

    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var waiting: [UInt8] = []

    init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) { iterator = inbound.makeAsyncIterator() }

    /// Waits for more bytes; `false` at the end.
    mutating func more() async throws -> Bool {
        guard let chunk = try await iterator.next() else { return false }
        waiting += chunk.readableBytesView
        return true
    }

    /// Takes exactly so many bytes.
    mutating func next(_ count: Int) async throws -> [UInt8] {
        while waiting.count < count { guard try await more() else { throw Ended() } }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    /// Takes everything to the end of a mark.
    @discardableResult
    mutating func skip(past mark: [UInt8]) async throws -> [UInt8] {
        var taken: [UInt8] = []
        while taken.suffix(mark.count) != mark[...] { taken += try await next(1) }
        return taken
    }
}

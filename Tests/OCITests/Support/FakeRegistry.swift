import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A registry on loopback that answers as a test tells it to, also badly.
final class FakeRegistry: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: String
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Closes the connection after this many bytes of the body; the header still promises all.
        var breaksAfter: Int?
        /// Never answers.
        var isSilent = false
    }

    private let log = Mutex<[Request]>([])
    private let channel: any Channel
    let port: Int

    /// Requests so far, in order.
    var requests: [Request] { log.withLock { $0 } }
    var host: String { "127.0.0.1:\(port)" }

    init(_ answer: @escaping @Sendable (Request) -> Answer) async throws {
        let log = Recorder()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Handler(log: log, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
        log.registry.withLock { $0 = self }
    }

    func stop() async throws { try await channel.close() }

    func reference(_ rest: String = "test/image:v1") throws -> String { "\(host)/\(rest)" }

    private final class Recorder: Sendable {
        let registry = Mutex<FakeRegistry?>(nil)
        func add(_ request: Request) { registry.withLock { $0 }?.log.withLock { $0.append(request) } }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Recorder
        private let answer: @Sendable (Request) -> Answer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(log: Recorder, answer: @escaping @Sendable (Request) -> Answer) {
            self.log = log
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let buffer): body += buffer.readableBytesView
            case .end:
                guard let head else { return }
                let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
                let request = Request(
                    method: head.method.rawValue, path: parts[0], query: parts.count > 1 ? parts[1] : "", headers: head.headers, body: body)
                log.add(request)
                respond(answer(request), isHead: head.method == .HEAD, context: context)
            }
        }

        private func respond(_ answer: Answer, isHead: Bool, context: ChannelHandlerContext) {
            if answer.isSilent { return }
            var headers = HTTPHeaders(answer.headers)
            if !headers.contains(name: "Content-Length"), !headers.contains(name: "Transfer-Encoding") {
                headers.add(name: "Content-Length", value: "\(answer.body.count)")
            }
            context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .init(statusCode: answer.status), headers: headers))), promise: nil)
            if !isHead {
                let sent = answer.breaksAfter.map { Array(answer.body.prefix($0)) } ?? answer.body
                let written = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))))
                if answer.breaksAfter != nil {
                    let channel = context.channel
                    written.whenComplete { _ in channel.close(promise: nil) }
                    return
                }
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

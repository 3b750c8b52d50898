import NIOCore
import NIOPosix

/// One kept connection to a server on this machine, over which requests go one after the other.
///
/// A client for all purposes takes as long for a request as the coordinator does, and would be measured too. This one sends bytes that are
/// made before, and understands answers with a `Content-Length`, which is what the coordinator sends.
struct BenchHTTPClient: Sendable {
    private let channel: any Channel

    /// An answer.
    struct Answer: Sendable {
        let status: Int
        let body: ByteBuffer
    }

    static func connect(port: Int) async throws -> BenchHTTPClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(BenchHTTPHandler()) }
            }
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: port).get()
        return BenchHTTPClient(channel: channel)
    }

    /// The bytes of a request with a body of JSON.
    static func post(_ path: String, key: String, _ body: String) -> ByteBuffer {
        ByteBuffer(
            string: [
                "POST \(path) HTTP/1.1", "Host: 127.0.0.1", "Authorization: Bearer \(key)", "Content-Type: application/json",
                "Content-Length: \(body.utf8.count)", "", body,
            ].joined(separator: "\r\n"))
    }

    /// Sends a request and waits for its answer. Not called again before it has returned.
    func send(_ request: ByteBuffer) async throws -> Answer {
        let answer = channel.eventLoop.makePromise(of: Answer.self)
        channel.writeAndFlush(BenchHTTPHandler.Exchange(request: request, answer: answer)).cascadeFailure(to: answer)
        return try await answer.futureResult.get()
    }

    func close() async throws { try await channel.close() }
}

/// Writes a request as it is and reads its answer.
private final class BenchHTTPHandler: ChannelDuplexHandler {
    struct Exchange: Sendable {
        let request: ByteBuffer
        let answer: EventLoopPromise<BenchHTTPClient.Answer>
    }

    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Exchange
    typealias OutboundOut = ByteBuffer

    private var received = ByteBuffer()
    private var awaited: EventLoopPromise<BenchHTTPClient.Answer>?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        awaited = exchange.answer
        context.write(wrapOutboundOut(exchange.request), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        do {
            guard let answer = try received.readAnswer() else { return }
            awaited.take()?.succeed(answer)
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { awaited.take()?.fail(ChannelError.eof) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        awaited.take()?.fail(error)
        context.close(promise: nil)
    }
}

extension ByteBuffer {
    /// Takes an answer of HTTP/1.1 off the front (RFC 9112); `nil` while it is not whole.
    fileprivate mutating func readAnswer() throws -> BenchHTTPClient.Answer? {
        let found = try withUnsafeReadableBytes { bytes -> (status: Int, head: Int, body: Int)? in
            guard let end = bytes.firstIndex(of: "\r\n\r\n") else { return nil }
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<end])
            // "HTTP/1.1 201 Created"
            guard let status = head.number(from: 9), let length = head.firstIndex(of: "\r\ncontent-length: ", isCaseless: true),
                let body = head.number(from: length + 18)
            else { throw CommandFailure(.failed, "The coordinator answers in an unexpected way.") }
            return (status, end + 4, body)
        }
        guard let found, readableBytes >= found.head + found.body else { return nil }
        moveReaderIndex(forwardBy: found.head)
        return readSlice(length: found.body).map { .init(status: found.status, body: $0) }
    }

    /// The texts behind each place where a text stands, up to the next quote; of JSON, without the cost of a parser.
    func texts(behind mark: StaticString) -> [String] {
        withUnsafeReadableBytes { bytes in
            var (texts, place): ([String], Int) = ([], 0)
            while let start = bytes.firstIndex(of: mark, from: place) {
                let text = bytes[(start + mark.utf8CodeUnitCount)...].prefix { $0 != UInt8(ascii: "\"") }
                texts.append(String(decoding: text, as: UTF8.self))
                place = text.endIndex
            }
            return texts
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Where a text begins, from an index on.
    ///
    /// - Parameter isCaseless: whether letters count in either case; the text is then in small ones.
    fileprivate func firstIndex(of text: StaticString, from start: Int = 0, isCaseless: Bool = false) -> Int? {
        text.withUTF8Buffer { text in
            var place = start
            while place + text.count <= count {
                var same = 0
                while same < text.count, Self.isSame(self[place + same], text[same], isCaseless) { same += 1 }
                if same == text.count { return place }
                place += 1
            }
            return nil
        }
    }

    private static func isSame(_ byte: UInt8, _ wanted: UInt8, _ isCaseless: Bool) -> Bool {
        byte == wanted || (isCaseless && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(wanted) && byte | 0x20 == wanted)
    }

    /// The decimal number that begins at an index; `nil` for none.
    fileprivate func number(from start: Int) -> Int? {
        guard start < count else { return nil }
        let digits = self[start...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}

import JSON
import NIOCore
import NIOHTTP1
import NIOPosix

/// An answer of the API, whole.
struct Answer: Sendable, CustomStringConvertible {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var description: String { "\(status) \(text.prefix(2000))" }

    /// The body as JSON; `null` when it is none.
    var json: JSONValue { (try? JSONValue(parsing: body, limits: .init(bytesMax: 64 << 20, depthMax: 128))) ?? .null }
    var data: JSONValue { json["data"] ?? .null }
    var errorCode: String { json["error"]?["code"]?.string ?? "none" }
    /// The pointers of the failure's details, sorted.
    var pointers: [String] { (json["error"]?["details"]?.array ?? []).compactMap { $0["pointer"]?.string }.sorted() }
    /// Whether it is a success or the one envelope of failures with everything in it.
    var isProper: Bool {
        if (200..<300).contains(status) { return json["data"] != nil }
        guard let error = json["error"] else { return false }
        return error["code"]?.string?.isEmpty == false && error["message"]?.string?.isEmpty == false && error["details"]?.array != nil
    }
}

/// A small HTTP/1.1 client, one connection for each request, as plain as an outside one.
struct HTTPPeer: Sendable {
    let host: String
    let port: Int

    struct Request: Sendable {
        var method = HTTPMethod.GET
        var path = "/"
        var headers: [(String, String)] = []
        var body: [UInt8]?
    }

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Sends a request and gathers the answer.
    func exchange(_ request: Request, within limit: Duration = .seconds(30)) async throws -> Answer {
        try await LiveTests.within(limit, "an answer to \(request.method) \(request.path)") {
            let body = Gathered()
            let head = try await stream(request) { bytes in
                await body.append(bytes)
                return true
            }
            return Answer(status: Int(head.status.code), headers: head.headers, body: await body.bytes)
        }
    }

    private actor Gathered {
        var bytes: [UInt8] = []
        func append(_ more: [UInt8]) { bytes += more }
    }

    /// Sends a request and hands over the body as it comes, until it ends or `receive` returns `false`.
    func stream(_ request: Request, receive: @escaping @Sendable ([UInt8]) async throws -> Bool) async throws -> HTTPResponseHead {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                return try Connection(wrappingChannelSynchronously: channel)
            }
        }
        return try await connection.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                // A server may refuse a long body before all of it is sent; then writing fails, and the answer counts.
                group.addTask { try? await Self.send(request, over: outbound) }
                defer { group.cancelAll() }
                var head: HTTPResponseHead?
                for try await part in inbound {
                    switch part {
                    case .head(let received): head = received
                    case .body(let buffer): if try await !receive(Array(buffer.readableBytesView)) { return try Self.whole(head) }
                    case .end: return try Self.whole(head)
                    }
                }
                return try Self.whole(head)
            }
        }
    }

    private static func whole(_ head: HTTPResponseHead?) throws -> HTTPResponseHead {
        guard let head else { throw NoAnswer() }
        return head
    }

    private static func send(_ request: Request, over outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>) async throws {
        var headers = HTTPHeaders([("Host", "127.0.0.1"), ("Connection", "close")] + request.headers)
        if let body = request.body, headers["Transfer-Encoding"].isEmpty { headers.add(name: "Content-Length", value: "\(body.count)") }
        try await outbound.write(.head(HTTPRequestHead(version: .http1_1, method: request.method, uri: request.path, headers: headers)))
        if let body = request.body { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
        try await outbound.write(.end(nil))
    }

    /// Sends bytes that need not be HTTP, and returns what comes back until the server closes or has said `enough` bytes.
    func raw(_ bytes: [UInt8], enough: Int = 12) async throws -> String {
        let (host, port) = (host, port)
        return try await LiveTests.within(.seconds(15), "an answer to raw bytes") {
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
            return try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: bytes))
                var all: [UInt8] = []
                for try await buffer in inbound {
                    all += buffer.readableBytesView
                    if all.count >= enough { break }
                }
                return String(decoding: all, as: UTF8.self)
            }
        }
    }
}

/// The server closed the connection without an answer.
struct NoAnswer: Error {}

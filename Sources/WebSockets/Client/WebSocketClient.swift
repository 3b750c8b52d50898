public import NIOCore
import NIOHTTP1
import NIOPosix

/// Opens WebSockets to servers.
///
/// Speaks plain `ws://` only: TLS belongs to a proxy beside it. `wss://` is refused, never silently downgraded.
public enum WebSocketClient {
    /// Connects and shakes hands.
    ///
    /// - Parameters:
    ///   - url: `ws://host[:port]/path?query`; `http://` means the same.
    ///   - headers: further header fields of the request, for example `Authorization`. The fields of the handshake
    ///     itself cannot be replaced.
    ///   - subprotocols: what to offer as `Sec-WebSocket-Protocol`, the preferred one first.
    ///   - limits: what the connection may take.
    ///   - timeout: for the whole of looking up, connecting and shaking hands.
    ///   - eventLoopGroup: where the connection lives; `nil` for the process's shared one.
    /// - Throws: ``WebSocketError``: `invalid_url`, `unsupported_scheme`, `unreachable`, `timed_out`, `invalid_answer`,
    ///   and `refused` with the server's status and body; `CancellationError` when the task is cancelled.
    public static func connect(
        url: String, headers: [(name: String, value: String)] = [], subprotocols: [String] = [],
        limits: WebSocketLimits = WebSocketLimits(), timeout: Duration = .seconds(10),
        eventLoopGroup: (any EventLoopGroup)? = nil
    ) async throws -> WebSocketConnection {
        let url = try WebSocketURL(url)
        var random = SystemRandomNumberGenerator()
        let key = WebSocketHandshake.base64((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let request = makeRequest(to: url, key: key, headers: headers, subprotocols: subprotocols)
        let eventLoop = (eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton).next()
        let promise = eventLoop.makePromise(of: WebSocketConnection.self)
        let deadline = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            promise.fail(WebSocketError(.timedOut, "\(url.authority) did not answer in \(timeout)"))
        }
        let connecting = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try WebSocketClientHandshake(
                        request: request, key: key, subprotocols: subprotocols, limits: limits,
                        maskingKey: { UInt32.random(in: .min ... .max) }, promise: promise
                    ).install(on: channel)
                }
            }
            .connect(host: url.host, port: url.port)
        connecting.whenFailure { error in
            promise.fail(WebSocketError(.unreachable, "no connection to \(url.authority)", cause: error))
        }
        // Whoever gives up (deadline, cancellation) leaves no connection behind.
        promise.futureResult.whenFailure { _ in connecting.whenSuccess { $0.close(promise: nil) } }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    private static func makeRequest(
        to url: WebSocketURL, key: String, headers: [(name: String, value: String)], subprotocols: [String]
    ) -> HTTPRequestHead {
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.replaceOrAdd(name: "Host", value: url.authority)
        fields.replaceOrAdd(name: "Upgrade", value: "websocket")
        fields.replaceOrAdd(name: "Connection", value: "Upgrade")
        fields.replaceOrAdd(name: "Sec-WebSocket-Key", value: key)
        fields.replaceOrAdd(name: "Sec-WebSocket-Version", value: WebSocketHandshake.version)
        fields.remove(name: "Sec-WebSocket-Extensions")
        fields.remove(name: "Sec-WebSocket-Protocol")
        fields.remove(name: "Content-Length")
        fields.remove(name: "Transfer-Encoding")
        if !subprotocols.isEmpty { fields.add(name: "Sec-WebSocket-Protocol", value: subprotocols.joined(separator: ", ")) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: fields)
    }
}

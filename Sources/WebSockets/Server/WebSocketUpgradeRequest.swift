import NIOHTTP1

/// A proper WebSocket handshake that waits for a decision.
///
/// A browser sends cookies and no `Authorization` along with it, from any site's page: whoever decides by a cookie must
/// also check the `Origin` header (RFC 6455 §10.2).
public struct WebSocketUpgradeRequest: Sendable {
    /// The path as sent, percent-encoded, for example `/api/v1/jobs/7/ws`.
    public let path: String
    /// What stands after the first `?`, as sent, or `nil` when there is none.
    public let query: String?
    /// The peer's address, for example `192.0.2.7`, or `nil` when it has none.
    public let remoteAddress: String?
    private let headers: HTTPHeaders

    init(head: HTTPRequestHead, remoteAddress: String?) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init) ?? ""
        query = parts.count > 1 ? String(parts[1]) : nil
        headers = head.headers
        self.remoteAddress = remoteAddress
    }

    /// The first value of a header field, whatever the case of its name.
    public func header(_ name: String) -> String? { headers.first(name: name) }

    /// Every header field in the order sent.
    public var headerFields: [(name: String, value: String)] { headers.map { ($0.name, $0.value) } }

    /// The subprotocols that the client offers, the preferred one first (`Sec-WebSocket-Protocol`).
    public var subprotocols: [String] { headers[canonicalForm: "sec-websocket-protocol"].map(String.init) }
}

/// What becomes of a WebSocket handshake.
public enum WebSocketUpgradeDecision: Sendable {
    /// Accept it. The handler runs for the life of the connection; when it returns, the connection is closed with 1000.
    /// The subprotocol must be one that the client offered, or `nil`.
    case upgrade(subprotocol: String? = nil, handler: @Sendable (WebSocketConnection) async -> Void)
    /// Leave it to the ordinary HTTP handlers, which see the request as it was sent and answer it. The HTTP connection
    /// is closed after that answer, because the HTTP parser cannot go on behind an upgrade request.
    case pass
}

/// A WebSocket that was just accepted.
public struct UpgradedWebSocket: Sendable {
    let connection: WebSocketConnection
    let handler: @Sendable (WebSocketConnection) async -> Void

    /// Runs the handler, then closes the connection (1000, or 1001 when the task was cancelled) and waits for its end.
    public func run() async {
        await handler(connection)
        await connection.close(Task.isCancelled ? .goingAway : .normal)
    }
}

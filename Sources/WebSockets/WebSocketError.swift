/// Why a WebSocket could not be opened or used.
public struct WebSocketError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The connection is closed or closing; see ``WebSocketError/closure``.
        case closed
        /// The URL cannot be read.
        case invalidURL = "invalid_url"
        /// The URL asks for TLS or for another protocol.
        case unsupportedScheme = "unsupported_scheme"
        /// No connection to the server: no such host, refused, or cut during the handshake.
        case unreachable
        /// The server did not answer in time.
        case timedOut = "timed_out"
        /// The server answered with another status than 101; see ``WebSocketError/refusal``.
        case refused
        /// The server's answer is no proper WebSocket handshake.
        case invalidAnswer = "invalid_answer"
    }

    /// An HTTP answer that is no upgrade.
    public struct Refusal: Sendable, Hashable {
        /// The HTTP status, 100–999.
        public let status: Int
        /// The value of `Content-Type`, if there was one.
        public let contentType: String?
        /// The value of `Retry-After`, if there was one.
        public let retryAfter: String?
        /// The first bytes of the body, at most 64 KiB.
        public let body: [UInt8]
    }

    /// What kind of failure it is.
    public let code: Code
    /// The failure in words; safe to show.
    public let message: String
    /// How the connection ended, for ``Code/closed`` once it is known.
    public let closure: WebSocketClosure?
    /// The server's answer, for ``Code/refused``.
    public let refusal: Refusal?
    /// What lay beneath, for the log.
    public let cause: (any Error)?

    /// The stable name of the failure, for example `websockets.timed_out`.
    public var rule: String { "websockets.\(code.rawValue)" }

    /// The rule and the words.
    public var description: String { "\(rule): \(message)" }

    init(
        _ code: Code, _ message: String, closure: WebSocketClosure? = nil, refusal: Refusal? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.closure = closure
        self.refusal = refusal
        self.cause = cause
    }
}

/// Where a WebSocket client connects to: `ws://host[:port][/path][?query]` (RFC 6455 §3), or the same with `http`.
struct WebSocketURL: Hashable {
    /// The host without brackets.
    let host: String
    /// The port, 1–65535; 80 when the URL has none.
    let port: Int
    /// Path and query as they go on the wire; begins with `/`.
    let target: String
    /// The value of the `Host` header.
    let authority: String

    /// - Throws: ``WebSocketError`` with `unsupported_scheme` for `wss`, `https` and others, `invalid_url` for a URL
    ///   with a fragment, user information, an empty host, a bad port or characters that must be percent-encoded.
    init(_ text: String) throws(WebSocketError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), let colon = text.firstRange(of: "://") else {
            throw WebSocketError(.invalidURL, "a WebSocket URL looks like ws://host:port/path")
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "ws" || scheme == "http" else {
            throw WebSocketError(
                .unsupportedScheme,
                scheme == "wss" || scheme == "https"
                    ? "TLS is not spoken here: put a TLS proxy in front, or use ws://" : "the scheme \(scheme) is none of ws and http")
        }
        let rest = text[colon.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        authority = String(rest[..<end])
        guard !rest.contains("#"), !authority.contains("@"), let (host, port) = Self.split(authority) else {
            throw WebSocketError(.invalidURL, "the URL has a fragment, user information, or no proper host and port")
        }
        self.host = host
        self.port = port
        target = (rest[end...].hasPrefix("/") ? "" : "/") + rest[end...]
    }

    private static func split(_ authority: String) -> (host: String, port: Int)? {
        var host = Substring(authority)
        var port = 80
        let colon = authority.lastIndex(of: ":")
        if let colon, !authority.hasPrefix("[") || authority[..<colon].hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            port = Int(number)
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return host.isEmpty || host.contains("[") || host.contains("]") ? nil : (String(host), port)
    }
}

import NIOHTTP1

/// The rules of the opening handshake (RFC 6455 §4).
enum WebSocketHandshake {
    /// Source: RFC 6455 §1.3.
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    /// The only version there is. Source: RFC 6455 §4.1.
    static let version = "13"
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of `Sec-WebSocket-Accept` for a key.
    ///
    /// Known value: `dGhlIHNhbXBsZSBub25jZQ==` gives `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=` (RFC 6455 §1.3).
    static func accept(for key: String) -> String { base64(SHA1.digest(of: Array((key + identifier).utf8))) }

    /// Base64 with padding (RFC 4648 §4).
    static func base64(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for position in 0..<4 {
                output.append(
                    position <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * position) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Whether a key is the base64 text of 16 bytes, as RFC 6455 §4.2.1 demands.
    static func isKey(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        return bytes.count == 24 && bytes.suffix(2) == [UInt8(ascii: "="), UInt8(ascii: "=")]
            && bytes.dropLast(2).allSatisfy(alphabet.contains)
    }

    /// Whether a request is a proper opening handshake without a body (RFC 6455 §4.2.1).
    static func isProper(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.version == .http1_1 && has("websocket", in: "upgrade", of: head.headers)
            && has("upgrade", in: "connection", of: head.headers) && head.headers["sec-websocket-version"] == [version]
            && head.headers["sec-websocket-key"].count == 1 && head.headers["sec-websocket-key"].allSatisfy(isKey)
            && !hasBody(head)
    }

    /// Whether the HTTP parser stops behind this request, because it may be followed by another protocol.
    static func endsHTTP(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || (head.headers.contains(name: "upgrade") && has("upgrade", in: "connection", of: head.headers))
    }

    private static func hasBody(_ head: HTTPRequestHead) -> Bool {
        head.headers.contains(name: "transfer-encoding") || head.headers["content-length"].contains { $0 != "0" }
    }

    /// Whether a comma-separated field has an element, regardless of case.
    static func has(_ token: String, in name: String, of headers: HTTPHeaders) -> Bool {
        headers[canonicalForm: name].contains { $0.lowercased() == token }
    }

    /// The head of the answer that accepts a proper handshake.
    static func answer(to head: HTTPRequestHead, subprotocol: String?) -> HTTPResponseHead {
        var headers = HTTPHeaders([("Upgrade", "websocket"), ("Connection", "Upgrade")])
        headers.add(name: "Sec-WebSocket-Accept", value: accept(for: head.headers.first(name: "sec-websocket-key") ?? ""))
        if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
        return HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
    }

    /// What is wrong with a server's answer of status 101 (RFC 6455 §4.1), or `nil`.
    static func problem(in head: HTTPResponseHead, key: String, subprotocols: [String]) -> String? {
        guard has("websocket", in: "upgrade", of: head.headers), has("upgrade", in: "connection", of: head.headers) else {
            return "the server's answer lacks Upgrade: websocket"
        }
        guard head.headers["sec-websocket-accept"] == [accept(for: key)] else {
            return "the server's answer has the wrong Sec-WebSocket-Accept"
        }
        guard !head.headers.contains(name: "sec-websocket-extensions") else {
            return "the server's answer has an extension that was not asked for"
        }
        guard head.headers["sec-websocket-protocol"].allSatisfy(subprotocols.contains) else {
            return "the server's answer has a subprotocol that was not asked for"
        }
        return nil
    }
}

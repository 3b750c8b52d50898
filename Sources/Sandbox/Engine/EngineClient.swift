import FoundationEssentials

/// Speaks the Docker Engine API over a local socket. Every call blocks, for as long as its time allows.
///
/// A connection carries one request: engines are local, and nothing of one request can be taken for another's.
struct EngineClient: Sendable {
    let socketPath: String
    let requestTimeout: Duration

    /// Most of an answer that is kept. Chosen: a list of thousands of containers has some MiB.
    static let bodyBytesMax = 8 << 20
    /// The share of an error's text that goes to the log.
    private static let messageBytesMax = 2000

    struct Request {
        var method: String
        /// Path and query, already encoded.
        var target: String
        var contentType = "application/json"
        var body: [UInt8] = []
    }

    /// What an engine answered.
    struct Answer {
        var status: Int
        var body: [UInt8]

        /// The engine's own words, for the log.
        var message: String {
            struct Message: Decodable { var message: String }
            // A body that is no such document is told as it is.
            let text = (try? JSONDecoder().decode(Message.self, from: Data(body)))?.message ?? String(decoding: body, as: UTF8.self)
            return "\(status): \(text.prefix(EngineClient.messageBytesMax))"
        }
    }

    /// Makes a request.
    ///
    /// - Throws: ``SandboxError`` `runtime` if the engine is not there, does not answer in time or answers nonsense.
    func send(_ request: Request, timeout: Duration? = nil) throws -> Answer {
        let deadline = ContinuousClock.now + (timeout ?? requestTimeout)
        let connection = try begin(request, deadline: deadline)
        let response = try connection.readResponse(bodyBytesMax: Self.bodyBytesMax, deadline: deadline)
        return Answer(status: response.status, body: response.body)
    }

    /// Makes a request and leaves the answer where it is.
    func begin(_ request: Request) throws -> EngineConnection { try begin(request, deadline: .now + requestTimeout) }

    private func begin(_ request: Request, deadline: ContinuousClock.Instant) throws -> EngineConnection {
        let connection = try EngineConnection(to: socketPath, deadline: deadline)
        let head = Self.head(request, framing: ["Content-Length: \(request.body.count)", "Connection: close"])
        // An engine that does not read all of a request has answered it, or is gone; reading tells which.
        _ = try connection.write(head + request.body, deadline: deadline)
        return connection
    }

    /// Makes a request with a body that is made piece by piece.
    ///
    /// - Parameter next: the next piece, not empty; `nil` at the end.
    func upload(_ request: Request, timeout: Duration, next: () throws -> [UInt8]?) throws -> Answer {
        let deadline = ContinuousClock.now + timeout
        let connection = try EngineConnection(to: socketPath, deadline: deadline)
        var isTaken = try connection.write(
            Self.head(request, framing: ["Transfer-Encoding: chunked", "Connection: close"]), deadline: deadline)
        // An answer before the end is a refusal.
        while isTaken, let piece = try next() {
            isTaken = try !connection.hasInput()
            let size = Array("\(String(piece.count, radix: 16))\r\n".utf8)
            if isTaken { isTaken = try connection.write(size + piece + [0x0D, 0x0A], deadline: deadline) }
        }
        if isTaken { _ = try connection.write(Array("0\r\n\r\n".utf8), deadline: deadline) }
        let response = try connection.readResponse(bodyBytesMax: Self.bodyBytesMax, deadline: deadline)
        return Answer(status: response.status, body: response.body)
    }

    /// Asks for a raw stream in place of an answer.
    ///
    /// - Returns: the connection, whose bytes are the stream's from here on.
    func upgrade(_ request: Request) throws -> EngineConnection {
        let deadline = ContinuousClock.now + requestTimeout
        let connection = try EngineConnection(to: socketPath, deadline: deadline)
        let head = Self.head(request, framing: ["Content-Length: 0", "Connection: Upgrade", "Upgrade: tcp"])
        _ = try connection.write(head, deadline: deadline)
        let response = try connection.readResponse(bodyBytesMax: Self.bodyBytesMax, deadline: deadline)
        guard response.status == 101 else {
            let answer = Answer(status: response.status, body: response.body)
            throw SandboxError(.runtime, "The container engine gave no stream.", cause: answer.message)
        }
        return connection
    }

    private static func head(_ request: Request, framing: [String]) -> [UInt8] {
        precondition(!request.target.utf8.contains { $0 <= 0x20 || $0 == 0x7F }, "a target is encoded")
        let lines = ["\(request.method) \(request.target) HTTP/1.1", "Host: localhost", "Content-Type: \(request.contentType)"] + framing
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

extension EngineClient {
    /// A value in a query. Source: RFC 3986, unreserved characters stay.
    static func encoded(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return text.utf8.reduce(into: "") { result, byte in
            if plain.contains(byte) {
                result.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
    }
}

import JSON
import NIOHTTP1
import WebSockets

/// The API of one network as the holder of one key calls it.
struct API: Sendable {
    let peer: HTTPPeer
    let key: String?

    private var authorization: [(String, String)] { key.map { [("Authorization", "Bearer \($0)")] } ?? [] }

    /// Calls the API; a failure is an answer too.
    func call(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        try await send(method, path, body: body?.bytes)
    }

    /// Calls the API with any bytes as its body.
    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]?, contentType: String? = "application/json", headers: [(String, String)] = []
    ) async throws -> Answer {
        let type = body == nil ? [] : contentType.map { [("Content-Type", $0)] } ?? []
        return try await peer.exchange(.init(method: method, path: "/api/v1\(path)", headers: authorization + type + headers, body: body))
    }

    /// Calls the API and insists on success.
    func data(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await call(method, path, body)
        guard (200..<300).contains(answer.status) else { throw Refused(call: "\(method) \(path)", answer: answer) }
        return answer.data
    }

    /// Follows a job over SSE to the end of the stream, or until `enough` says so.
    func events(
        job: String, query: String = "", headers: [(String, String)] = [], enough: @escaping @Sendable (JSONValue) async -> Bool = { _ in false }
    ) async throws -> [StreamEvent] {
        let (peer, authorization) = (peer, authorization)
        return try await within(.seconds(60), "the end of the event stream of \(job)") {
            let parser = EventParser()
            let request = HTTPPeer.Request(path: "/api/v1/jobs/\(job)/stream\(query)", headers: authorization + headers)
            let head = try await peer.stream(request) { bytes in
                for event in try await parser.feed(bytes) where await enough(event.record) { return false }
                return true
            }
            guard head.status == .ok, head.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") == true else {
                throw Unexpected("an event stream, not \(head.status) \(head.headers)")
            }
            return await parser.events
        }
    }

    /// Opens a job's WebSocket.
    func socket(job: String, query: String = "") async throws -> WebSocketConnection {
        try await WebSocketClient.connect(
            url: "ws://\(peer.host):\(peer.port)/api/v1/jobs/\(job)/ws\(query)", headers: authorization.map { (name: $0.0, value: $0.1) },
            limits: WebSocketLimits(messageBytesMax: 40 << 20, frameBytesMax: 40 << 20))
    }

    /// Follows a job over WebSocket to its close.
    func follow(
        job: String, query: String = "", seen: @escaping @Sendable (JSONValue) async throws -> Void = { _ in }
    ) async throws -> (records: [JSONValue], closeCode: UInt16?) {
        try await within(.seconds(60), "the end of the WebSocket of \(job)") {
            let connection = try await socket(job: job, query: query)
            var records: [JSONValue] = []
            for await message in connection.incoming {
                guard case .text(let text) = message else { throw Unexpected("a text message, not a binary one") }
                let record = try JSONValue(parsing: text)
                records.append(record)
                try await seen(record)
            }
            return (records, connection.closeCode?.rawValue)
        }
    }

    /// Sends a job and returns its id.
    func submitJob(_ slug: String, input: JSONValue = [:], timeoutSeconds: Int? = nil) async throws -> String {
        var body: JSONObject = ["workload": .string(slug), "input": input]
        body["timeout_seconds"] = timeoutSeconds.map(JSONValue.int)
        return try (await data(.POST, "/jobs", .object(body)))["id"]?.string.orThrow("a job id") ?? ""
    }

    /// The job once it is over.
    func finishedJob(_ id: String) async throws -> JSONValue {
        _ = try await events(job: id)
        return try await data(.GET, "/jobs/\(id)")
    }
}

/// A call that had to succeed did not.
struct Refused: Error, CustomStringConvertible {
    let call: String
    let answer: Answer
    var description: String { "\(call) answered \(answer)" }
}

/// Something else came than the one thing that could be worked with.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ wanted: String) { description = "Wanted: \(wanted)" }
}

extension Optional {
    /// The value, or the failure to have it.
    func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw Unexpected(what) }
        return self
    }
}

/// One server-sent event of a job.
struct StreamEvent: Sendable {
    let id: String
    let record: JSONValue
}

/// Reads server-sent events. Source: WHATWG HTML §9.2.6; only the fields that a transcript has.
actor EventParser {
    private(set) var events: [StreamEvent] = []
    private var pending: [UInt8] = []

    func feed(_ bytes: [UInt8]) throws -> [StreamEvent] {
        pending += bytes
        var new: [StreamEvent] = []
        while let end = Self.blankLine(in: pending) {
            let block = String(decoding: pending[..<end], as: UTF8.self)
            pending.removeFirst(end + 2)
            var id = ""
            var data: [Substring] = []
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id:") { id = line.dropFirst(3).drop { $0 == " " }.description }
                if line.hasPrefix("data:") { data.append(line.dropFirst(5).drop { $0 == " " }) }
            }
            if !data.isEmpty { new.append(StreamEvent(id: id, record: try JSONValue(parsing: data.joined(separator: "\n")))) }
        }
        events += new
        return new
    }

    private static func blankLine(in bytes: [UInt8]) -> Int? {
        guard bytes.count >= 2 else { return nil }
        return bytes.indices.dropLast().first { bytes[$0] == 10 && bytes[$0 + 1] == 10 }
    }
}

import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import WebSockets

/// The coordinator's API as the commands use it.
struct APIClient {
    private let address: String
    private let key: String

    /// A client.
    ///
    /// - Throws: ``CommandFailure`` `usage` when the address is no `http://` or `https://` address.
    init(address: String, key: String) throws {
        guard address.hasPrefix("http://") || address.hasPrefix("https://"), URL(string: address)?.host != nil else {
            throw CommandFailure(.usage, "'\(address)' is no address; it must look like http://127.0.0.1:8080.")
        }
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
        self.key = key
    }

    /// Chosen: an answer of the API is a page of at most 100 rows; a job's output may be as long as its transcript.
    private static let answerBytesMax = 600 << 20
    private static let timeout: TimeAmount = .seconds(60)

    /// What is done with a resource.
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    /// Calls the API and returns the answer's whole body.
    ///
    /// - Throws: ``CommandFailure`` with the server's words and the exit code that stands for the status.
    func call(_ method: Method, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        var request = HTTPClientRequest(url: "\(address)/api/v1\(path)")
        request.method = .init(rawValue: method.rawValue)
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body.bytes)
        }
        let status: Int
        let answer: JSONValue
        do {
            let (code, bytes) = try await Self.send(request)
            status = code
            answer = try JSONValue(parsing: bytes.readableBytesView, limits: .init(bytesMax: Self.answerBytesMax, depthMax: 128))
        } catch is JSONError {
            throw CommandFailure(.unavailable, "\(address) does not answer like an Archipelago coordinator; check the address.")
        } catch {
            throw CommandFailure(.unavailable, "\(address) cannot be reached (\(error)); is the coordinator running?")
        }
        guard (200..<300).contains(status) else { throw Self.failure(status, answer) }
        return answer
    }

    /// Sends a request over a connection of its own; a command makes a handful of them.
    private static func send(_ request: HTTPClientRequest) async throws -> (status: Int, body: ByteBuffer) {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        // Nobody there is known at once, and said at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        let result: Result<(Int, ByteBuffer), any Error>
        do {
            let response = try await client.execute(request, timeout: timeout)
            result = .success((Int(response.status.code), try await response.body.collect(upTo: answerBytesMax)))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    /// Calls the API and returns `data`.
    func data(_ method: Method, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        guard let data = try await call(method, path, body)["data"] else {
            throw CommandFailure(.unavailable, "The coordinator's answer has no data; is it a newer version?")
        }
        return data
    }

    private static func failure(_ status: Int, _ answer: JSONValue) -> CommandFailure {
        let error = answer["error"]
        var message = error?["message"]?.string ?? "The coordinator answered \(status)."
        for detail in error?["details"]?.array ?? [] {
            message += "\n  \(detail["pointer"]?.string ?? ""): \(detail["message"]?.string ?? "")"
        }
        if let code = error?["code"]?.string { message += " [\(code)]" }
        let exit: CommandExit =
            switch status {
            case 404: .notFound
            case 400..<500: .refused
            case 502, 503, 504: .unavailable
            default: .failed
            }
        return CommandFailure(exit, Terminal.printable(message))
    }

    /// Opens the live transcript of a job from a record's number on.
    func transcript(job: String, from seq: Int) async throws -> WebSocketConnection {
        let limits = WebSocketLimits(messageBytesMax: 40 << 20, frameBytesMax: 40 << 20)
        do {
            return try await WebSocketClient.connect(
                url: "\(address)/api/v1/jobs/\(job)/ws?from=\(seq)", headers: [(name: "Authorization", value: "Bearer \(key)")], limits: limits)
        } catch let error as WebSocketError {
            guard let refusal = error.refusal, let answer = try? JSONValue(parsing: refusal.body) else {
                throw CommandFailure(.unavailable, "The job's stream cannot be opened: \(error.message).")
            }
            throw Self.failure(refusal.status, answer)
        }
    }
}

extension String {
    /// The text as one part of a path.
    var asPathPart: String { addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? self }
}

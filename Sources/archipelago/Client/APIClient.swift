import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import WebSockets

/// The coordinator's API as the commands use it.
struct APIClient {
    /// The coordinator's address, without a slash at its end.
    let address: String
    private let key: String?

    /// A client.
    ///
    /// - Parameter key: an API key or a session's token; `nil` for the calls that need none.
    /// - Throws: ``CommandFailure`` `usage` when the address is no `http://` or `https://` address.
    init(address: String, key: String?) throws {
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
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// Calls the API and returns the answer's whole body.
    ///
    /// - Throws: ``CommandFailure`` with the server's words and the exit code that stands for the status.
    ///
    /// - Parameter idempotencyKey: under which the same request may be sent again.
    func call(_ method: Method, _ path: String, _ body: JSONValue? = nil, idempotencyKey: String? = nil) async throws -> JSONValue {
        var request = HTTPClientRequest(url: "\(address)/api/v1\(path)")
        request.method = .init(rawValue: method.rawValue)
        for (name, value) in authorization { request.headers.add(name: name, value: value) }
        if let idempotencyKey { request.headers.add(name: "Idempotency-Key", value: idempotencyKey) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body.bytes)
        }
        let response: HTTPExchange.Answer
        let answer: JSONValue
        do {
            response = try await HTTPExchange.send(request, timeout: Self.timeout, bytesMax: Self.answerBytesMax)
            guard !(300..<400).contains(response.status) else {
                throw CommandFailure(
                    .unavailable,
                    "\(address) answers with a redirect (\(response.status)), which is not followed; give the coordinator's own address.")
            }
            answer = try JSONValue(parsing: response.body.readableBytesView, limits: .init(bytesMax: Self.answerBytesMax, depthMax: 128))
        } catch let failure as CommandFailure {
            throw failure
        } catch is JSONError {
            throw CommandFailure(.unavailable, "\(address) does not answer like an Archipelago coordinator; check the address.")
        } catch {
            throw CommandFailure(.unavailable, "\(address) cannot be reached (\(error)); is the coordinator running?")
        }
        guard (200..<300).contains(response.status) else {
            let retryAfter = response.headers.first(name: "Retry-After").flatMap { Int($0) }.map { Duration.seconds($0) }
            throw Self.failure(response.status, answer, retryAfter: retryAfter)
        }
        return answer
    }

    private var authorization: [(name: String, value: String)] { key.map { [("Authorization", "Bearer \($0)")] } ?? [] }

    /// Calls the API and returns `data`.
    func data(_ method: Method, _ path: String, _ body: JSONValue? = nil, idempotencyKey: String? = nil) async throws -> JSONValue {
        guard let data = try await call(method, path, body, idempotencyKey: idempotencyKey)["data"] else {
            throw CommandFailure(.unavailable, "The coordinator's answer has no data; is it a newer version?")
        }
        return data
    }

    private static func failure(_ status: Int, _ answer: JSONValue, retryAfter: Duration? = nil) -> CommandFailure {
        let error = answer["error"]
        let code = error?["code"]?.string
        var message = error?["message"]?.string ?? "The coordinator answered \(status)."
        for detail in error?["details"]?.array ?? [] {
            message += "\n  \(detail["pointer"]?.string ?? ""): \(detail["message"]?.string ?? "")"
        }
        if let code { message += " [\(code)]" }
        if let retryAfter { message += "\nTry again in \(retryAfter.components.seconds) s." }
        if code == "invalid_api_key" || code == "missing_api_key" {
            message += "\nSign in with 'archipelago account sign-in', or give another key with ARCHIPELAGO_API_KEY."
        }
        let exit: CommandExit =
            switch status {
            case 404: .notFound
            // Too many requests: the same request is taken a little later.
            case 429, 502, 503, 504: .unavailable
            case 400..<500: .refused
            default: .failed
            }
        return CommandFailure(exit, Terminal.printable(message), code: code, retryAfter: retryAfter)
    }

    /// Opens the live transcript of a job from a record's number on.
    func transcript(job: String, from seq: Int) async throws -> WebSocketConnection {
        let limits = WebSocketLimits(messageBytesMax: 40 << 20, frameBytesMax: 40 << 20)
        do {
            return try await WebSocketClient.connect(
                url: "\(address)/api/v1/jobs/\(job)/ws?from=\(seq)", headers: authorization, limits: limits)
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

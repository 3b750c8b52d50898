import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import NIOHTTP1

extension Response {
    /// A JSON answer.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: value.bytes)))
    }

    /// A success: `{"data": …}`.
    static func data(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response { json(["data": value], status: status) }

    /// A list: `{"data": […], "meta": {"total", "limit", "offset"}}`.
    ///
    /// - Parameter more: further members of `meta`.
    static func list<Element>(
        _ listing: Listing<Element>, more: JSONObject = JSONObject(), _ render: (Element) throws -> JSONValue
    ) rethrows -> Response {
        var meta: JSONObject = [
            "total": .int(listing.total), "limit": .int(listing.page.limit), "offset": .int(listing.page.offset),
        ]
        for member in more.members { meta[member.name] = member.value }
        return json(["data": .array(try listing.rows.map(render)), "meta": .object(meta)])
    }
}

extension Request {
    /// Chosen: room for a submission with two schemas of the largest size, and its texts.
    static let bodyBytesMax = 1 << 20
    /// Chosen: room for the largest job input and its envelope.
    static let jobBodyBytesMax = 5 << 20
    /// Chosen: a batch of large inputs is sent as single jobs.
    static let batchBodyBytesMax = 16 << 20
    /// Chosen: a body of small values costs far more time for each byte than one of texts; a vector of a million numbers
    /// is more than a job needs.
    private static let bodyValuesMax = 1_000_000

    /// The body as a JSON object.
    ///
    /// - Throws: `unsupported_media_type` when the header says another type; `too_large`; `malformed_json` with the place.
    func object(bytesMax: Int = Self.bodyBytesMax) async throws -> JSONObject {
        let type = headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        guard type == "application/json" else {
            throw ServiceError(
                .unsupportedMediaType, code: "unsupported_media_type",
                "The body must be JSON; send the header 'Content-Type: application/json'.")
        }
        let tooLarge = ServiceError(.tooLarge, code: "too_large", "The body must be at most \(bytesMax) bytes.")
        // Who says beforehand that it is too much need not send it.
        if let length = headers[.contentLength], Int(length) ?? .max > bytesMax { throw tooLarge }
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: bytesMax)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch let error as HTTPParserError {
            throw ServiceError(.malformed, code: "bad_request", "The body is not HTTP: \(error.debugDescription).")
        }
        let value: JSONValue
        do {
            value = try JSONValue(
                parsing: buffer.readableBytesView, limits: .init(bytesMax: bytesMax, valuesMax: Self.bodyValuesMax))
        } catch  where error.code == .tooLarge {
            throw ServiceError(.tooLarge, code: "too_large", "The body has \(error).")
        } catch {
            throw ServiceError(.malformed, code: "malformed_json", "The body is not JSON: \(error).")
        }
        guard case .object(let object) = value else {
            throw ServiceError(.malformed, code: "malformed_json", "The body must be a JSON object, not \(value.kind).")
        }
        return object
    }

    /// The key under which a request may be sent again; `nil` when the header is missing.
    func idempotencyKey(for body: JSONObject) throws -> IdempotencyKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), let key = headers[name] else { return nil }
        return try IdempotencyKey(key, request: body)
    }

    /// The wanted part of a list, from `limit` and `offset`.
    func page() throws -> Page {
        let limit = try number("limit", in: 1...Page.limitMax) ?? Page.limitDefault
        return Page(limit: limit, offset: try number("offset", in: 0...Page.offsetMax) ?? 0)
    }

    /// A query parameter as a number in a range; `nil` when it is missing.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = try query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw ServiceError.invalid([Problem("/\(name)", "must be a whole number from \(range.lowerBound) to \(range.upperBound)")])
        }
        return number
    }

    /// A query parameter as `true` or `false`; `nil` when it is missing.
    func flag(_ name: String) throws -> Bool? {
        switch try query(name) {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw ServiceError.invalid([Problem("/\(name)", "must be true or false")])
        }
    }

    /// A query parameter as a text; `nil` when it is missing.
    func query(_ name: String) throws -> String? {
        guard let text = uri.queryParameters[Substring(name)].map(String.init) else { return nil }
        guard !text.unicodeScalars.contains("\0") else { throw ServiceError.invalid([Problem("/\(name)", "must not contain U+0000")]) }
        return text
    }

    /// A query parameter as one of a closed set of words.
    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws -> Choice? where Choice.RawValue == String {
        guard let text = try query(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError.invalid([Problem("/\(name)", "must be one of \(words)")])
        }
        return choice
    }
}

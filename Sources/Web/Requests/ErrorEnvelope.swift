import Coordinator
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Logging

/// Turns every error into the one envelope: `{"error": {"code", "message", "details"}}`; on the log's routes into Rekor's.
struct ErrorEnvelope: Sendable {
    let logger: Logger

    func response(to error: any Error, _ request: Request, _ context: APIContext) -> Response {
        let error = translated(error, request, context)
        var response = request.isForLog ? Response.rekor(error, status: Self.status(of: error.kind), to: request) : Self.response(to: error)
        if error.kind == .methodNotAllowed { response.headers[.allow] = Self.methods(of: request).joined(separator: ", ") }
        return response
    }

    /// The methods that an address takes; empty for an address that is not there.
    private static func methods(of request: Request) -> [String] {
        Operation.all.filter { $0.fits(path: request.uri.path) }.map(\.method.rawValue)
    }

    private func translated(_ error: any Error, _ request: Request, _ context: APIContext) -> ServiceError {
        switch error {
        case let error as ServiceError where error.kind != .internal: return error
        case let error as any HTTPResponseError where error.status.code < 500: return Self.routing(error.status, request)
        default:
            logger.error(
                "request failed unexpectedly",
                metadata: ["request.id": "\(context.id)", "request.path": "\(request.uri.path)", "error": "\(error)"])
            if let outage = ServiceError(outage: error) { return outage }
            return ServiceError(.internal, code: "internal", "Something went wrong here; quote request \(context.id) to the operator.")
        }
    }

    private static func routing(_ status: HTTPResponse.Status, _ request: Request) -> ServiceError {
        switch status {
        case .contentTooLarge: ServiceError(.tooLarge, code: "too_large", "The body is too large.")
        case .notFound where !methods(of: request).isEmpty:
            ServiceError(
                .methodNotAllowed, code: "method_not_allowed",
                "\(request.uri.path) does not take \(request.method.rawValue), but \(methods(of: request).joined(separator: ", ")).")
        case .notFound: .notFound("such address: \(request.method.rawValue) \(request.uri.path)")
        default: ServiceError(.malformed, code: "bad_request", "The request cannot be read (\(status.reasonPhrase)).")
        }
    }

    static func response(to error: ServiceError) -> Response {
        var body: JSONObject = [
            "code": .string(error.code), "message": .string(error.message),
            "details": .array(error.details.map { ["pointer": .string($0.pointer), "message": .string($0.message)] }),
        ]
        for member in error.context.members { body[member.name] = member.value }
        var response = Response.json(["error": .object(body)], status: status(of: error.kind))
        if error.kind == .unauthenticated { response.headers[.wwwAuthenticate] = "Bearer" }
        if error.kind == .unavailable { response.headers[.retryAfter] = "5" }
        return response
    }

    /// The one table from kind to status.
    private static func status(of kind: ServiceError.Kind) -> HTTPResponse.Status {
        switch kind {
        case .malformed: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .gone: .gone
        case .methodNotAllowed: .methodNotAllowed
        case .paymentRequired: .init(code: 402, reasonPhrase: "Payment Required")
        case .tooManyRequests: .tooManyRequests
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .invalid: .unprocessableContent
        case .unavailable: .serviceUnavailable
        case .internal: .internalServerError
        }
    }
}

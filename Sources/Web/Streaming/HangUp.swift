import Coordinator
import HTTPTypes
import Hummingbird

extension Request {
    /// Answers a request whose work is wanted only as long as the client waits: `operation` is cancelled when the client hangs up.
    ///
    /// - Parameter operation: has the request with a body that can be read.
    func answerWhileWaitedFor(_ operation: (Request) async throws -> Response) async throws -> Response {
        var response = try await body.consumeWithCancellationOnInboundClose { body in
            var request = self
            request.body = body
            do {
                return try await operation(request)
            } catch let error as ServiceError where error.kind != .internal {
                return ErrorEnvelope.response(to: error)
            }
        }
        response.headers[.connection] = Self.closes
        return response
    }

    /// Who watches a connection for a hang-up uses it up: the server closes it behind the answer. A client that is not told
    /// sends its next request into it, now and then, and gets no answer.
    static let closes = "close"
}

import Coordinator
import HTTPTypes
import Hummingbird

/// Stands before every route: finds out who asks, counts the request against its limit, and turns every error into the one envelope.
struct Gatekeeper: RouterMiddleware {
    let accounts: Accounts
    let limits: RequestLimits
    let envelope: ErrorEnvelope

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        var context = context
        let asker: Result<Principal?, any Error>
        do { asker = .success(try await principal(of: request)) } catch { asker = .failure(error) }
        // A wrong key counts against its address, so that guessing keys is limited too.
        let name = (try? asker.get())?.countedAs ?? RequestLimits.name(of: context.peer)
        let decision = limits.requests?.count(name)
        var response: Response
        do {
            if let decision, !decision.isAllowed { throw limits.refusal("requests", decision) }
            context.asker = try asker.get()
            response = try await next(request, context)
        } catch let limit as LimitReached {
            response = envelope.response(to: limit.error, request, context)
            response.headers[.retryAfter] = String(limit.secondsLeft)
            response.show(limit.decision)
            return response
        } catch {
            response = envelope.response(to: error, request, context)
        }
        if let decision { response.show(decision) }
        return response
    }

    /// Who asks; a key that is sent must be right, even where none is needed.
    private func principal(of request: Request) async throws -> Principal? {
        guard let secret = try request.credential() else { return nil }
        return try await accounts.authenticate(secret: secret)
    }
}

extension Principal {
    /// The name under which its requests are counted.
    fileprivate var countedAs: String {
        switch credential {
        case .key(let id): "key/\(id)"
        case .session(let id): "session/\(id)"
        case .process: "account/\(accountID)"
        }
    }
}

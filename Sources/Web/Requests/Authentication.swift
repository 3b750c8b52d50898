import Coordinator
import HTTPTypes
import Hummingbird

/// The bearer token of an `Authorization` header.
enum Bearer {
    /// The token, or `nil` when the header is missing or of another scheme.
    static func token(_ header: String?) -> String? {
        guard let header, header.prefix(7).lowercased() == "bearer " else { return nil }
        let token = header.dropFirst(7).drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}

/// Finds out who asks; a key that is sent must be right, even where none is needed. Tokens of Islands (`it_…`) are for the
/// link alone, which checks them itself.
struct Authentication: RouterMiddleware {
    let accounts: Accounts

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        guard let key = Bearer.token(request.headers[.authorization]), !key.hasPrefix("it_") else { return try await next(request, context) }
        var context = context
        context.asker = try await accounts.authenticate(key: key)
        return try await next(request, context)
    }
}

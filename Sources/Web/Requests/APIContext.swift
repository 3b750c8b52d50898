import Coordinator
import Hummingbird
import NIOCore

/// What one request carries through middleware and handlers.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks, once authenticated.
    var asker: Principal?

    /// Where the request comes from.
    let peer: SocketAddress?

    init(source: Source) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
    }

    /// Who asks.
    var principal: Principal {
        get throws {
            guard let asker else {
                throw ServiceError(
                    .unauthenticated, code: "missing_api_key", "Send an API key in the header 'Authorization: Bearer ak_…', or sign in.")
            }
            return asker
        }
    }

    /// A path parameter as text.
    func text(_ name: String) throws -> String {
        guard let value = parameters.get(name) else { throw ServiceError.notFound("such address") }
        return value
    }

    /// A path parameter as a number; another text names nothing.
    func number(_ name: String, of what: String) throws -> Int {
        guard let number = Int(try text(name)) else { throw ServiceError.notFound("\(what) '\(try text(name).prefix(64))'") }
        return number
    }
}

public import Coordinator
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// How many requests an asker may send, and how many sign-ins an address may try.
public struct RequestLimits: Sendable {
    let requests: RequestLimiter?
    let signIns: RequestLimiter?
    private let now: @Sendable () -> Int

    /// Limits. Source of the usual numbers, 100 and 5: DESIGN §5.1.
    ///
    /// - Parameters:
    ///   - requestsPerMinute: for each key or session, and for each address without one; `nil` for no limit.
    ///   - signInsPerMinute: for each address; `nil` for no limit.
    public init(requestsPerMinute: Int?, signInsPerMinute: Int?, now: @escaping @Sendable () -> Timestamp) {
        let milliseconds = { @Sendable in now().milliseconds }
        self.now = milliseconds
        requests = requestsPerMinute.map { RequestLimiter(limit: $0, now: milliseconds) }
        signIns = signInsPerMinute.map { RequestLimiter(limit: $0, now: milliseconds) }
    }

    /// The name under which an address is counted: the address, of IPv6 its first 64 bits, because a household has that many.
    static func name(of address: SocketAddress?) -> String {
        guard let text = address?.ipAddress else { return "address/local" }
        var bytes = [UInt8](repeating: 0, count: 16)
        // Safety: an IPv6 address has the 16 bytes that `bytes` has room for; `text` lives for the call.
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return "address/" + text }
        return "address6/" + bytes.prefix(8).map { String($0) }.joined(separator: ".")
    }

    /// The refusal of a request beyond a limit.
    func refusal(_ what: String, _ decision: RequestLimiter.Decision) -> LimitReached {
        LimitReached(
            error: ServiceError(
                .tooManyRequests, code: "rate_limited", "At most \(decision.limit) \(what) a minute; wait for the time in Retry-After."),
            decision: decision, secondsLeft: max(1, (decision.endsAt - now() + 999) / 1000))
    }
}

/// A request beyond a limit: its refusal, and when the next one will be taken.
struct LimitReached: Error {
    let error: ServiceError
    let decision: RequestLimiter.Decision
    let secondsLeft: Int
}

extension Response {
    /// Tells the asker how much is left.
    mutating func show(_ decision: RequestLimiter.Decision) {
        headers[.rateLimitLimit] = String(decision.limit)
        headers[.rateLimitRemaining] = String(decision.remaining)
        headers[.rateLimitReset] = String((decision.endsAt + 999) / 1000)
    }
}

extension HTTPField.Name {
    static let rateLimitLimit = HTTPField.Name("X-RateLimit-Limit") ?? .retryAfter
    static let rateLimitRemaining = HTTPField.Name("X-RateLimit-Remaining") ?? .retryAfter
    static let rateLimitReset = HTTPField.Name("X-RateLimit-Reset") ?? .retryAfter
}

import Coordinator
import Foundation
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

/// The cookie that holds a browser's session.
enum SessionCookie {
    static let name = "archipelago_session"

    /// The session's token, or `nil` when there is no such cookie.
    static func token(_ header: String?) -> String? {
        for pair in (header ?? "").split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0].drop(while: { $0 == " " }) == name { return String(parts[1]) }
        }
        return nil
    }

    /// The header that keeps a session in a browser, out of reach of scripts and of other sites' requests.
    ///
    /// - Parameter host: the host that was asked; only to this machine itself may the cookie travel without TLS.
    static func header(token: String, seconds: Int, host: String?) -> String {
        "\(name)=\(token); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict" + (isLocal(host ?? "") ? "" : "; Secure")
    }

    /// Whether a host, with or without a port, is this machine itself.
    static func isLocal(_ host: String) -> Bool {
        let name = host.split(separator: ":").first.map(String.init) ?? ""
        return ["localhost", "127.0.0.1", "[::1]"].contains(name) || host.hasPrefix("[::1]")
    }
}

extension Request {
    /// What the request shows to say who asks; tokens of Islands (`it_…`) are for the link alone, which checks them itself.
    ///
    /// - Throws: `forbidden` (`cross_site`) for a change that comes with a cookie and not from a page of this server.
    func credential() throws -> String? {
        if let token = Bearer.token(headers[.authorization]) { return token.hasPrefix("it_") ? nil : token }
        guard let token = SessionCookie.token(headers[.cookie]) else { return nil }
        guard method == .get || method == .head || isFromOwnPage else {
            throw ServiceError(
                .forbidden, code: "cross_site", "A change by cookie must come from a page of this server; programs use 'Authorization: Bearer …'.")
        }
        return token
    }

    /// Browsers say in `Origin` from whose page a request comes.
    private var isFromOwnPage: Bool {
        guard let origin = headers[.origin], let authority = head.authority, let separator = origin.range(of: "://") else { return false }
        return origin[separator.upperBound...].lowercased() == authority.lowercased()
    }
}

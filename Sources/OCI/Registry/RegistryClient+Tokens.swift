import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension RegistryClient {
    private struct TokenAnswer: Decodable {
        var token: String?
        var accessToken: String?
        var expiresIn: Int?

        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case expiresIn = "expires_in"
        }
    }

    /// Largest answer of a token service, in bytes. Chosen: real tokens have 1 to 4 KiB.
    private static let tokenAnswerBytesMax = 256 << 10
    /// Validity of a token that names none, in seconds. Source: distribution, "Token Authentication Specification".
    private static let tokenSecondsDefault = 60

    /// Gets the Authorization header that a challenge asks for.
    ///
    /// - Throws: `unauthorized` without a challenge or credentials that fit; errors of the token service.
    func authorization(for request: RegistryRequest, challenge: Challenge?, key: TokenStore.Key) async throws -> String {
        let credentials = configuration.credentials[request.reference.registry]
        switch challenge {
        case .basic:
            guard let credentials else { throw unauthorized(request.reference) }
            let header = Self.basicHeader(credentials)
            tokens.keep(header, for: key, until: timing.uptime() + .seconds(3600))
            return header
        case .bearer(let realm, let service):
            let answer = try await fetchToken(request, realm: realm, service: service, credentials: credentials)
            guard let token = answer.token ?? answer.accessToken, !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw OCIError(.protocolViolation, "The token service of \(request.reference.registry) sent no usable token.")
            }
            let seconds = min(max(answer.expiresIn ?? Self.tokenSecondsDefault, 0), 3600)
            // A little less than promised, so that a token does not end on its way.
            tokens.keep("Bearer \(token)", for: key, until: timing.uptime() + .seconds(max(0, seconds - 10)))
            return "Bearer \(token)"
        case nil:
            throw unauthorized(request.reference)
        }
    }

    private func fetchToken(
        _ request: RegistryRequest, realm: String, service: String?, credentials: RegistryCredentials?
    ) async throws -> TokenAnswer {
        let registry = request.reference.registry
        let url = try request.policy.url(for: realm, from: request.url)
        guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: true) else {
            throw OCIError(.protocolViolation, "The registry \(registry) named a token service that is no web address.")
        }
        let scope = "repository:\(request.reference.repository):\(request.access.rawValue)"
        parts.queryItems =
            (parts.queryItems ?? []) + (service.map { [URLQueryItem(name: "service", value: $0)] } ?? [])
            + [URLQueryItem(name: "scope", value: scope)]
        guard let full = parts.url else {
            throw OCIError(.protocolViolation, "The registry \(registry) named a token service that is no web address.")
        }
        var outgoing = HTTPClientRequest(url: full.absoluteString)
        if let credentials { outgoing.headers.add(name: "Authorization", value: Self.basicHeader(credentials)) }
        let deadline = timing.uptime() + configuration.requestTimeout
        let response: HTTPClientResponse
        do {
            response = try await http.execute(outgoing, timeout: TimeAmount(configuration.requestTimeout))
        } catch {
            throw TransportFailure.error(error, host: full.host() ?? registry)
        }
        let answer = RegistryResponse(
            status: Int(response.status.code), headers: response.headers, body: response.body, url: full, deadline: deadline, timing: timing)
        guard answer.status == 200 else {
            if [400, 401, 404].contains(answer.status) { throw unauthorized(request.reference) }
            throw await failure(answer, "The token for \(request.reference.name)", request)
        }
        let bytes = try await answer.collect(max: Self.tokenAnswerBytesMax, place: "The token answer of \(registry)")
        return try JSONDocument.decode(TokenAnswer.self, from: bytes, place: "token answer of \(registry)")
    }

    private static func basicHeader(_ credentials: RegistryCredentials) -> String {
        "Basic " + Data("\(credentials.username):\(credentials.password)".utf8).base64EncodedString()
    }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One request to a registry, before authentication, redirects and retries.
struct RegistryRequest: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case file(FileRange, BlockingQueue)
    }

    let method: HTTPMethod
    let url: URL
    let policy: EndpointPolicy
    let reference: ImageReference
    let access: RegistryAccess
    var headers: [(String, String)]
    var body: Body = .none
    /// Whether it may be sent again after a broken connection or a server error.
    var isRepeatable = true
    /// Time for the answer's head, and for small bodies.
    var timeout: Duration
}

/// The head of an answer, and its body still to be read.
struct RegistryResponse: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body
    /// The URL that answered, after redirects.
    let url: URL
    let deadline: Duration
    let timing: RegistryTiming

    /// Reads a small body.
    ///
    /// - Throws: `limit_exceeded` above `max` bytes; `registry_unavailable` when it breaks off or takes too long; `CancellationError`.
    func collect(max: Int, place: String) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                bytes.append(contentsOf: piece.readableBytesView)
                guard bytes.count <= max else { throw OCIError(.limitExceeded, "\(place) has more than \(max) bytes.") }
                guard timing.uptime() < deadline else { throw OCIError(.registryUnavailable, "\(place) arrived too slowly.") }
            }
        } catch {
            throw TransportFailure.error(error, host: url.host() ?? "the registry")
        }
        return bytes
    }
}

/// Tells errors of connections apart from our own.
enum TransportFailure {
    /// Our own errors and cancellation stay; the rest is `registry_unavailable`.
    static func error(_ error: any Error, host: String) -> any Error {
        if error is OCIError || error is CancellationError { return error }
        if Task.isCancelled { return CancellationError() }
        return OCIError(
            .registryUnavailable,
            "The registry \(OCIError.printable(host)) cannot be reached or broke off; check that it runs and the network is up.",
            cause: OCIError.printable(String(reflecting: error), lengthMax: 300))
    }
}

extension RegistryClient {
    /// Makes a request for a path of a repository.
    func request(
        _ method: HTTPMethod, _ reference: ImageReference, path: String, access: RegistryAccess, headers: [(String, String)] = []
    ) throws(OCIError) -> RegistryRequest {
        let policy = try EndpointPolicy(reference, configuration: configuration)
        guard let url = URL(string: "\(reference.repository)/\(path)", relativeTo: policy.base)?.absoluteURL else {
            throw OCIError(.invalidReference, "\(reference) makes no web address.")
        }
        return RegistryRequest(
            method: method, url: url, policy: policy, reference: reference, access: access, headers: headers,
            timeout: configuration.requestTimeout)
    }

    /// Sends with authentication, redirects and retries.
    ///
    /// - Throws: `registry_unavailable` when no try got an answer; `unauthorized`, `protocol_violation`; `CancellationError`.
    /// - Returns: the last answer, whatever its status but 401.
    func send(_ request: RegistryRequest) async throws -> RegistryResponse {
        var attempt = 1
        while true {
            let isLast = attempt >= configuration.attemptsMax || !request.isRepeatable
            var asked: Duration?
            do {
                let response = try await sendAuthorized(request)
                guard Self.isWorthRepeating(response.status), !isLast else { return response }
                asked = response.headers.first(name: "Retry-After").flatMap { Int($0) }.map { .seconds(min(max($0, 0), 3600)) }
            } catch let error as OCIError where error.code == .registryUnavailable && !isLast {
                asked = nil
            }
            try await waitBeforeRetry(attempt: attempt, asked: asked)
            attempt += 1
        }
    }

    /// Waits before the next try: `min(retryDelayMax, max(asked, retryDelay · 2^(attempt−1) · (0.5 + jitter)))`.
    func waitBeforeRetry(attempt: Int, asked: Duration? = nil) async throws {
        let doubled = configuration.retryDelay * (1 << min(attempt - 1, 16))
        let wait = max(asked ?? .zero, doubled * (0.5 + timing.jitter()))
        try await timing.sleep(min(configuration.retryDelayMax, wait))
    }

    private static func isWorthRepeating(_ status: Int) -> Bool { status == 429 || status == 408 || (500...599).contains(status) }

    private func sendAuthorized(_ request: RegistryRequest) async throws -> RegistryResponse {
        let key = TokenStore.Key(origin: request.policy.origin, repository: request.reference.repository, access: request.access)
        let known = tokens.header(for: key, uptime: timing.uptime())
        let first = try await sendFollowing(request, authorization: known)
        guard first.status == 401 else { return first }
        if known != nil { tokens.forget(key) }
        guard Origin(first.url) == request.policy.origin else {
            throw OCIError(.unauthorized, "The place that the registry \(request.reference.registry) led to wants credentials; none are sent there.")
        }
        let header = try await authorization(for: request, challenge: Challenge.parse(first.headers["WWW-Authenticate"]), key: key)
        let second = try await sendFollowing(request, authorization: header)
        guard second.status != 401 else {
            tokens.forget(key)
            throw unauthorized(request.reference)
        }
        return second
    }

    /// Sends and follows redirects of GET and HEAD by hand; the Authorization header stays at the registry's own origin, and once it was
    /// dropped it does not come back.
    private func sendFollowing(_ request: RegistryRequest, authorization: String?) async throws -> RegistryResponse {
        var url = request.url
        var authorization = authorization
        for _ in 0...configuration.redirectsMax {
            if Origin(url) != request.policy.origin { authorization = nil }
            let response = try await sendOnce(request, url: url, authorization: authorization)
            guard [301, 302, 303, 307, 308].contains(response.status) else { return response }
            guard request.method == .GET || request.method == .HEAD, let location = response.headers.first(name: "Location") else {
                throw OCIError(.protocolViolation, "The registry \(request.reference.registry) redirected where it must not.")
            }
            url = try request.policy.url(for: location, from: url)
        }
        throw OCIError(
            .protocolViolation, "The registry \(request.reference.registry) redirected more than \(configuration.redirectsMax) times.")
    }

    private func sendOnce(_ request: RegistryRequest, url: URL, authorization: String?) async throws -> RegistryResponse {
        var outgoing = HTTPClientRequest(url: url.absoluteString)
        outgoing.method = request.method
        outgoing.headers.add(name: "User-Agent", value: "archipelago-oci")
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if let authorization { outgoing.headers.add(name: "Authorization", value: authorization) }
        switch request.body {
        case .none: break
        case .bytes(let bytes): outgoing.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let range, let queue): outgoing.body = .stream(FileChunks(range: range, queue: queue), length: .known(range.size))
        }
        let deadline = timing.uptime() + request.timeout
        do {
            let response = try await http.execute(outgoing, timeout: TimeAmount(request.timeout))
            return RegistryResponse(
                status: Int(response.status.code), headers: response.headers, body: response.body, url: url, deadline: deadline,
                timing: timing)
        } catch {
            throw TransportFailure.error(error, host: request.reference.registry)
        }
    }

    /// The error for an answer that was not hoped for. Reads at most a little of its body, for the log.
    func failure(_ response: RegistryResponse, _ what: String, _ request: RegistryRequest) async -> OCIError {
        // The body only serves the log; that it cannot be read changes nothing.
        let body = (try? await response.collect(max: 16 << 10, place: "An answer")) ?? []
        let cause =
            "\(request.method.rawValue) \(response.status): "
            + OCIError.printable(String(decoding: body.prefix(400), as: UTF8.self), lengthMax: 400)
        let registry = request.reference.registry
        switch response.status {
        case 401: return unauthorized(request.reference)
        case 403:
            return OCIError(.forbidden, "The registry \(registry) refuses access to \(request.reference.name) with these credentials.", cause: cause)
        case 404:
            return OCIError(.notFound, "\(what) was not found; check its name, tag or digest, and that it was pushed.", cause: cause)
        case 429:
            return OCIError(
                .rateLimited, "The registry \(registry) wants fewer requests; wait some minutes, or log in for a higher limit.", cause: cause)
        case 500...599, 408:
            return OCIError(
                .registryUnavailable, "The registry \(registry) has a problem of its own (\(response.status)); try again later.", cause: cause)
        default:
            return OCIError(.protocolViolation, "\(what): the registry \(registry) answered unexpectedly (\(response.status)).", cause: cause)
        }
    }

    func unauthorized(_ reference: ImageReference) -> OCIError {
        let has = configuration.credentials[reference.registry] != nil
        return OCIError(
            .unauthorized,
            has
                ? "The registry \(reference.registry) does not accept the credentials for \(reference.name); check name and password."
                : "The registry \(reference.registry) wants credentials for \(reference.name), or it does not exist; add credentials for \(reference.registry)."
        )
    }
}

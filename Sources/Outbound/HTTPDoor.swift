import AsyncHTTPClient
import Dispatch
import Foundation
import NIOCore
import NIOHTTP1

/// The way out over HTTP.
///
/// Each call resolves the name itself, takes the first address that the policy allows, and connects to exactly that one, so
/// that a name cannot show one address to the check and another to the connection (DNS rebinding).
public struct HTTPDoor: OutboundDoor {
    public let policy: AddressPolicy
    private let timeout: Duration
    private static let resolver = DispatchQueue(label: "archipelago.outbound.resolver", attributes: .concurrent)

    /// A door with a policy.
    ///
    /// - Parameter timeout: for a whole call. Chosen: 10 s is patient with a slow receiver, and short for a queue behind it.
    public init(policy: AddressPolicy, timeout: Duration = .seconds(10)) {
        self.policy = policy
        self.timeout = timeout
    }

    public func post(_ url: OutboundURL, headers: [(name: String, value: String)], body: [UInt8]) async throws(OutboundError) -> Int {
        var request = HTTPClientRequest(url: url.description)
        request.method = .POST
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await call(request, url, bytesMax: 0).status
    }

    public func get(_ url: OutboundURL, bytesMax: Int) async throws(OutboundError) -> (status: Int, body: [UInt8]) {
        try await call(HTTPClientRequest(url: url.description), url, bytesMax: bytesMax)
    }

    /// - Parameter bytesMax: 0 for an answer whose body nobody wants.
    private func call(_ request: HTTPClientRequest, _ url: OutboundURL, bytesMax: Int) async throws(OutboundError) -> (status: Int, body: [UInt8]) {
        let address = try await allowedAddress(of: url)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [url.host: address]
        configuration.httpVersion = .http1Only
        // Who does not answer is tried again by whoever asks, later.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        let result: Result<(status: Int, body: [UInt8]), OutboundError>
        do {
            let response = try await client.execute(request, timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
            let status = Int(response.status.code)
            result = .success((status, bytesMax == 0 ? [] : try await Self.collect(response.body, bytesMax: bytesMax)))
        } catch let error as OutboundError {
            result = .failure(error)
        } catch {
            result = .failure(.noAnswer("\(url.host) did not answer (\(Self.words(error)))"))
        }
        // A client that cannot be shut down has already failed the call above.
        try? await client.shutdown()
        return try result.get()
    }

    private static func collect(_ body: HTTPClientResponse.Body, bytesMax: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in body {
            bytes += part.readableBytesView
            guard bytes.count <= bytesMax else { throw OutboundError.tooLong(bytesMax: bytesMax) }
        }
        return bytes
    }

    private static func words(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription }
        return "no connection"
    }

    /// The first of the host's addresses that the policy allows, as text.
    private func allowedAddress(of url: OutboundURL) async throws(OutboundError) -> String {
        let host = url.host
        let addresses: [ResolvedAddress] = await withCheckedContinuation { continuation in
            Self.resolver.async { continuation.resume(returning: ResolvedAddress.all(of: host)) }
        }
        guard !addresses.isEmpty else { throw .noAnswer("\(host) has no address") }
        guard let allowed = addresses.first(where: { policy.allows($0.bytes) }) else {
            throw .unusableAddress("\(host) leads to an address that is not on the public Internet")
        }
        return allowed.text
    }
}

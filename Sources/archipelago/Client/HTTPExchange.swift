import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One request and its answer, over a connection of its own; a command makes a handful of them.
enum HTTPExchange {
    /// An answer as it came.
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: ByteBuffer
    }

    /// Sends a request; redirects are not followed.
    ///
    /// - Parameters:
    ///   - timeout: for all of it.
    ///   - bytesMax: of the answer's body; a longer one is an error.
    static func send(_ request: HTTPClientRequest, timeout: TimeAmount, bytesMax: Int) async throws -> Answer {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        // Nobody there is known at once, and said at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        // A body may hold a secret: it goes to the address that was given and to no other.
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        let result: Result<Answer, any Error>
        do {
            let response = try await client.execute(request, timeout: timeout)
            let body = try await response.body.collect(upTo: bytesMax)
            result = .success(Answer(status: Int(response.status.code), headers: response.headers, body: body))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }
}

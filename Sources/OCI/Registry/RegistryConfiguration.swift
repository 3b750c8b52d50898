/// Name and password for one registry. Prints as `***`.
public struct RegistryCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let username: String
    let password: String

    /// Makes credentials.
    ///
    /// - Parameters:
    ///   - username: the name; for access tokens whatever the registry wants there.
    ///   - password: the password or access token.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// `***`.
    public var description: String { "***" }
    /// `***`.
    public var debugDescription: String { "***" }
    /// Empty, so that dumps show nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How a `RegistryClient` behaves.
public struct RegistryConfiguration: Sendable {
    /// Credentials by registry as written in references (`ghcr.io`, `127.0.0.1:5000`); a registry that is not named is asked anonymously.
    public var credentials: [String: RegistryCredentials] = [:]
    /// Registries (host and port as in references) that are spoken to without TLS, besides loopback.
    public var plainHTTPRegistries: Set<String> = []
    /// Whether loopback registries (`localhost`, `127.0.0.0/8`, `[::1]`) are spoken to without TLS.
    public var loopbackUsesPlainHTTP = true
    /// Longest time to connect. Chosen: 10 s.
    public var connectTimeout: Duration = .seconds(10)
    /// Longest silence of a registry in the middle of an answer. Chosen: 30 s.
    public var idleTimeout: Duration = .seconds(30)
    /// Longest time for a request without a large body. Chosen: 60 s.
    public var requestTimeout: Duration = .seconds(60)
    /// Slowest transfer of a blob that is waited for, in bytes per second, on top of `requestTimeout`. Chosen: 32 KiB/s.
    public var transferBytesPerSecondMin: Int64 = 32 << 10
    /// Tries for each request that may be repeated, and for each blob, a count of at least 1. Chosen: 4.
    public var attemptsMax: Int = 4
    /// Wait before the second try; doubles with each try, times a jitter in `0.5..<1.5`. Chosen: 250 ms.
    public var retryDelay: Duration = .milliseconds(250)
    /// Longest wait between two tries, also when the registry asks for a longer one. Chosen: 20 s.
    public var retryDelayMax: Duration = .seconds(20)
    /// Redirects followed for one request, a count. Chosen: 5.
    public var redirectsMax: Int = 5
    /// Largest piece of a blob sent in one request, in bytes; larger blobs are sent in several. Chosen: 64 MiB.
    public var uploadChunkBytes: Int64 = 64 << 20
    /// Blobs of one image moved at once, a count of at least 1. Chosen: 3.
    public var transfersMax: Int = 3

    /// The configuration above: anonymous, TLS everywhere but on loopback.
    public init() {}
}

/// Time and chance, as a `RegistryClient` needs them.
public struct RegistryTiming: Sendable {
    /// Time since any fixed moment, never going back.
    public var uptime: @Sendable () -> Duration
    /// Waits; throws `CancellationError` when the task is cancelled.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// A random number in `0..<1`.
    public var jitter: @Sendable () -> Double

    /// Makes a timing.
    ///
    /// - Parameters:
    ///   - uptime: time since any fixed moment.
    ///   - sleep: waits.
    ///   - jitter: a random number in `0..<1`.
    public init(
        uptime: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void,
        jitter: @escaping @Sendable () -> Double
    ) {
        self.uptime = uptime
        self.sleep = sleep
        self.jitter = jitter
    }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Speaks to OCI registries: resolves, fetches and pushes manifests and blobs. Source: OCI distribution specification 1.1.
///
/// Everything a registry says is checked: digests and sizes of what it sends, where it redirects to (never from https to http, never to this
/// machine from another), and credentials go to the registry's own origin and its token service only. Safe for concurrent use.
/// Reads no environment and no configuration files.
public final class RegistryClient: Sendable {
    let http: HTTPClient
    let configuration: RegistryConfiguration
    let timing: RegistryTiming
    let tokens = TokenStore()

    /// Makes a client. `shutdown` must be called before the last reference goes.
    ///
    /// - Parameters:
    ///   - configuration: credentials, time limits, retries.
    ///   - timing: clock, waiting and jitter.
    public init(configuration: RegistryConfiguration = RegistryConfiguration(), timing: RegistryTiming = .live) {
        precondition(configuration.attemptsMax > 0 && configuration.transfersMax > 0, "at least one try and one transfer")
        precondition(configuration.uploadChunkBytes > 0 && configuration.transferBytesPerSecondMin > 0, "transfers need room")
        self.configuration = configuration
        self.timing = timing
        var settings = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(configuration.connectTimeout), read: TimeAmount(configuration.idleTimeout)))
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    /// Closes all connections. Requests that still run fail with `registry_unavailable`.
    ///
    /// - Throws: `registry_unavailable` when it was shut down before.
    public func shutdown() async throws {
        do {
            try await http.shutdown()
        } catch {
            throw OCIError(.registryUnavailable, "The registry client was closed already.", cause: String(describing: error))
        }
    }

    /// A manifest or index as the registry has it, checked against its digest.
    public struct FetchedManifest: Hashable, Sendable {
        /// Media type, digest (computed from `bytes`) and size.
        public let descriptor: Descriptor
        /// The document's own bytes, at most 4 MiB.
        public let bytes: [UInt8]
        /// The parsed document.
        public let document: ManifestDocument
    }

    /// Finds out what a reference means now.
    ///
    /// Fetches the document and computes its digest from its bytes; the registry's word alone is not taken.
    ///
    /// - Parameter reference: with tag or digest; `latest` is *not* assumed.
    /// - Throws: as `manifest`.
    public func resolve(_ reference: ImageReference) async throws -> Descriptor {
        try await manifest(reference).descriptor
    }

    /// Fetches a manifest or index.
    ///
    /// - Parameter reference: with tag or digest; the digest counts when both are there.
    /// - Throws: `not_found`, `unauthorized`, `forbidden`, `rate_limited`, `registry_unavailable`, `protocol_violation`;
    ///   `digest_mismatch` when the bytes differ from the reference's digest or from the `Docker-Content-Digest` header;
    ///   as `ManifestDocument.init`; `invalid_reference` without tag and digest; `CancellationError`.
    public func manifest(_ reference: ImageReference) async throws -> FetchedManifest {
        let (bytes, digest, type) = try await checkedManifest(reference)
        let document = try ManifestDocument(parsing: bytes, declaredType: type, limits: ImageLimits())
        return FetchedManifest(
            descriptor: Descriptor(mediaType: document.mediaType, digest: digest, size: Int64(bytes.count)), bytes: bytes,
            document: document)
    }

    /// The bytes of a manifest of any kind, with the digest that was asked for, for who reads them differently.
    ///
    /// - Throws: as `manifest`, but for what the bytes say.
    public func manifestBytes(_ reference: ImageReference) async throws -> [UInt8] { try await checkedManifest(reference).bytes }

    func checkedManifest(_ reference: ImageReference) async throws -> (bytes: [UInt8], digest: Digest, type: String?) {
        let request = try self.request(
            .GET, reference, path: "manifests/\(try Self.selector(of: reference))", access: .pull,
            headers: [("Accept", MediaType.accepted)])
        let response = try await send(request)
        guard response.status == 200 else { throw await failure(response, "The image \(reference)", request) }
        let bytes = try await response.collect(max: ImageLimits().manifestBytesMax, place: "The manifest of \(reference)")
        let digest = hash(bytes, like: reference.digest)
        if let wanted = reference.digest, wanted != digest {
            throw OCIError(
                .digestMismatch, "The registry \(reference.registry) sent another manifest than \(wanted); do not trust it.",
                cause: "got \(digest)")
        }
        if let header = response.headers.first(name: "Docker-Content-Digest") {
            let claimed = try Digest(header)
            guard hash(bytes, like: claimed) == claimed else {
                throw OCIError(
                    .digestMismatch, "The manifest of \(reference) does not have the digest that the registry names; it was damaged on the way.",
                    cause: "header \(claimed), bytes \(digest)")
            }
        }
        return (bytes, digest, response.headers.first(name: "Content-Type"))
    }

    /// Fetches a small blob into memory.
    ///
    /// - Parameters:
    ///   - descriptor: digest and size that the bytes must have.
    ///   - reference: the repository; its tag and digest do not matter.
    ///   - max: largest size accepted, in bytes.
    /// - Throws: `limit_exceeded`, `size_mismatch`, `digest_mismatch`, and registry errors as `manifest`.
    public func blob(_ descriptor: Descriptor, of reference: ImageReference, max: Int) async throws -> [UInt8] {
        guard descriptor.size <= Int64(max) else {
            throw OCIError(.limitExceeded, "The blob \(descriptor.digest) has \(descriptor.size) bytes; at most \(max) are read here.")
        }
        let request = try self.request(.GET, reference, path: "blobs/\(descriptor.digest)", access: .pull)
        let response = try await send(request)
        guard response.status == 200 else { throw await failure(response, "The blob \(descriptor.digest) of \(reference.name)", request) }
        let bytes = try await response.collect(max: max, place: "The blob \(descriptor.digest)")
        guard Int64(bytes.count) == descriptor.size else {
            throw OCIError(.sizeMismatch, "The blob \(descriptor.digest) has \(bytes.count) bytes instead of \(descriptor.size).")
        }
        guard hash(bytes, like: descriptor.digest) == descriptor.digest else {
            throw OCIError(.digestMismatch, "The blob \(descriptor.digest) of \(reference.name) does not have its digest.")
        }
        return bytes
    }

    static func selector(of reference: ImageReference) throws(OCIError) -> String {
        if let digest = reference.digest { return digest.description }
        if let tag = reference.tag { return tag }
        throw OCIError(.invalidReference, "\(reference) has neither tag nor digest; add one, such as :v1.0.0.")
    }

    func hash(_ bytes: [UInt8], like digest: Digest?) -> Digest {
        var hasher = DigestHasher(algorithm: digest?.algorithm ?? .sha256)
        hasher.update(bytes)
        return hasher.finalize()
    }
}

extension TimeAmount {
    /// The same span; never negative.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(max(0, seconds) * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

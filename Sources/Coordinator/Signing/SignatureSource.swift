public import OCI
import SignedImages
public import Sigstore
import Synchronization

/// Where signatures of images come from: the registries that the images are in.
public protocol SignatureSource: Sendable {
    /// What is stored beside the images of a repository.
    ///
    /// - Parameter image: any reference into the repository; its tag and digest are of no concern.
    /// - Returns: a source that throws ``OCIError`` where the registry does not answer.
    func signatures(beside image: ImageReference) -> any Sigstore.ImageSource
}

/// Signatures straight from the registries.
public struct RegistrySignatureSource: SignatureSource {
    private let client: RegistryClient

    /// A source that reads with a client.
    public init(client: RegistryClient) { self.client = client }

    public func signatures(beside image: ImageReference) -> any Sigstore.ImageSource {
        SignedRepository(client: client, image)
    }
}

/// Another source, whose failures are kept: a verifier takes a blob that cannot be read for one that is not there, and a registry that does
/// not answer must not count as a signature that is wrong.
final class WatchedSource: Sigstore.ImageSource {
    private let source: any Sigstore.ImageSource
    private let last = Mutex<OCIError?>(nil)

    init(_ source: any Sigstore.ImageSource) { self.source = source }

    /// The last failure of a registry that a later try may not meet.
    var outage: OCIError? { last.withLock { $0 } }

    func manifest(digest: String) async throws -> [UInt8]? { try await watching { try await source.manifest(digest: digest) } }
    func manifest(tag: String) async throws -> [UInt8]? { try await watching { try await source.manifest(tag: tag) } }
    func blob(digest: String, size: Int) async throws -> [UInt8]? { try await watching { try await source.blob(digest: digest, size: size) } }
    func referrers(of digest: String) async throws -> [Referrer] { try await watching { try await source.referrers(of: digest) } }

    private func watching<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as OCIError {
            if [.registryUnavailable, .rateLimited].contains(error.code) { last.withLock { $0 = error } }
            throw error
        }
    }
}

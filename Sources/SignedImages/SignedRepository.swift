public import OCI
public import Sigstore

/// A repository of a registry, with the images and signatures in it.
public struct SignedRepository: ImageSource {
    private let client: RegistryClient
    private let repository: ImageReference

    /// A repository.
    ///
    /// - Parameter reference: its tag and digest do not matter.
    public init(client: RegistryClient, _ reference: ImageReference) {
        self.client = client
        repository = reference.withoutTag()
    }

    public func manifest(digest: String) async throws -> [UInt8]? { try await bytes(repository.with(digest: try Digest(digest))) }

    public func manifest(tag: String) async throws -> [UInt8]? { try await bytes(repository.with(tag: tag)) }

    private func bytes(_ reference: ImageReference) async throws -> [UInt8]? {
        try await Self.orNone { try await client.manifest(reference).bytes }
    }

    public func blob(digest: String, size: Int) async throws -> [UInt8]? {
        let descriptor = Descriptor(mediaType: "application/octet-stream", digest: try Digest(digest), size: Int64(size))
        return try await Self.orNone { try await client.blob(descriptor, of: repository, max: size) }
    }

    public func referrers(of digest: String) async throws -> [Referrer] {
        try await client.referrers(of: repository.with(digest: try Digest(digest))).map {
            Referrer(digest: $0.digest.description, artifactType: $0.artifactType ?? "")
        }
    }

    private static func orNone(_ read: () async throws -> [UInt8]) async throws -> [UInt8]? {
        do { return try await read() } catch let error as OCIError where error.code == .notFound { return nil }
    }
}

public import OCI

/// Images straight from their registries, kept in a content store.
public struct RegistryImageSource: ImageSource {
    private let client: RegistryClient
    private let puller: ImagePuller
    private let store: ContentStore

    /// A source that fetches with a client into a store.
    public init(client: RegistryClient, store: ContentStore) {
        self.client = client
        self.store = store
        puller = ImagePuller(client: client, store: store)
    }

    public func resolve(_ reference: ImageReference) async throws -> Digest { try await client.resolve(reference).digest }

    public func fetch(_ reference: ImageReference, digest: Digest) async throws -> StoredImage {
        try await puller.pull(reference.with(digest: digest))
    }

    public func discardFetched() async throws {
        for digest in try await store.digests() { try await store.remove(digest) }
    }
}

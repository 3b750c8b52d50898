/// Pulls images into a store, by digest, with everything checked on arrival.
public struct ImagePuller: Sendable {
    private let client: RegistryClient
    private let store: ContentStore
    private let limits: ImageLimits

    /// Makes a puller.
    ///
    /// - Parameters:
    ///   - client: speaks to the registries; its owner shuts it down.
    ///   - store: where the images go.
    ///   - limits: bounds of what is taken in.
    public init(client: RegistryClient, store: ContentStore, limits: ImageLimits = ImageLimits()) {
        self.client = client
        self.store = store
        self.limits = limits
    }

    /// Pulls a manifest or index with all images, configurations and layers under it.
    ///
    /// Blobs that are in the store are not fetched again; each layer is uncompressed and hashed against its diff id all the same. After a
    /// failure or cancellation, blobs that arrived whole stay in the store, nothing else does.
    ///
    /// - Parameter reference: with a digest; use `RegistryClient.resolve` first for a tag.
    /// - Throws: `invalid_reference` without a digest; `not_found`, `unauthorized`, `forbidden`, `rate_limited`, `registry_unavailable`,
    ///   `protocol_violation`; `digest_mismatch`, `size_mismatch`, `diff_id_mismatch`; `limit_exceeded`; `malformed_document`;
    ///   `unsupported_media_type` (schema 1, foreign layers, no container image); `hostile_layer` (damaged compression);
    ///   `storage_failure`; `CancellationError`.
    public func pull(_ reference: ImageReference) async throws -> StoredImage { try await pullContent(reference).requireImage() }

    /// Pulls an image as ``pull(_:)`` does, or an artifact with all its files.
    ///
    /// - Throws: as ``pull(_:)``, but an artifact is taken.
    public func pullContent(_ reference: ImageReference) async throws -> StoredContent {
        guard let digest = reference.digest else {
            throw OCIError(.invalidReference, "\(reference) has no digest; resolve its tag first.")
        }
        let root: Descriptor
        if store.contains(digest) {
            let bytes = try await store.read(digest, max: limits.manifestBytesMax)
            let document = try ManifestDocument(parsing: bytes, declaredType: nil, limits: limits)
            root = Descriptor(mediaType: document.mediaType, digest: digest, size: Int64(bytes.count))
        } else {
            let fetched = try await client.manifest(reference)
            try await store.ingest(fetched.descriptor, from: OnePiece(bytes: fetched.bytes))
            root = fetched.descriptor
        }
        let assembly = ImageAssembly(
            store: store, origin: RegistryBlobs(client: client, reference: reference), limits: limits,
            transfersMax: client.configuration.transfersMax, verifiesLayers: true)
        return try await assembly.assembleContent(root)
    }
}

/// Blobs of one repository of a registry.
struct RegistryBlobs: BlobOrigin {
    let client: RegistryClient
    let reference: ImageReference

    func bringDocument(_ descriptor: Descriptor, into store: ContentStore) async throws {
        if store.size(of: descriptor.digest) == descriptor.size { return }
        let fetched: RegistryClient.FetchedManifest
        do {
            fetched = try await client.manifest(reference.with(digest: descriptor.digest))
        } catch let error as OCIError where error.code == .notFound {
            throw missing(descriptor, error)
        }
        try await store.ingest(descriptor, from: OnePiece(bytes: fetched.bytes))
    }

    func bringBlob(_ descriptor: Descriptor, bytesMax: Int64, into store: ContentStore) async throws {
        do {
            try await client.download(descriptor, of: reference, into: store, bytesMax: bytesMax)
        } catch let error as OCIError where error.code == .notFound {
            throw missing(descriptor, error)
        }
    }

    private func missing(_ descriptor: Descriptor, _ error: OCIError) -> OCIError {
        OCIError(
            .missingBlob, "The image \(reference.name) names \(descriptor.digest), which the registry does not have; push the image again.",
            cause: error.cause)
    }
}

/// Bytes in memory as a sequence of one piece.
struct OnePiece: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    let bytes: [UInt8]

    struct Iterator: AsyncIteratorProtocol {
        var bytes: [UInt8]?

        mutating func next() async -> [UInt8]? {
            defer { bytes = nil }
            return bytes
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes) }
}

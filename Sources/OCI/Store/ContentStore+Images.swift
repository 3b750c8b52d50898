extension ContentStore {
    /// How much of a stored image is checked again when it is opened.
    public enum Verification: Sendable, Hashable {
        /// Manifests and configurations are hashed again; layers are only there and of the right size.
        case documents
        /// Every blob is hashed again and every layer's uncompressed bytes against its diff id.
        case everything
    }

    /// Opens an image that was stored before.
    ///
    /// - Parameters:
    ///   - digest: the manifest or index.
    ///   - verification: how much is checked again.
    ///   - limits: bounds, as when it was stored.
    /// - Throws: `missing_blob` when something under the digest is not there; `size_mismatch`, `digest_mismatch`, `diff_id_mismatch`
    ///   when the store was changed; as `ManifestDocument.init`; `CancellationError`.
    public func image(
        _ digest: Digest, verification: Verification = .documents, limits: ImageLimits = ImageLimits()
    ) async throws -> StoredImage { try await content(digest, verification: verification, limits: limits).requireImage() }

    /// Opens an image as ``image(_:verification:limits:)`` does, or an artifact.
    public func content(
        _ digest: Digest, verification: Verification = .documents, limits: ImageLimits = ImageLimits()
    ) async throws -> StoredContent {
        let bytes = try await read(digest, max: limits.manifestBytesMax)
        let document = try ManifestDocument(parsing: bytes, declaredType: nil, limits: limits)
        let verifies = verification == .everything
        let assembly = ImageAssembly(
            store: self, origin: PresentBlobs(verifies: verifies), limits: limits, transfersMax: 1, verifiesLayers: verifies)
        return try await assembly.assembleContent(
            Descriptor(mediaType: document.mediaType, digest: digest, size: Int64(bytes.count)))
    }
}

/// Brings nothing: what is not in the store is missing.
struct PresentBlobs: BlobOrigin {
    let verifies: Bool

    func bringDocument(_ descriptor: Descriptor, into store: ContentStore) async throws {
        // Read and hashed by the assembly right after.
    }

    func bringBlob(_ descriptor: Descriptor, bytesMax: Int64, into store: ContentStore) async throws {
        guard let size = store.size(of: descriptor.digest) else {
            throw OCIError(.missingBlob, "The blob \(descriptor.digest) is not in the store; fetch the image again.")
        }
        guard size == descriptor.size else {
            throw OCIError(.sizeMismatch, "The stored blob \(descriptor.digest) has \(size) bytes instead of \(descriptor.size).")
        }
        if verifies { try await store.verify(descriptor) }
    }
}

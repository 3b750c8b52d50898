/// Pushes images of a store to a registry.
public struct ImagePusher: Sendable {
    private let client: RegistryClient
    private let store: ContentStore

    /// Makes a pusher.
    ///
    /// - Parameters:
    ///   - client: speaks to the registries; its owner shuts it down.
    ///   - store: where the images are.
    public init(client: RegistryClient, store: ContentStore) {
        self.client = client
        self.store = store
    }

    /// Pushes an image, an index with all its manifests and attestations: blobs first, then manifests, the top document last.
    ///
    /// Blobs that the registry has are not sent. After a failure some blobs may be in the registry, but the reference is unchanged.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - reference: where to; its tag names the image, without one it is pushed by digest. A digest in it must be the image's.
    /// - Throws: `digest_mismatch` when the reference names another digest; `missing_blob`; registry errors as `RegistryClient.manifest`.
    /// - Returns: the reference with the image's digest.
    @discardableResult
    public func push(_ image: StoredImage, to reference: ImageReference) async throws -> ImageReference {
        if let digest = reference.digest, digest != image.digest {
            throw OCIError(.digestMismatch, "The image is \(image.digest), but the reference names \(digest).")
        }
        var sent: Set<Digest> = []
        for manifest in image.images.map(\.manifest) + image.attachments {
            for blob in try await blobs(of: manifest) where sent.insert(blob.digest).inserted {
                try await client.pushBlob(blob, from: store, to: reference)
            }
        }
        for document in image.documents where sent.insert(document.digest).inserted {
            try await pushDocument(document, to: reference.withoutTag().with(digest: document.digest))
        }
        let final = reference.with(digest: image.digest)
        try await pushDocument(image.descriptor, to: final)
        return final
    }

    /// Pushes an artifact: its files and configuration first, the manifest last.
    ///
    /// - Parameters:
    ///   - artifact: an artifact of the store.
    ///   - reference: as for an image.
    /// - Throws: as for an image.
    /// - Returns: the reference with the artifact's digest.
    @discardableResult
    public func push(_ artifact: StoredArtifact, to reference: ImageReference) async throws -> ImageReference {
        if let digest = reference.digest, digest != artifact.digest {
            throw OCIError(.digestMismatch, "The artifact is \(artifact.digest), but the reference names \(digest).")
        }
        var sent: Set<Digest> = []
        for blob in [artifact.config] + artifact.files where sent.insert(blob.digest).inserted {
            try await client.pushBlob(blob, from: store, to: reference)
        }
        let final = reference.with(digest: artifact.digest)
        try await pushDocument(artifact.manifest, to: final)
        return final
    }

    private func blobs(of manifest: Descriptor) async throws -> [Descriptor] {
        let bytes = try await store.read(manifest.digest, max: ImageLimits().manifestBytesMax)
        guard case .manifest(let document, _) = try ManifestDocument(parsing: bytes, declaredType: manifest.mediaType) else { return [] }
        return [document.config] + document.layers
    }

    private func pushDocument(_ descriptor: Descriptor, to reference: ImageReference) async throws {
        let bytes = try await store.read(descriptor.digest, max: ImageLimits().manifestBytesMax)
        try await client.pushManifest(bytes, mediaType: descriptor.mediaType, to: reference)
    }
}

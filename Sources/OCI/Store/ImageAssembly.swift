/// Where blobs come from: a registry, a layout, or nowhere but the store.
protocol BlobOrigin: Sendable {
    /// Makes sure that a manifest or index is in the store, its size and digest checked.
    func bringDocument(_ descriptor: Descriptor, into store: ContentStore) async throws
    /// Makes sure that a blob is in the store, its size and digest checked.
    func bringBlob(_ descriptor: Descriptor, bytesMax: Int64, into store: ContentStore) async throws
}

/// Brings everything under one manifest or index into a store and checks it: the one way an image becomes a `StoredImage`.
struct ImageAssembly: Sendable {
    let store: ContentStore
    let origin: any BlobOrigin
    let limits: ImageLimits
    /// Blobs brought at once, a count of at least 1.
    let transfersMax: Int
    /// Whether layers are uncompressed and hashed against their diff ids.
    let verifiesLayers: Bool

    private struct LayerCheck: Hashable {
        let layer: Digest
        let mediaType: String
        let diffID: Digest
    }

    private struct Progress {
        var images: [PlatformImage] = []
        var attachments: [Descriptor] = []
        var documents: [Descriptor] = []
        var documentsSeen = 0
        var blobs: Set<Digest> = []
        var bytes: Int64 = 0
        var checked: Set<LayerCheck> = []
    }

    /// Brings and checks an image.
    ///
    /// - Parameter root: its manifest or index.
    /// - Throws: all that `ImagePuller.pull` names.
    func assemble(_ root: Descriptor) async throws -> StoredImage { try await assembleContent(root).requireImage() }

    /// Brings and checks an image, or an artifact: every byte of an artifact's files against its digest, nothing is unpacked.
    ///
    /// - Parameter root: its manifest or index. An index of artifacts is refused: nobody says which of them is meant.
    /// - Throws: all that `ImagePuller.pull` names.
    func assembleContent(_ root: Descriptor) async throws -> StoredContent {
        // What a layout's index.json says besides is covered by no digest, so it does not count: equal digests give equal images.
        let root = Descriptor(mediaType: root.mediaType, digest: root.digest, size: root.size)
        var progress = Progress()
        if MediaType.manifests.contains(root.mediaType), case .manifest(let manifest, _) = try await document(root, progress: &progress),
            !MediaType.configurations.contains(manifest.config.mediaType)
        {
            return .artifact(try await artifact(manifest, root, progress: &progress))
        }
        progress = Progress()
        try await visit(root, depth: 0, progress: &progress)
        guard !progress.images.isEmpty else {
            throw OCIError(.unsupportedMediaType, "There is no container image under \(root.digest); an index must name at least one.")
        }
        return .image(
            StoredImage(
                descriptor: root, images: progress.images, attachments: progress.attachments,
                documents: progress.documents.filter { $0.digest != root.digest }))
    }

    private func artifact(_ manifest: ImageManifest, _ descriptor: Descriptor, progress: inout Progress) async throws -> StoredArtifact {
        guard !manifest.layers.isEmpty else {
            throw OCIError(.malformedDocument, "The artifact \(descriptor.digest) has no file; push it with one.")
        }
        guard manifest.config.size <= Int64(limits.configurationBytesMax) else {
            throw OCIError(.limitExceeded, "The artifact's configuration has more than \(limits.configurationBytesMax) bytes.")
        }
        let blobs = [manifest.config] + manifest.layers
        try account(blobs, progress: &progress)
        for blob in blobs {
            try await origin.bringBlob(blob, bytesMax: limits.layerBytesMax, into: store)
            // A blob that was there before was not read now.
            if verifiesLayers { try await store.verify(blob) }
        }
        return StoredArtifact(
            manifest: descriptor, artifactType: manifest.artifactType ?? manifest.config.mediaType, config: manifest.config, files: manifest.layers)
    }

    private func visit(_ descriptor: Descriptor, depth: Int, progress: inout Progress) async throws {
        switch try await document(descriptor, progress: &progress) {
        case .manifest(let manifest, _):
            let image = try await image(manifest, descriptor, progress: &progress)
            progress.images.append(image)
        case .index(let index, _):
            guard depth < limits.indexDepthMax else {
                throw OCIError(.limitExceeded, "Indexes are nested more than \(limits.indexDepthMax) deep.")
            }
            for child in index.manifests {
                if isAttachment(child) {
                    try await attach(child, progress: &progress)
                } else {
                    try await visit(child, depth: depth + 1, progress: &progress)
                }
            }
        }
        progress.documents.append(descriptor)
    }

    private func document(_ descriptor: Descriptor, progress: inout Progress) async throws -> ManifestDocument {
        progress.documentsSeen += 1
        guard progress.documentsSeen <= limits.manifestsMax + 1 else {
            throw OCIError(.limitExceeded, "The index names more than \(limits.manifestsMax) manifests.")
        }
        guard descriptor.size <= Int64(limits.manifestBytesMax) else {
            throw OCIError(.limitExceeded, "A manifest has more than \(limits.manifestBytesMax) bytes.")
        }
        guard MediaType.manifests.contains(descriptor.mediaType) || MediaType.indexes.contains(descriptor.mediaType) else {
            throw OCIError(
                .unsupportedMediaType,
                "\"\(OCIError.printable(descriptor.mediaType))\" is no image manifest or index that is accepted; build an OCI or Docker (schema 2) image."
            )
        }
        try await origin.bringDocument(descriptor, into: store)
        let bytes = try await store.read(descriptor.digest, max: limits.manifestBytesMax)
        guard Int64(bytes.count) == descriptor.size else {
            throw OCIError(.sizeMismatch, "The manifest \(descriptor.digest) has \(bytes.count) bytes instead of \(descriptor.size).")
        }
        return try ManifestDocument(parsing: bytes, declaredType: descriptor.mediaType, limits: limits)
    }

    private func image(_ manifest: ImageManifest, _ descriptor: Descriptor, progress: inout Progress) async throws -> PlatformImage {
        guard MediaType.configurations.contains(manifest.config.mediaType) else {
            throw OCIError(
                .unsupportedMediaType,
                "The manifest \(descriptor.digest) is no container image (its configuration is \"\(OCIError.printable(manifest.config.mediaType))\")."
            )
        }
        for layer in manifest.layers { _ = try LayerCompression(mediaType: layer.mediaType) }
        guard manifest.config.size <= Int64(limits.configurationBytesMax) else {
            throw OCIError(.limitExceeded, "The image's configuration has more than \(limits.configurationBytesMax) bytes.")
        }
        try account(manifest.layers + [manifest.config], progress: &progress)
        try await origin.bringBlob(manifest.config, bytesMax: Int64(limits.configurationBytesMax), into: store)
        let bytes = try await store.read(manifest.config.digest, max: limits.configurationBytesMax)
        guard Int64(bytes.count) == manifest.config.size else {
            throw OCIError(.sizeMismatch, "The image's configuration has \(bytes.count) bytes instead of \(manifest.config.size).")
        }
        let configuration = try JSONDocument.decode(ImageConfiguration.self, from: bytes, place: "image configuration")
        guard configuration.diffIDs.count == manifest.layers.count else {
            throw OCIError(
                .malformedDocument,
                "The image has \(manifest.layers.count) layers but its configuration names \(configuration.diffIDs.count); rebuild it.")
        }
        try await bringLayers(manifest.layers, diffIDs: configuration.diffIDs, progress: &progress)
        return PlatformImage(
            manifest: descriptor, config: manifest.config, platform: descriptor.platform ?? configuration.platform,
            layers: manifest.layers, configuration: configuration)
    }

    /// Brings layers, a few at once, and checks each against its diff id as soon as it is there.
    private func bringLayers(_ layers: [Descriptor], diffIDs: [Digest], progress: inout Progress) async throws {
        var todo: [(layer: Descriptor, diffID: Digest)] = []
        for (layer, diffID) in zip(layers, diffIDs)
        where progress.checked.insert(LayerCheck(layer: layer.digest, mediaType: layer.mediaType, diffID: diffID)).inserted {
            todo.append((layer, diffID))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for (layer, diffID) in todo {
                if running == transfersMax {
                    _ = try await group.next()
                    running -= 1
                }
                group.addTask { try await bringLayer(layer, diffID: diffID) }
                running += 1
            }
            try await group.waitForAll()
        }
    }

    private func bringLayer(_ layer: Descriptor, diffID: Digest) async throws {
        try await origin.bringBlob(layer, bytesMax: limits.layerBytesMax, into: store)
        guard verifiesLayers else { return }
        let (store, bytesMax) = (store, limits.uncompressedLayerBytesMax)
        try await store.queue.run { cancellation in
            _ = try LayerReading.verify(layer, diffID: diffID, in: store, bytesMax: bytesMax, cancellation: cancellation)
        }
    }

    /// Brings an attestation: its bytes are checked, nothing in it is run or unpacked.
    private func attach(_ descriptor: Descriptor, progress: inout Progress) async throws {
        guard case .manifest(let manifest, _) = try await document(descriptor, progress: &progress) else {
            throw OCIError(.malformedDocument, "An attestation of the index is no manifest.")
        }
        let blobs = manifest.layers + [manifest.config]
        try account(blobs, progress: &progress)
        for blob in blobs { try await origin.bringBlob(blob, bytesMax: limits.layerBytesMax, into: store) }
        progress.attachments.append(descriptor)
        progress.documents.append(descriptor)
    }

    /// As Docker's BuildKit marks its build attestations: no platform can run them, and they say what they are.
    private func isAttachment(_ descriptor: Descriptor) -> Bool {
        descriptor.platform?.os == "unknown" && descriptor.platform?.architecture == "unknown"
            && descriptor.annotations["vnd.docker.reference.type"] == "attestation-manifest"
    }

    private func account(_ blobs: [Descriptor], progress: inout Progress) throws(OCIError) {
        for blob in blobs where progress.blobs.insert(blob.digest).inserted {
            let (sum, overflows) = progress.bytes.addingReportingOverflow(blob.size)
            guard !overflows, blob.size <= limits.layerBytesMax, sum <= limits.totalBytesMax else {
                throw OCIError(
                    .limitExceeded,
                    "The image is larger than the \(limits.totalBytesMax) bytes (or a layer than \(limits.layerBytesMax)) that are accepted.")
            }
            progress.bytes = sum
        }
    }
}

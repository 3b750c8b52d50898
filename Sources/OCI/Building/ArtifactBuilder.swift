import Glibc

/// Packs files that are no container image, such as a WebAssembly module or a model, into an artifact: each file is one layer, as it is.
///
/// Source: OCI image specification 1.1, manifest.md, "Guidelines for Artifact Usage"; the annotation with the file's name is what ORAS
/// writes and reads.
public struct ArtifactBuilder: Sendable {
    /// One file of an artifact.
    public struct File: Hashable, Sendable {
        /// Path of a regular file on this machine; a symbolic link is followed.
        public let source: String
        /// Its name in the artifact, a relative path.
        public let name: String

        /// Names a file.
        public init(source: String, name: String) {
            self.source = source
            self.name = name
        }
    }

    private let store: ContentStore

    /// Makes a builder.
    ///
    /// - Parameter store: where the artifact goes.
    public init(store: ContentStore) { self.store = store }

    /// Builds an artifact: a blob for each file, a configuration and a manifest, all in the store. Equal input gives the equal digest.
    ///
    /// - Parameters:
    ///   - files: at least one.
    ///   - mediaType: of every file.
    ///   - artifactType: of the artifact; `nil` where the configuration's type says it.
    ///   - configuration: makes the configuration's media type and bytes from the files' digests; `nil` for the empty one.
    /// - Throws: `not_found` for a source that is not there; `limit_exceeded`; `storage_failure`; `CancellationError`.
    public func build(
        _ files: [File], mediaType: String, artifactType: String?, bytesMax: Int64 = ImageLimits().layerBytesMax,
        configuration: (@Sendable ([Digest]) -> (mediaType: String, bytes: [UInt8]))? = nil
    ) async throws -> StoredArtifact {
        precondition(!files.isEmpty, "an artifact has a file")
        let store = store
        return try await store.queue.run { cancellation in
            var layers: [Descriptor] = []
            for file in files {
                layers.append(try Self.keep(file, mediaType: mediaType, bytesMax: bytesMax, in: store, cancellation: cancellation))
            }
            let config = configuration?(layers.map(\.digest)) ?? (mediaType: MediaType.ociEmpty, bytes: Array("{}".utf8))
            let stored = try Self.keep(config.bytes, mediaType: config.mediaType, in: store)
            let manifest = try JSONDocument.encode(ImageManifest(config: stored, layers: layers, artifactType: artifactType))
            return StoredArtifact(
                manifest: try Self.keep(manifest, mediaType: MediaType.ociManifest, in: store),
                artifactType: artifactType ?? stored.mediaType, config: stored, files: layers)
        }
    }

    private static func keep(
        _ file: File, mediaType: String, bytesMax: Int64, in store: ContentStore, cancellation: Cancellation
    ) throws -> Descriptor {
        let source = try OpenFile.open(
            file.source, flags: O_RDONLY | O_NONBLOCK,
            orMissing: OCIError(.notFound, "There is no file \"\(OCIError.printable(file.source))\"."))
        let writer = try BlobWriter(store: store, expected: nil, bytesMax: bytesMax)
        try FileRange(file: source, offset: 0, size: Int64(try source.status().st_size)).forEachChunk { bytes in
            try cancellation.check()
            try writer.append(bytes)
        }
        let (digest, size) = try writer.commit()
        return Descriptor(
            mediaType: mediaType, digest: digest, size: size, annotations: ["org.opencontainers.image.title": file.name])
    }

    private static func keep(_ bytes: [UInt8], mediaType: String, in store: ContentStore) throws -> Descriptor {
        let writer = try BlobWriter(store: store, expected: nil, bytesMax: Int64(bytes.count))
        try writer.append(bytes)
        let (digest, size) = try writer.commit()
        return Descriptor(mediaType: mediaType, digest: digest, size: size)
    }
}

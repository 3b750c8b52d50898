import Glibc

/// Packs files into a one-layer image that depends on nothing but them: equal input gives the equal digest on one machine.
public struct ImageBuilder: Sendable {
    /// What an image holds and how it is run.
    public struct Recipe: Hashable, Sendable {
        /// What the image holds.
        public var content: Content
        /// What it is made for.
        public var platform: Platform
        /// What is started in it.
        public var process: ImageConfiguration.Process
        /// Free notes in the configuration.
        public var labels: [String: String]
        /// Most uncompressed bytes of content. Chosen: as `UnpackOptions`, 16 GiB.
        public var totalBytesMax: Int64 = 16 << 30
        /// Most files and folders, a count. Chosen: as `UnpackOptions`.
        public var entriesMax: Int = 1_000_000

        /// Makes a recipe.
        ///
        /// - Parameters:
        ///   - content: what the image holds.
        ///   - platform: what it is made for.
        ///   - process: what is started in it.
        ///   - labels: free notes.
        public init(content: Content, platform: Platform, process: ImageConfiguration.Process, labels: [String: String] = [:]) {
            self.content = content
            self.platform = platform
            self.process = process
            self.labels = labels
        }
    }

    /// The files of an image.
    public enum Content: Hashable, Sendable {
        /// Single files: from where to which place in the image. Folders on the way are made.
        case files([File])
        /// Everything in a folder, which becomes the image's root. Symbolic links are kept, special files refused.
        case folder(String)
    }

    /// One file of an image.
    public struct File: Hashable, Sendable {
        /// Path of a regular file on this machine; a symbolic link is followed.
        public let source: String
        /// Absolute path in the image, such as `/bin/echo`.
        public let destination: String
        /// Whether it may be executed (mode 0755, else 0644).
        public let isExecutable: Bool

        /// Names a file.
        ///
        /// - Parameters:
        ///   - source: path of a regular file on this machine.
        ///   - destination: absolute path in the image.
        ///   - isExecutable: whether it may be executed.
        public init(source: String, destination: String, isExecutable: Bool = true) {
            self.source = source
            self.destination = destination
            self.isExecutable = isExecutable
        }
    }

    private let store: ContentStore

    /// Makes a builder.
    ///
    /// - Parameter store: where the image goes.
    public init(store: ContentStore) {
        self.store = store
    }

    /// Builds an image: one gzip layer, a configuration and a manifest, all in the store.
    ///
    /// Owners become 0, times 0; permissions become 0755 for what its owner may execute and for folders, 0644 for the rest. Entries are
    /// sorted by their bytes. After a failure or cancellation nothing refers to blobs that were written.
    ///
    /// - Parameter recipe: what the image holds and how it is run.
    /// - Throws: `not_found` for a source that is not there; `malformed_document` for a destination that is no absolute path, for two files
    ///   of one destination and for special files; `limit_exceeded`; `storage_failure`; `CancellationError`.
    /// - Returns: the manifest's descriptor, with its platform.
    public func build(_ recipe: Recipe) async throws -> Descriptor {
        let store = store
        return try await store.queue.run { cancellation in
            let (layer, diffID) = try Self.layer(recipe, store: store, cancellation: cancellation)
            let configuration = ImageConfiguration(
                platform: recipe.platform, process: recipe.process, labels: recipe.labels, diffIDs: [diffID])
            let config = try Self.keep(try JSONDocument.encode(configuration), mediaType: MediaType.ociConfiguration, in: store)
            let manifest = try JSONDocument.encode(ImageManifest(config: config, layers: [layer]))
            let descriptor = try Self.keep(manifest, mediaType: MediaType.ociManifest, in: store)
            return Descriptor(
                mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size, platform: recipe.platform)
        }
    }

    private static func keep(_ bytes: [UInt8], mediaType: String, in store: ContentStore) throws -> Descriptor {
        let writer = try BlobWriter(store: store, expected: nil, bytesMax: Int64(bytes.count))
        try writer.append(bytes)
        let (digest, size) = try writer.commit()
        return Descriptor(mediaType: mediaType, digest: digest, size: size)
    }

    private static func layer(
        _ recipe: Recipe, store: ContentStore, cancellation: Cancellation
    ) throws -> (layer: Descriptor, diffID: Digest) {
        let blob = try BlobWriter(store: store, expected: nil, bytesMax: recipe.totalBytesMax)
        let gzip = try GzipWriter(blob)
        var hasher = DigestHasher()
        var count: Int64 = 0
        let tar = TarWriter { bytes in
            try cancellation.check()
            count += Int64(bytes.count)
            guard count <= recipe.totalBytesMax else {
                throw OCIError(.limitExceeded, "The files have more than \(recipe.totalBytesMax) bytes together.")
            }
            hasher.update(bytes)
            try gzip.append(bytes)
        }
        switch recipe.content {
        case .files(let files): try FilePacking(tar: tar, entriesMax: recipe.entriesMax).pack(files)
        case .folder(let path): try FilePacking(tar: tar, entriesMax: recipe.entriesMax).pack(folder: path)
        }
        try tar.finish()
        try gzip.finish()
        let (digest, size) = try blob.commit()
        return (Descriptor(mediaType: MediaType.ociLayerGzip, digest: digest, size: size), hasher.finalize())
    }
}

/// Reading stored layers, uncompressed.
enum LayerReading {
    /// Opens a layer's uncompressed bytes.
    ///
    /// - Throws: `missing_blob`, `size_mismatch`, `unsupported_media_type`, `hostile_layer`.
    static func open(_ layer: Descriptor, in store: ContentStore) throws -> any ByteSource {
        let compression = try LayerCompression(mediaType: layer.mediaType)
        let file = try store.openBlocking(layer)
        switch compression {
        case .none: return FileSource(FileRange(file: file, offset: 0, size: layer.size))
        case .gzip, .zstd: return try Decompressor(file: file, compression: compression)
        }
    }

    /// Checks a stored layer's uncompressed bytes against a diff id.
    ///
    /// - Throws: `diff_id_mismatch`; `limit_exceeded` above `bytesMax`; as `open`; `CancellationError`.
    /// - Returns: number of uncompressed bytes.
    @discardableResult
    static func verify(
        _ layer: Descriptor, diffID: Digest, in store: ContentStore, bytesMax: Int64, cancellation: Cancellation
    ) throws -> Int64 {
        let source = HashingSource(
            try open(layer, in: store), algorithm: diffID.algorithm, bytesMax: bytesMax, cancellation: cancellation)
        guard try source.digestOfAll() == diffID else { throw mismatch(layer) }
        return source.count
    }

    static func mismatch(_ layer: Descriptor) -> OCIError {
        OCIError(
            .diffIDMismatch,
            "The layer \(layer.digest) does not hold what the image's configuration claims (its diff id differs); rebuild the image.")
    }
}

/// Turns `docker save` output into OCI images in a store. Source: Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
///
/// The archive names no digests of its layers, so the configuration's diff ids are what its layers are checked against.
struct DockerArchive {
    let source: any LayoutSource
    let store: ContentStore
    let limits: ImageLimits

    private struct Item: Decodable {
        var config: String
        var layers: [String]

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case layers = "Layers"
        }
    }

    /// Stores configurations and layers and makes a manifest for each image.
    ///
    /// - Parameter bytes: the archive's manifest.json.
    /// - Throws: `malformed_document`, `missing_blob`, `digest_mismatch` (the configuration's name is its digest), `limit_exceeded`.
    /// - Returns: the manifests, in the archive's order, at least one.
    func convert(_ bytes: [UInt8], cancellation: Cancellation) throws -> [Descriptor] {
        let items = try JSONDocument.decode([Item].self, from: bytes, place: "docker archive's manifest.json")
        guard !items.isEmpty else { throw OCIError(.malformedDocument, "The docker archive names no image.") }
        guard items.count <= limits.manifestsMax else {
            throw OCIError(.limitExceeded, "The docker archive names \(items.count) images; at most \(limits.manifestsMax) are accepted.")
        }
        return try items.map { try convert($0, cancellation: cancellation) }
    }

    private func convert(_ item: Item, cancellation: Cancellation) throws -> Descriptor {
        guard item.layers.count <= limits.layersMax else {
            throw OCIError(.limitExceeded, "The image has \(item.layers.count) layers; at most \(limits.layersMax) are accepted.")
        }
        let config = try keep(item.config, mediaType: MediaType.ociConfiguration, bytesMax: Int64(limits.configurationBytesMax), cancellation)
        try checkName(item.config, of: config.digest)
        let layers = try item.layers.map { path in
            try keep(path, mediaType: nil, bytesMax: limits.layerBytesMax, cancellation)
        }
        let manifest = try JSONDocument.encode(ImageManifest(config: config, layers: layers))
        let writer = try BlobWriter(store: store, expected: nil, bytesMax: Int64(limits.manifestBytesMax))
        try writer.append(manifest)
        let (digest, size) = try writer.commit()
        return Descriptor(mediaType: MediaType.ociManifest, digest: digest, size: size)
    }

    /// Stores a file of the archive; a layer's media type is found by its first bytes.
    private func keep(_ path: String, mediaType: String?, bytesMax: Int64, _ cancellation: Cancellation) throws -> Descriptor {
        guard let range = try source.file(path) else {
            throw OCIError(.missingBlob, "The docker archive does not hold \"\(OCIError.printable(path))\" that it names; save it again.")
        }
        let writer = try BlobWriter(store: store, expected: nil, bytesMax: bytesMax)
        var start: [UInt8] = []
        try range.forEachChunk { bytes in
            try cancellation.check()
            if start.isEmpty { start = Array(bytes.prefix(4)) }
            try writer.append(bytes)
        }
        let (digest, size) = try writer.commit()
        let layerType =
            if start.starts(with: [0x1f, 0x8b]) {
                MediaType.ociLayerGzip
            } else if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
                MediaType.ociLayerZstd
            } else {
                MediaType.ociLayer
            }
        return Descriptor(mediaType: mediaType ?? layerType, digest: digest, size: size)
    }

    /// A configuration named `<64 hex>.json` or `blobs/sha256/<64 hex>` must be what its name says.
    private func checkName(_ path: String, of digest: Digest) throws(OCIError) {
        guard let last = path.split(separator: "/").last else { return }
        let name = last.hasSuffix(".json") ? String(last.dropLast(5)) : String(last)
        // A name that is no digest promises nothing.
        guard let named = try? Digest("sha256:\(name)"), named != digest else { return }
        throw OCIError(.digestMismatch, "The docker archive's configuration does not have the digest it is named after; save it again.")
    }
}

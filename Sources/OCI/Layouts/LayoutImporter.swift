import Glibc

/// Reads images from disk into a `ContentStore`, with the same checks as a pull.
public struct LayoutImporter: Sendable {
    private let store: ContentStore
    private let limits: ImageLimits

    /// Makes an importer.
    ///
    /// - Parameters:
    ///   - store: where the images go.
    ///   - limits: bounds of what is taken in.
    public init(store: ContentStore, limits: ImageLimits = ImageLimits()) {
        self.store = store
        self.limits = limits
    }

    /// Imports all images of an OCI layout folder, an OCI layout in an uncompressed tar, or `docker save` output.
    ///
    /// A tar that is both (newer Docker versions) is read as an OCI layout. Every top-level manifest is imported: whoever wants one image
    /// refuses a longer answer. After a failure, blobs that were whole stay in the store.
    ///
    /// - Parameter path: the folder or tar.
    /// - Throws: `not_found` when nothing is there; `malformed_document` when it is none of the three; `missing_blob`, `digest_mismatch`,
    ///   `size_mismatch`, `diff_id_mismatch`, `limit_exceeded`, `unsupported_media_type`, `hostile_layer`, `storage_failure`,
    ///   `CancellationError`.
    /// - Returns: one image for each top-level manifest or index, in the layout's order, at least one, none twice.
    public func importImages(at path: String) async throws -> [StoredImage] {
        var images: [StoredImage] = []
        for content in try await importContents(at: path) { images.append(try content.requireImage()) }
        return images
    }

    /// Imports images as ``importImages(at:)`` does, and artifacts.
    public func importContents(at path: String) async throws -> [StoredContent] {
        let source = try await store.queue.run { cancellation in try Self.open(path, cancellation: cancellation) }
        let (roots, origin) = try await roots(of: source)
        var contents: [StoredContent] = []
        for root in roots where !contents.contains(where: { $0.digest == root.digest }) {
            let assembly = ImageAssembly(store: store, origin: origin, limits: limits, transfersMax: 2, verifiesLayers: true)
            contents.append(try await assembly.assembleContent(root))
        }
        return contents
    }

    private static func open(_ path: String, cancellation: Cancellation) throws -> any LayoutSource {
        var status = stat()
        // Safety: `status` is a whole `stat`, and Swift keeps the C string alive for the call. Follows a link: the caller chose the path.
        guard stat(path, &status) == 0 else {
            throw OCIError(.notFound, "There is no image at \"\(OCIError.printable(path))\"; check the path.")
        }
        return status.isFolder ? try FolderLayout(path: path) : try TarLayout(path: path, cancellation: cancellation)
    }

    private func roots(of source: any LayoutSource) async throws -> ([Descriptor], any BlobOrigin) {
        let (store, limits) = (store, limits)
        return try await store.queue.run { cancellation in
            if let index = try Self.read("index.json", of: source, max: limits.manifestBytesMax) {
                return (try Self.roots(index: index, source: source, limits: limits), LayoutBlobs(source: source))
            }
            if let manifest = try Self.read("manifest.json", of: source, max: limits.manifestBytesMax) {
                let converter = DockerArchive(source: source, store: store, limits: limits)
                return (try converter.convert(manifest, cancellation: cancellation), PresentBlobs(verifies: false))
            }
            throw OCIError(
                .malformedDocument,
                "This is no image: neither index.json (OCI layout) nor manifest.json (docker save) is in it. Write one with "
                    + "\"skopeo copy … oci:FOLDER\" or \"docker save\".")
        }
    }

    private struct LayoutMark: Decodable {
        var imageLayoutVersion: String
    }

    private static func roots(index bytes: [UInt8], source: any LayoutSource, limits: ImageLimits) throws -> [Descriptor] {
        guard let mark = try read("oci-layout", of: source, max: 4096) else {
            throw OCIError(.malformedDocument, "The layout has no file oci-layout; write it again with a current tool.")
        }
        let version = try JSONDocument.decode(LayoutMark.self, from: mark, place: "file oci-layout").imageLayoutVersion
        guard version == "1.0.0" else {
            throw OCIError(.malformedDocument, "The layout has version \"\(OCIError.printable(version))\"; only 1.0.0 is known.")
        }
        guard case .index(let index, _) = try ManifestDocument(parsing: bytes, declaredType: nil, limits: limits) else {
            throw OCIError(.malformedDocument, "The layout's index.json is no index.")
        }
        guard !index.manifests.isEmpty else { throw OCIError(.malformedDocument, "The layout's index.json names no image.") }
        return index.manifests
    }

    static func read(_ path: String, of source: any LayoutSource, max: Int) throws -> [UInt8]? {
        guard let range = try source.file(path) else { return nil }
        guard range.size <= Int64(max) else {
            throw OCIError(.limitExceeded, "\"\(OCIError.printable(path))\" in the image has more than \(max) bytes.")
        }
        return try range.readAll()
    }
}

/// Blobs of a layout.
struct LayoutBlobs: BlobOrigin {
    let source: any LayoutSource

    func bringDocument(_ descriptor: Descriptor, into store: ContentStore) async throws {
        try await bringBlob(descriptor, bytesMax: descriptor.size, into: store)
    }

    // A blob that the store has already is checked in the layout too: an import says whether *this* layout is whole.
    func bringBlob(_ descriptor: Descriptor, bytesMax: Int64, into store: ContentStore) async throws {
        let source = source
        try await store.queue.run { cancellation in
            let digest = descriptor.digest
            guard let range = try source.file("blobs/\(digest.algorithm.rawValue)/\(digest.hex)") else {
                throw OCIError(.missingBlob, "The layout does not hold the blob \(digest) that it names; write it again.")
            }
            guard range.size <= bytesMax else {
                throw OCIError(.limitExceeded, "The blob \(digest) has \(range.size) bytes; at most \(bytesMax) are accepted.")
            }
            try store.copyBlocking(range, as: descriptor, cancellation: cancellation)
        }
    }
}

/// A manifest or an index, read from bytes of outside with every bound applied.
public enum ManifestDocument: Hashable, Sendable {
    /// One image or artifact, and its media type.
    case manifest(ImageManifest, mediaType: String)
    /// Several manifests, and the index's media type.
    case index(ImageIndex, mediaType: String)

    /// Media type of the document.
    public var mediaType: String {
        switch self {
        case .manifest(_, let mediaType), .index(_, let mediaType): mediaType
        }
    }

    private struct Outline: Decodable {
        var schemaVersion: Int
        var mediaType: String?
        var hasConfig: Bool
        var hasLayers: Bool
        var hasManifests: Bool
        var hasSchema1Layers: Bool

        enum CodingKeys: String, CodingKey {
            case schemaVersion, mediaType, config, layers, manifests, fsLayers
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
            mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
            hasConfig = container.contains(.config)
            hasLayers = container.contains(.layers)
            hasManifests = container.contains(.manifests)
            hasSchema1Layers = container.contains(.fsLayers)
        }
    }

    /// Reads a manifest or index.
    ///
    /// The document must be one or the other and not both: a document that is both would mean different images to different
    /// readers (CVE-2021-41190).
    ///
    /// - Parameters:
    ///   - bytes: the whole document, UTF-8 JSON, at most `limits.manifestBytesMax` bytes.
    ///   - declaredType: the media type that a descriptor or a `Content-Type` header promised; `nil` when nothing did.
    ///   - limits: the bounds.
    /// - Throws: `limit_exceeded` (size, number of layers or manifests), `unsupported_media_type` (schema 1, unknown type),
    ///   `malformed_document` (wrong shape, both shapes, body and promise differ), `invalid_digest`.
    public init(parsing bytes: [UInt8], declaredType: String?, limits: ImageLimits = ImageLimits()) throws(OCIError) {
        guard bytes.count <= limits.manifestBytesMax else {
            throw OCIError(.limitExceeded, "The manifest has more than \(limits.manifestBytesMax) bytes.")
        }
        let outline = try JSONDocument.decode(Outline.self, from: bytes, place: "manifest")
        let promised = declaredType.map(MediaType.essence(of:)).flatMap { Self.isGeneric($0) ? nil : $0 }
        if outline.schemaVersion == 1 || outline.hasSchema1Layers || MediaType.isSchema1(promised ?? outline.mediaType ?? "") {
            throw OCIError(
                .unsupportedMediaType, "The image is in Docker's old schema 1, which cannot be verified; push it again with a current tool.")
        }
        guard outline.schemaVersion == 2 else {
            throw OCIError(.malformedDocument, "The manifest has schemaVersion \(outline.schemaVersion); only 2 is known.")
        }
        if let promised, let own = outline.mediaType, promised != own {
            throw OCIError(
                .malformedDocument,
                "The manifest calls itself \"\(OCIError.printable(own))\" but was announced as \"\(OCIError.printable(promised))\".")
        }
        let looksLikeManifest = outline.hasConfig || outline.hasLayers
        guard looksLikeManifest != outline.hasManifests else {
            throw OCIError(.malformedDocument, "The document must be either a manifest (config, layers) or an index (manifests).")
        }
        let assumed = looksLikeManifest ? MediaType.ociManifest : MediaType.ociIndex
        let mediaType = promised ?? outline.mediaType ?? assumed
        if looksLikeManifest, MediaType.manifests.contains(mediaType) {
            let manifest = try JSONDocument.decode(ImageManifest.self, from: bytes, place: "manifest")
            guard manifest.layers.count <= limits.layersMax else {
                throw OCIError(
                    .limitExceeded, "The image has \(manifest.layers.count) layers; at most \(limits.layersMax) are accepted.")
            }
            self = .manifest(manifest, mediaType: mediaType)
        } else if outline.hasManifests, MediaType.indexes.contains(mediaType) {
            let index = try JSONDocument.decode(ImageIndex.self, from: bytes, place: "index")
            guard index.manifests.count <= limits.manifestsMax else {
                throw OCIError(
                    .limitExceeded,
                    "The index names \(index.manifests.count) manifests; at most \(limits.manifestsMax) are accepted.")
            }
            self = .index(index, mediaType: mediaType)
        } else if MediaType.manifests.contains(mediaType) || MediaType.indexes.contains(mediaType) {
            throw OCIError(.malformedDocument, "The document's content does not fit its media type \(mediaType).")
        } else {
            throw OCIError(
                .unsupportedMediaType,
                "The document has the media type \"\(OCIError.printable(mediaType))\", which is no image manifest or index.")
        }
    }

    /// Types that say nothing: some registries and file servers answer with them.
    private static func isGeneric(_ type: String) -> Bool {
        ["", "application/json", "application/octet-stream", "text/plain", "binary/octet-stream"].contains(type)
    }
}

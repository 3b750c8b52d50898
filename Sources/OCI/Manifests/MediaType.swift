/// The media types this module knows. Source: OCI image specification 1.1, media-types.md; Docker "image manifest version 2, schema 2".
public enum MediaType {
    /// OCI image manifest.
    public static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    /// OCI image index.
    public static let ociIndex = "application/vnd.oci.image.index.v1+json"
    /// OCI image configuration.
    public static let ociConfiguration = "application/vnd.oci.image.config.v1+json"
    /// OCI layer, uncompressed tar.
    public static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    /// OCI layer, gzip.
    public static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    /// OCI layer, zstd.
    public static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    /// Docker image manifest.
    public static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    /// Docker manifest list.
    public static let dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
    /// Docker image configuration.
    public static let dockerConfiguration = "application/vnd.docker.container.image.v1+json"
    /// Docker layer, gzip.
    public static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    /// Docker layer, zstd, as written by newer Docker versions.
    public static let dockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd"
    /// Docker layer, uncompressed tar.
    public static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

    /// The empty configuration of an artifact, `{}`.
    public static let ociEmpty = "application/vnd.oci.empty.v1+json"

    static let manifests: Set<String> = [ociManifest, dockerManifest]
    static let indexes: Set<String> = [ociIndex, dockerIndex]
    static let configurations: Set<String> = [ociConfiguration, dockerConfiguration]

    /// What a registry is asked for, the `Accept` header of a manifest request.
    static let accepted = [ociIndex, ociManifest, dockerIndex, dockerManifest].joined(separator: ", ")

    /// Whether this is Docker's schema 1, whose layers cannot be checked against diff ids.
    static func isSchema1(_ type: String) -> Bool { type.hasPrefix("application/vnd.docker.distribution.manifest.v1") }

    /// The type without parameters, lower case, without white space around it.
    static func essence(of header: String) -> String {
        let bare = header.prefix { $0 != ";" }
        return String(bare.filter { $0 != " " && $0 != "\t" }).lowercased()
    }
}

/// How a layer's tar is compressed.
enum LayerCompression: String, Sendable, Hashable {
    case none
    case gzip
    case zstd

    /// Reads the compression out of a layer's media type.
    ///
    /// - Throws: `unsupported_media_type` for foreign (nondistributable) layers and for everything that is no layer.
    init(mediaType: String) throws(OCIError) {
        switch mediaType {
        case MediaType.ociLayer, MediaType.dockerLayer: self = .none
        case MediaType.ociLayerGzip, MediaType.dockerLayerGzip: self = .gzip
        case MediaType.ociLayerZstd, MediaType.dockerLayerZstd: self = .zstd
        default:
            let foreign = mediaType.contains("nondistributable") || mediaType.contains("foreign")
            throw OCIError(
                .unsupportedMediaType,
                foreign
                    ? "A layer is a foreign (nondistributable) layer, whose content is outside the registry; build the image without it."
                    : "A layer has the media type \"\(OCIError.printable(mediaType))\", which is no container layer; "
                        + "rebuild the image with tar, gzip or zstd layers.")
        }
    }
}

/// What lies under one digest in a `ContentStore`: everything is there and was checked.
public enum StoredContent: Hashable, Sendable {
    /// A container image, for one platform or several.
    case image(StoredImage)
    /// Files that are no container image: a WebAssembly module, a model.
    case artifact(StoredArtifact)

    /// Digest of the manifest or index.
    public var digest: Digest {
        switch self {
        case .image(let image): image.digest
        case .artifact(let artifact): artifact.digest
        }
    }

    /// The digests of everything under it, itself included.
    public var blobs: Set<Digest> {
        switch self {
        case .image(let image): image.blobs
        case .artifact(let artifact): Set(([artifact.manifest, artifact.config] + artifact.files).map(\.digest))
        }
    }

    /// The image.
    ///
    /// - Throws: `unsupported_media_type` for an artifact.
    public func requireImage() throws(OCIError) -> StoredImage {
        switch self {
        case .image(let image): return image
        case .artifact(let artifact):
            throw OCIError(
                .unsupportedMediaType,
                "The manifest \(artifact.digest) is no container image (its configuration is \"\(OCIError.printable(artifact.config.mediaType))\")."
            )
        }
    }
}

/// An artifact in a `ContentStore`: a manifest whose configuration is not that of a container image.
///
/// Source: OCI image specification 1.1, manifest.md, "Guidelines for Artifact Usage".
public struct StoredArtifact: Hashable, Sendable {
    /// The manifest.
    public let manifest: Descriptor
    /// What the manifest says it is: its `artifactType`, or else its configuration's media type.
    public let artifactType: String
    /// The configuration blob.
    public let config: Descriptor
    /// The files, in the manifest's order, at least one.
    public let files: [Descriptor]

    /// Digest of the manifest.
    public var digest: Digest { manifest.digest }

    /// The name of a file, as its author gave it: the annotation `org.opencontainers.image.title`, or else its digest's first digits.
    ///
    /// Anything may stand in it; it is not a safe path.
    public static func name(of file: Descriptor) -> String {
        file.annotations["org.opencontainers.image.title"] ?? String(file.digest.hex.prefix(12))
    }
}

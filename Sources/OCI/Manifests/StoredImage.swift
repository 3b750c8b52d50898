/// An image in a `ContentStore`: everything under one digest is there and was checked.
public struct StoredImage: Hashable, Sendable {
    /// The manifest or index that was asked for.
    public let descriptor: Descriptor
    /// The images for each platform, in the index's order; exactly one when `descriptor` is a manifest.
    public let images: [PlatformImage]
    /// Manifests of the index that are no images (build attestations): stored and digest-checked, never run.
    public let attachments: [Descriptor]
    /// Nested manifests and indexes below `descriptor`, in the order in which a registry wants them: children before parents.
    let documents: [Descriptor]

    /// The digests of everything under it, itself included.
    public var blobs: Set<Digest> {
        let parts = images.flatMap { [$0.manifest, $0.config] + $0.layers } + attachments + documents + [descriptor]
        return Set(parts.map(\.digest))
    }

    /// Digest of the manifest or index.
    public var digest: Digest { descriptor.digest }
    /// Media type of the manifest or index.
    public var mediaType: String { descriptor.mediaType }

    /// Returns the first image that runs on a machine of this platform.
    ///
    /// - Parameter host: the machine's platform.
    /// - Throws: `no_matching_platform`, naming the platforms there are.
    public func image(for host: Platform) throws(OCIError) -> PlatformImage {
        for image in images where image.platform.runs(on: host) { return image }
        let offered = images.prefix(8).map(\.platform.description).joined(separator: ", ")
        throw OCIError(
            .noMatchingPlatform,
            "The image is made for \(offered.isEmpty ? "no platform" : offered), not for \(host); build it for \(host) too.")
    }
}

/// One image for one platform, in a `ContentStore`.
public struct PlatformImage: Hashable, Sendable {
    /// The manifest.
    public let manifest: Descriptor
    /// The configuration blob.
    public let config: Descriptor
    /// The platform that the index names, or else the configuration's.
    public let platform: Platform
    /// The layers, lowest first; as many as `configuration.diffIDs`.
    public let layers: [Descriptor]
    /// The parsed configuration.
    public let configuration: ImageConfiguration

    /// Digest of the manifest.
    public var manifestDigest: Digest { manifest.digest }
    /// Digest of the configuration, which Docker and scanners call the image id.
    public var configDigest: Digest { config.digest }
}

/// A manifest: one configuration and its layers, or an artifact in that shape. Source: OCI image specification 1.1, manifest.md.
///
/// Decoding checks the shape only; `ManifestDocument` is the way to read one from outside, with all bounds.
public struct ImageManifest: Hashable, Sendable, Codable {
    /// Always 2.
    public let schemaVersion: Int
    /// Media type of this document, or `nil` when its author left it out.
    public let mediaType: String?
    /// Type of the artifact, when this is no image.
    public let artifactType: String?
    /// The configuration blob.
    public let config: Descriptor
    /// The layers, lowest first.
    public let layers: [Descriptor]
    /// The manifest that this one is about, for signatures and SBOMs.
    public let subject: Descriptor?
    /// Free notes; `nil` when absent.
    public let annotations: [String: String]?

    /// Makes an OCI manifest.
    ///
    /// - Parameters:
    ///   - config: the configuration blob.
    ///   - layers: the layers, lowest first.
    ///   - artifactType: type of the artifact, or `nil` for an image.
    ///   - subject: the manifest this one is about, or `nil`.
    ///   - annotations: free notes, or `nil`.
    public init(
        config: Descriptor, layers: [Descriptor], artifactType: String? = nil, subject: Descriptor? = nil,
        annotations: [String: String]? = nil
    ) {
        self.schemaVersion = 2
        self.mediaType = MediaType.ociManifest
        self.artifactType = artifactType
        self.config = config
        self.layers = layers
        self.subject = subject
        self.annotations = annotations
    }
}

/// An index: several manifests, mostly one per platform. Source: OCI image specification 1.1, image-index.md.
public struct ImageIndex: Hashable, Sendable, Codable {
    /// Always 2.
    public let schemaVersion: Int
    /// Media type of this document, or `nil` when its author left it out.
    public let mediaType: String?
    /// Type of the artifact, or `nil`.
    public let artifactType: String?
    /// The manifests, in the author's order of preference.
    public let manifests: [Descriptor]
    /// The manifest that this one is about, or `nil`.
    public let subject: Descriptor?
    /// Free notes; `nil` when absent.
    public let annotations: [String: String]?

    /// Makes an OCI index.
    ///
    /// - Parameters:
    ///   - manifests: the manifests, in order of preference.
    ///   - annotations: free notes, or `nil`.
    public init(manifests: [Descriptor], annotations: [String: String]? = nil) {
        self.schemaVersion = 2
        self.mediaType = MediaType.ociIndex
        self.artifactType = nil
        self.manifests = manifests
        self.subject = nil
        self.annotations = annotations
    }
}

/// Names a blob: its type, digest and exact size. Source: OCI image specification 1.1, descriptor.md.
public struct Descriptor: Hashable, Sendable, Codable {
    /// Media type of the blob.
    public let mediaType: String
    /// Digest of the blob's bytes.
    public let digest: Digest
    /// Number of bytes of the blob, at least 0.
    public let size: Int64
    /// Platform of the image, in an index only.
    public let platform: Platform?
    /// Type of the artifact, where the blob is an artifact's manifest.
    public let artifactType: String?
    /// Free notes, key to value; empty when there are none.
    public let annotations: [String: String]

    /// Makes a descriptor.
    ///
    /// - Parameters:
    ///   - mediaType: media type of the blob.
    ///   - digest: digest of its bytes.
    ///   - size: number of its bytes, at least 0.
    ///   - platform: platform of the image, in an index.
    ///   - artifactType: type of the artifact.
    ///   - annotations: free notes.
    public init(
        mediaType: String, digest: Digest, size: Int64, platform: Platform? = nil, artifactType: String? = nil,
        annotations: [String: String] = [:]
    ) {
        precondition(size >= 0, "a blob has no negative size")
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.artifactType = artifactType
        self.annotations = annotations
    }

    private enum CodingKeys: String, CodingKey {
        case mediaType, digest, size, platform, artifactType, annotations
    }

    /// Decodes the JSON object; unknown fields are ignored.
    ///
    /// - Throws: `OCIError` `malformed_document` for a negative size, `invalid_digest`; `DecodingError` for a wrong shape.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let size = try container.decode(Int64.self, forKey: .size)
        guard size >= 0 else { throw OCIError(.malformedDocument, "A descriptor has a negative size.") }
        self.init(
            mediaType: try container.decode(String.self, forKey: .mediaType),
            digest: try container.decode(Digest.self, forKey: .digest),
            size: size,
            platform: try container.decodeIfPresent(Platform.self, forKey: .platform),
            artifactType: try container.decodeIfPresent(String.self, forKey: .artifactType),
            annotations: try container.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:])
    }

    /// Encodes the JSON object; what is `nil` or empty is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encode(digest, forKey: .digest)
        try container.encode(size, forKey: .size)
        try container.encodeIfPresent(platform, forKey: .platform)
        try container.encodeIfPresent(artifactType, forKey: .artifactType)
        if !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
    }
}

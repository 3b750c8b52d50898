extension ArtifactKind {
    /// The media types that a file of this kind has in an OCI artifact, the preferred one first.
    ///
    /// Source: `application/wasm` is registered with IANA and is what the CNCF's "Wasm OCI Artifact layout" asks for; the two other
    /// WebAssembly types are those of older tools. Models have no registered type. Chosen: ours, and what people write by hand.
    public var mediaTypes: [String] {
        switch self {
        case .wasm:
            ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.content.layer.v1+wasm"]
        case .onnx: ["application/vnd.archipelago.onnx.v1", "application/onnx", "application/vnd.onnx.model"]
        case .coreml: ["application/vnd.archipelago.coreml.v1", "application/vnd.apple.coreml.model"]
        }
    }

    /// The kind of a file with a media type; `nil` for a type that nothing here can look into.
    public init?(mediaType: String) {
        guard let kind = Self.allCases.first(where: { $0.mediaTypes.contains(mediaType.lowercased()) }) else { return nil }
        self = kind
    }
}

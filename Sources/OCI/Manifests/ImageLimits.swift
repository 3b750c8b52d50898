/// How much of an image is taken in, everywhere in this module.
public struct ImageLimits: Hashable, Sendable {
    /// Largest manifest or index, in bytes. Source: the distribution specification asks registries for 4 MiB.
    public var manifestBytesMax: Int = 4 << 20
    /// Largest configuration, in bytes. Chosen: twice a manifest; real ones have 2 to 50 KiB.
    public var configurationBytesMax: Int = 8 << 20
    /// Most layers of one image, a count. Source: Docker's limit, 127.
    public var layersMax: Int = 127
    /// Most manifests in one index, a count. Chosen: official images have up to about 30 with attestations.
    public var manifestsMax: Int = 64
    /// Deepest nesting of indexes, a count; 1 means an index of manifests. Chosen: more than 2 was never seen.
    public var indexDepthMax: Int = 4
    /// Largest compressed layer, in bytes. Chosen: 4 GiB.
    public var layerBytesMax: Int64 = 4 << 30
    /// Most compressed bytes of everything under one reference. Chosen: 16 GiB.
    public var totalBytesMax: Int64 = 16 << 30
    /// Most uncompressed bytes of one layer. Chosen: 16 GiB.
    public var uncompressedLayerBytesMax: Int64 = 16 << 30

    /// The limits above.
    public init() {}
}

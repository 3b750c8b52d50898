/// How a layer is unpacked, and how much of it.
public struct UnpackOptions: Hashable, Sendable {
    /// Added to each entry's owner and group number, for user namespaces: host owner = number in the layer + offset.
    /// Owners are set only when the process is root; another user's process owns all files and must leave this at 0.
    public var idOffset: UInt32 = 0
    /// Highest owner or group number in a layer, when owners are set. Chosen: a usual user namespace maps 65,536 numbers.
    public var ownerIDMax: UInt32 = 65_535
    /// Most entries of all layers together, a count. Chosen: ten times a large desktop image.
    public var entriesMax: Int = 1_000_000
    /// Most uncompressed bytes of all layers together. Chosen: 16 GiB.
    public var totalBytesMax: Int64 = 16 << 30
    /// Largest file, in bytes. Chosen: 8 GiB, room for a model's weights.
    public var fileBytesMax: Int64 = 8 << 30
    /// Longest path in a layer, in bytes. Source: Linux `PATH_MAX` without its end.
    public var pathBytesMax: Int = 4095
    /// Deepest folder, a count of names from the root. Chosen: ten times the depth of real images.
    public var depthMax: Int = 256
    /// Whether each layer's uncompressed bytes are hashed against its diff id while they are unpacked.
    /// Off only for an image checked a moment ago in a store that nobody else can write.
    public var verifiesDiffIDs: Bool = true
    /// Whether everything is on disk before the folder gets its final name. Off for folders that a reboot may spoil (tmpfs, caches).
    public var isDurable: Bool = true

    /// The options above.
    public init() {}
}

/// What a publisher says of one version of a Cargo; every field may still be missing.
public struct SubmissionFields: Sendable, Hashable {
    /// The Cargo's name for people.
    public var name: String?
    /// The Cargo's name in addresses.
    public var slug: String?
    /// What the Cargo does.
    public var summary: String?
    /// What kind of program it is.
    public var runtimeType: String?
    /// The full image reference with registry and tag.
    public var containerImage: String?
    /// JSON Schema of a job's input, as JSON text.
    public var inputSchema: String?
    /// JSON Schema of a job's output, as JSON text.
    public var outputSchema: String?
    /// Credits for each job.
    public var pricePerJob: Int?
    /// Credits for each output token.
    public var pricePerToken: Int?
    /// Credits for each second.
    public var pricePerSecond: Int?
    /// GPU memory, in MB; default 0.
    public var requiredVRAMMegabytes: Int?
    /// CPU cores; default 1.
    public var requiredCPUCores: Int?
    /// Memory, in MB; default 256.
    public var requiredRAMMegabytes: Int?
    /// A category for discovery.
    public var category: String?
    /// Words for discovery.
    public var tags: [String]?
    /// The Island's share of a charge, in percent; default 70.
    public var revenueShare: Int?
    /// The digest that the image's tag must resolve to.
    public var imageDigest: String?
    /// The version; default: the image's tag.
    public var version: String?

    /// No field said yet.
    public init() {}
}

/// What a publisher left out is filled with these. Source: the product's documentation, "Resource Requirements" and "Optional Metadata".
public enum SubmissionDefaults {
    /// MB of GPU memory.
    public static let requiredVRAMMegabytes = 0
    /// CPU cores.
    public static let requiredCPUCores = 1
    /// MB of memory.
    public static let requiredRAMMegabytes = 256
    /// Percent.
    public static let revenueShare = 70
}

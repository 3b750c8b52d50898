/// The places that images may come from.
public struct ApprovedRegistries: Sendable, Hashable {
    /// Source: the product's documentation, "Approved registries".
    public static let standard = ["ghcr.io/archipelag-io", "docker.io/archipelag"]

    /// Registry hosts, each with an optional path below it, for example `ghcr.io/archipelag-io` or `127.0.0.1:5000`.
    public let prefixes: [String]

    /// The standard registries and those that the operator adds.
    public init(adding others: [String] = []) { prefixes = Self.standard + others }

    /// Whether an image name (registry and repository, no tag) lies in an approved place.
    ///
    /// Known value: `ghcr.io/archipelag-io/x` does, `ghcr.io/archipelag-io-evil/x` and `ghcr.io/archipelag-io` do not.
    public func contains(imageName: String) -> Bool { prefixes.contains { imageName.hasPrefix($0 + "/") } }

    /// Why an image is refused, with what would be right.
    public func refusal(of imageName: String) -> String {
        "\(imageName) is not in an approved registry; push the image to one of \(prefixes.joined(separator: ", "))"
    }
}

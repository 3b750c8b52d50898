/// A version of Trivy, `MAJOR.MINOR.PATCH` with an optional pre-release part.
public struct TrivyVersion: Sendable, Hashable, CustomStringConvertible {
    /// The first number, at least 0.
    public let major: Int
    /// The second number, at least 0.
    public let minor: Int
    /// The third number, at least 0.
    public let patch: Int
    /// The part after `-`, without it; `nil` for a release.
    public let preRelease: String?

    /// The lowest version that this product was tested with.
    ///
    /// Source: it is the first tried version that has `--disable-telemetry` and `--cache-backend memory`.
    public static let minimum = "0.76.0"

    /// Releases that were malicious. Source: the attack on Trivy's releases of March 2026.
    public static let malicious: Set<String> = ["0.69.4"]

    /// Parses a version as Trivy prints it: `0.76.0`, `v0.76.0`, `0.77.0-rc.1`, with an ignored build part after `+`.
    ///
    /// - Returns: `nil` for anything else, such as the `dev` of a build of one's own.
    public init?(_ text: String) {
        var rest = Substring(text)
        if rest.hasPrefix("v") { rest = rest.dropFirst() }
        if let plus = rest.firstIndex(of: "+") { rest = rest[..<plus] }
        var preRelease: String?
        if let dash = rest.firstIndex(of: "-") {
            preRelease = String(rest[rest.index(after: dash)...])
            rest = rest[..<dash]
            guard preRelease?.isEmpty == false else { return nil }
        }
        let numbers = rest.split(separator: ".", omittingEmptySubsequences: false).map(Self.number)
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
        self.preRelease = preRelease
    }

    /// The version without a leading `v` and without a build part.
    public var description: String {
        "\(major).\(minor).\(patch)" + (preRelease.map { "-" + $0 } ?? "")
    }

    /// Whether this product scans with this version: at least `minimum`, and none of `malicious`.
    ///
    /// A pre-release comes before its release, so `0.76.0-rc.1` is refused.
    /// Source: Semantic Versioning 2.0.0, section 11.
    public var isAccepted: Bool {
        guard !Self.malicious.contains("\(major).\(minor).\(patch)"), let lowest = TrivyVersion(Self.minimum) else { return false }
        let own = [major, minor, patch]
        let other = [lowest.major, lowest.minor, lowest.patch]
        return own == other ? preRelease == nil : other.lexicographicallyPrecedes(own)
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}

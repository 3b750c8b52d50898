/// A version `MAJOR.MINOR.PATCH` with an optional pre-release part and an optional leading `v`.
///
/// Source: Semantic Versioning 2.0.0. Build metadata (`+…`) is not taken: an image tag cannot hold it.
public struct SemanticVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The version as it was written, with its `v` if it had one.
    public let description: String
    /// The three numbers, each at least 0.
    public let numbers: [Int]
    /// The parts after the hyphen, parted by dots; empty for a release.
    public let prerelease: [String]

    private static let lengthMax = 64

    /// A version from text such as `v1.2.3` or `1.0.0-rc.1`; `nil` when it is none.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.lengthMax else { return nil }
        let bare = text.hasPrefix("v") ? text.dropFirst() : text[...]
        let halves = bare.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let texts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        let numbers = texts.compactMap { Self.number(String($0)) }
        guard texts.count == 3, numbers.count == 3 else { return nil }
        let prerelease = halves.count == 2 ? halves[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init) : []
        guard prerelease.allSatisfy(Self.isIdentifier) else { return nil }
        description = text
        self.numbers = numbers
        self.prerelease = prerelease
    }

    private static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func number(_ text: String) -> Int? {
        isDigits(text) && (text == "0" || !text.hasPrefix("0")) ? Int(text) : nil
    }

    private static func isIdentifier(_ text: String) -> Bool {
        guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.isASCII && ($0.properties.isAlphabetic || $0 == "-" || ("0"..."9").contains($0)) })
        else { return false }
        return !isDigits(text) || number(text) != nil
    }

    /// Precedence as in Semantic Versioning 2.0.0 §11.
    public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        if left.numbers != right.numbers { return left.numbers.lexicographicallyPrecedes(right.numbers) }
        if left.prerelease.isEmpty || right.prerelease.isEmpty { return !left.prerelease.isEmpty && right.prerelease.isEmpty }
        return left.prerelease.lexicographicallyPrecedes(right.prerelease, by: precedes)
    }

    /// Versions are equal when neither precedes the other: `v1.0.0` equals `1.0.0`.
    public static func == (left: SemanticVersion, right: SemanticVersion) -> Bool {
        left.numbers == right.numbers && left.prerelease == right.prerelease
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(numbers)
        hasher.combine(prerelease)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        switch (number(left), number(right)) {
        case (let left?, let right?): left < right
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }
}

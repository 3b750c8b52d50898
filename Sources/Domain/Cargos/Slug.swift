/// The name of a Cargo in addresses and commands: 3 to 63 characters of `a`–`z`, `0`–`9` and `-`.
public struct Slug: Sendable, Hashable, CustomStringConvertible {
    /// The slug as text.
    public let description: String

    /// The lengths that a slug may have, in characters.
    public static let lengths = 3...63

    /// A slug from text.
    ///
    /// - Throws: ``InvalidSlug`` when a character or the length does not fit.
    public init(_ text: String) throws(InvalidSlug) {
        let fits =
            Self.lengths.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
        guard fits else { throw InvalidSlug() }
        description = text
    }
}

/// A text is no slug.
public struct InvalidSlug: Error, Sendable, CustomStringConvertible {
    /// The rule, in words for people.
    public var description: String {
        "must be \(Slug.lengths.lowerBound) to \(Slug.lengths.upperBound) characters of a-z, 0-9 and '-'"
    }
}

/// An e-mail address that an account signs in with, in lower case.
///
/// Not every address that RFC 5321 allows: no quoted local parts, no address literals. What does not fit is refused in words.
public struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address in lower case.
    public let description: String

    /// Bytes at most. Source: RFC 5321 §4.5.3.1.3, a path of 256 with its angle brackets.
    public static let bytesMax = 254

    /// An address from text.
    ///
    /// - Throws: ``InvalidEmailAddress``.
    public init(_ text: String) throws(InvalidEmailAddress) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.bytesMax, parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else {
            throw InvalidEmailAddress()
        }
        description = text.lowercased()
    }

    /// A dot-atom of at most 64 bytes. Source: RFC 5322 §3.2.3, RFC 5321 §4.5.3.1.1.
    private static func isLocalPart(_ text: Substring) -> Bool {
        let atoms = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 64
            && atoms.allSatisfy { atom in
                !atom.isEmpty && atom.utf8.allSatisfy { isLetterOrDigit($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
            }
    }

    /// Labels of letters, digits and inner hyphens. Source: RFC 1123 §2.1.
    private static func isDomain(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
                && label.first != "-" && label.last != "-"
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// A text is no e-mail address that can be used here.
public struct InvalidEmailAddress: Error, Sendable, CustomStringConvertible {
    /// The rule, in words for people.
    public var description: String { "must be an e-mail address such as name@example.com" }
}

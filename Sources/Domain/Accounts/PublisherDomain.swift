/// A domain by which a publisher proves who it is: a host name, or for the laptop network a loopback host with a port.
public struct PublisherDomain: Sendable, Hashable, CustomStringConvertible {
    /// The domain in lower case, with a port only on loopback.
    public let description: String
    /// Whether it is this machine.
    public let isLoopback: Bool

    /// Where the domain serves its token.
    public static let path = "/.well-known/archipelago-publisher"

    /// The address to fetch the token from; plain HTTP only on loopback.
    public var url: String { "\(isLoopback ? "http" : "https")://\(description)\(Self.path)" }

    /// A domain from text.
    ///
    /// - Parameter allowsLoopback: whether `localhost` and `127.0.0.1`, each with an optional port, will do.
    /// - Throws: ``InvalidPublisherDomain``.
    public init(_ text: String, allowsLoopback: Bool) throws(InvalidPublisherDomain) {
        let lower = text.lowercased()
        let parts = lower.split(separator: ":", omittingEmptySubsequences: false)
        if allowsLoopback, let host = parts.first, host == "localhost" || host == "127.0.0.1" {
            guard parts.count == 1 || (parts.count == 2 && Int(parts[1]).map { (1...65_535).contains($0) } == true) else {
                throw InvalidPublisherDomain()
            }
            description = lower
            isLoopback = true
            return
        }
        let labels = lower.split(separator: ".", omittingEmptySubsequences: false)
        let fits = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || byte == UInt8(ascii: "-")
                }
        }
        // An address of numbers proves nothing about who holds it, and a name of one label is not on the Internet.
        guard fits, labels.count > 1, lower.utf8.count <= 253, labels.last?.contains(where: \.isLetter) == true else {
            throw InvalidPublisherDomain()
        }
        description = lower
        isLoopback = false
    }
}

/// A text is no domain that can prove an identity.
public struct InvalidPublisherDomain: Error, Sendable, CustomStringConvertible {
    /// The rule, in words for people.
    public var description: String { "must be a domain such as example.com, without scheme, port or path" }
}

/// An address on somebody else's server: `https://host[:port]/path`, without user information and fragment.
public struct OutboundURL: Sendable, Hashable, CustomStringConvertible {
    /// `https`, or `http` to loopback where the policy allows it.
    public let scheme: String
    /// A host name or an IP address; an IPv6 address without brackets. In lower case.
    public let host: String
    /// The port that was written; `nil` for the scheme's.
    public let port: Int?
    /// Path and query; begins with `/`.
    public let target: String

    /// Characters at most.
    public static let lengthMax = 2048

    /// An address from text.
    ///
    /// - Throws: ``OutboundError`` `unusableAddress` with the rule that it breaks.
    public init(_ text: String, policy: AddressPolicy) throws(OutboundError) {
        guard text.utf8.count <= Self.lengthMax, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .unusableAddress("must be at most \(Self.lengthMax) printable ASCII characters without spaces")
        }
        guard let separator = text.firstIndex(of: ":"), text[separator...].hasPrefix("://") else {
            throw .unusableAddress("must be an absolute URL such as https://example.com/hook")
        }
        scheme = text[..<separator].lowercased()
        guard scheme == "https" || (scheme == "http" && policy.allowsLoopback) else { throw .unusableAddress("must begin with https://") }
        let rest = text[text.index(separator, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { throw .unusableAddress("must not hold a user name or password") }
        let tail = rest.dropFirst(authority.count)
        guard !tail.contains("#") else { throw .unusableAddress("must not hold a fragment (#…)") }
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
        (host, port) = try Self.split(authority)
        if scheme == "http", !Self.isLoopback(host) { throw .unusableAddress("must begin with https://; plain http is for this machine only") }
    }

    /// The whole address.
    public var description: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(target)"
    }

    private static func split(_ authority: Substring) throws(OutboundError) -> (host: String, port: Int?) {
        var name = authority
        var port: Int?
        if authority.hasPrefix("["), let end = authority.lastIndex(of: "]") {
            name = authority[authority.index(after: authority.startIndex)..<end]
            port = try portNumber(authority[authority.index(after: end)...])
            guard name.contains(":") else { throw .unusableAddress("has no host") }
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            port = try portNumber(authority[colon...])
        }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard !name.isEmpty, name.utf8.count <= 253, allowed else { throw .unusableAddress("has no usable host name") }
        return (name.lowercased(), port)
    }

    private static func portNumber(_ text: Substring) throws(OutboundError) -> Int? {
        if text.isEmpty { return nil }
        guard text.first == ":", let port = Int(text.dropFirst()), (1...65_535).contains(port) else {
            throw .unusableAddress("has a port that is no number from 1 to 65535")
        }
        return port
    }

    private static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

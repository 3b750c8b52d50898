/// Which addresses of the Internet a stranger may make this server call.
///
/// A webhook's URL and a publisher's domain come from strangers; without this rule they could reach what stands behind the
/// operator's firewall (server-side request forgery).
public struct AddressPolicy: Sendable, Hashable {
    /// Whether loopback addresses and plain HTTP to them are allowed: for the laptop network and tests.
    public let allowsLoopback: Bool

    /// A policy.
    public init(allowsLoopback: Bool) { self.allowsLoopback = allowsLoopback }

    /// Whether an IPv4 address (4 bytes) or an IPv6 address (16 bytes), most significant byte first, may be called.
    ///
    /// Source: IANA's registries of special-purpose IPv4 and IPv6 addresses (RFC 6890): all that is not globally reachable is refused.
    /// IPv6 addresses that carry an IPv4 address (mapped, translated, 6to4) are judged by that one too.
    public func allows(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: allowsIPv4(address)
        case 16: allowsIPv6(address)
        default: false
        }
    }

    private func allowsIPv4(_ address: [UInt8]) -> Bool {
        if address[0] == 127 { return allowsLoopback }
        return !Self.closedIPv4.contains { Self.matches(address, $0.bytes, bits: $0.bits) }
    }

    private func allowsIPv6(_ address: [UInt8]) -> Bool {
        if address.dropLast().allSatisfy({ $0 == 0 }), address[15] == 1 { return allowsLoopback }
        for embedding in Self.embeddings where Self.matches(address, embedding.prefix, bits: embedding.prefix.count * 8) {
            return allowsIPv4(Array(address[embedding.offset..<embedding.offset + 4]))
        }
        // Only 2000::/3 is given out for global use.
        guard Self.matches(address, [0x20], bits: 3) else { return false }
        return !Self.closedIPv6.contains { Self.matches(address, $0.bytes, bits: $0.bits) }
    }

    private static func matches(_ address: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        let whole = bits / 8
        guard address.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
        let rest = bits % 8
        return rest == 0 || (address[whole] ^ prefix[whole]) >> UInt8(8 - rest) == 0
    }

    private static let closedIPv4: [(bytes: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([169, 254], 16), ([172, 16], 12), ([192, 0, 0], 24), ([192, 0, 2], 24),
        ([192, 88, 99], 24), ([192, 168], 16), ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24), ([224], 4), ([240], 4),
    ]

    private static let closedIPv6: [(bytes: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x3F, 0xFF, 0x00], 20),
    ]

    /// IPv6 prefixes inside which an IPv4 address stands, and where: mapped, NAT64 (RFC 6052), 6to4 (RFC 3056).
    private static let embeddings: [(prefix: [UInt8], offset: Int)] = [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 12), ([0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], 12), ([0x20, 0x02], 2),
    ]
}

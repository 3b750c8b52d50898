import Glibc

/// A range of IPv4 addresses, such as `10.0.0.0/8`.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    private let first: UInt32
    private let bits: Int

    /// - Parameter text: an address, or a network and the count of its leading bits.
    /// - Returns: `nil` for any other text, and for a network that has bits beyond its count.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { part in
            part.count <= 3 && part.allSatisfy { $0.isASCII && $0.isNumber } ? UInt8(part) : nil
        }
        guard parts.count <= 2, numbers.count == 4, let bits = parts.count == 2 ? Int(parts[1]) : 32, (0...32).contains(bits),
            parts.count == 1 || "\(bits)" == parts[1]
        else { return nil }
        var first: UInt32 = 0
        for number in numbers {
            guard let number else { return nil }
            first = first << 8 | UInt32(number)
        }
        guard first & ~Self.mask(bits) == 0 else { return nil }
        self.first = first
        self.bits = bits
    }

    private static func mask(_ bits: Int) -> UInt32 { bits == 0 ? 0 : ~0 << (32 - UInt32(bits)) }

    /// As it is read.
    public var description: String {
        "\(first >> 24).\(first >> 16 & 0xFF).\(first >> 8 & 0xFF).\(first & 0xFF)" + (bits == 32 ? "" : "/\(bits)")
    }

    /// Every address of this host's interfaces.
    static func ofHost() throws -> [AddressRange] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { throw SandboxError.systemCall("getifaddrs", errno) }
        defer { freeifaddrs(list) }
        var found: Set<AddressRange> = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else { continue }
            // Safety: an address of this family is a `sockaddr_in`; the list lives until it is freed.
            let number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt32(bigEndian: $0.pointee.sin_addr.s_addr) }
            if let range = AddressRange(number: number) { found.insert(range) }
        }
        return found.sorted { $0.first < $1.first }
    }

    private init?(number: UInt32) {
        first = number
        bits = 32
    }
}

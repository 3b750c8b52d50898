import Foundation

/// One address of a host.
struct ResolvedAddress: Sendable, Hashable {
    /// 4 bytes of IPv4 or 16 of IPv6, most significant first.
    let bytes: [UInt8]
    /// As text, for example `192.0.2.1`.
    let text: String

    /// Every address of a host name or address, as the system's resolver gives them; empty when there is none. Blocks.
    static func all(of host: String) -> [ResolvedAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // Safety: `list` is written by the call only when it returns 0, and freed below; `host` lives for the call.
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [ResolvedAddress] = []
        var next = list
        while let entry = next {
            if let address = ResolvedAddress(entry.pointee) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    private init?(_ entry: addrinfo) {
        guard let address = entry.ai_addr else { return nil }
        // Safety: `ai_family` says which structure `ai_addr` points to; it lives until freeaddrinfo.
        switch entry.ai_family {
        case AF_INET:
            bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) } }
        case AF_INET6:
            bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) } }
        default: return nil
        }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        // Safety: `name` has the size that is said; the address is the resolver's own.
        guard getnameinfo(address, entry.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

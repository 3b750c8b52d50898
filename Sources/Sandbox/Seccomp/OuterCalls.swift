import Domain

/// The calls of the filter that the runtime installs: ``DefaultCalls``, at level 3 ``NetworkCalls`` too.
struct OuterCalls {
    /// The calls that work whatever their arguments.
    let allowed: [CallRule]
    /// What `socket` may ask for.
    let addressFamilies: [AddressFamily]

    init(_ profile: SeccompProfile) {
        switch profile {
        case .minimal, .default: (allowed, addressFamilies) = (DefaultCalls.allowed, DefaultCalls.addressFamilies)
        case .network:
            (allowed, addressFamilies) = (DefaultCalls.allowed + NetworkCalls.allowed, DefaultCalls.addressFamilies + NetworkCalls.addressFamilies)
        case .gpu:
            allowed = DefaultCalls.allowed + NetworkCalls.allowed + NetworkCalls.forGPU
            addressFamilies = DefaultCalls.addressFamilies + NetworkCalls.addressFamilies
        }
    }
}

/// A kind of socket. Source: include/linux/socket.h.
enum AddressFamily: UInt64 {
    case unix = 1
    case internet = 2
    case internet6 = 10
    case netlink = 16

    var name: String {
        switch self {
        case .unix: "unix"
        case .internet: "IPv4"
        case .internet6: "IPv6"
        case .netlink: "netlink"
        }
    }
}

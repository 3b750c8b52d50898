/// What a Cargo with a network may reach: the public internet, and nothing of the host or of the networks that it stands in.
///
/// The rules stand in the cage's own network namespace, where the Cargo has no right to change them.
struct EgressRules: Sendable, Hashable {
    /// Ranges that the owner lets Cargos reach all the same.
    let allowed: [AddressRange]
    /// The host's own addresses, public ones too: what listens there may think that it is called from this machine.
    let ofHost: [AddressRange]

    /// Networks that are nobody's on the internet, with what they are.
    ///
    /// Source: the IANA IPv4 Special-Purpose Address Registry (RFC 6890), as of 2025, and RFC 5771 and RFC 1112 for what follows 224.0.0.0.
    static let special: [(range: String, purpose: String)] = [
        ("0.0.0.0/8", "this network"), ("10.0.0.0/8", "private"), ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "loopback"), ("169.254.0.0/16", "link-local, and the metadata services of clouds"), ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocols"), ("192.0.2.0/24", "documentation"), ("192.88.99.0/24", "relays that are gone"), ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "measurements"), ("198.51.100.0/24", "documentation"), ("203.0.113.0/24", "documentation"), ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, and broadcast"),
    ]

    /// The input of `iptables-restore`.
    var version4: String {
        let accept = allowed.map { "-A OUTPUT -d \($0) -j ACCEPT" }
        let reject = (Self.special.map(\.range) + ofHost.map(\.description)).map { "-A OUTPUT -d \($0) -j REJECT --reject-with icmp-net-prohibited" }
        return Self.table(input: ["-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"], output: accept + reject + ["-A OUTPUT -j ACCEPT"])
    }

    /// The input of `ip6tables-restore`: a cage has no IPv6 beyond itself.
    var version6: String { Self.table(input: [], output: []) }

    /// What is not accepted is dropped. A cage's own loopback is free.
    private static func table(input: [String], output: [String]) -> String {
        let lines =
            ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT DROP [0:0]", "-A INPUT -i lo -j ACCEPT", "-A OUTPUT -o lo -j ACCEPT"]
            + input + output + ["COMMIT"]
        return lines.joined(separator: "\n") + "\n"
    }
}

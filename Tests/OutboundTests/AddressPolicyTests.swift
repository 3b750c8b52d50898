import Foundation
import Outbound
import Testing

@Suite struct AddressPolicyTests {
    private static func bytes(_ text: String) throws -> [UInt8] {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var sixteen = [UInt8](repeating: 0, count: 16)
        try #require(inet_pton(AF_INET6, text, &sixteen) == 1)
        return sixteen
    }

    /// Source: IANA's registries of special-purpose addresses; each range at its first and last address.
    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0",
        "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
        "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::",
        "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::", "2001:db8::1", "2001::1", "fc00::1", "fdff::1",
        "fe80::1", "ff02::1", "100::1", "3fff::1", "4000::1", "::8.8.8.8",
    ])
    func closedAddressesAreRefused(text: String) throws {
        #expect(!AddressPolicy(allowsLoopback: false).allows(try Self.bytes(text)))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255",
        "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
        "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00::1",
    ])
    func openAddressesAreAllowed(text: String) throws {
        #expect(AddressPolicy(allowsLoopback: false).allows(try Self.bytes(text)))
    }

    @Test(arguments: ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"])
    func loopbackIsAllowedOnlyWhereThePolicySaysSo(text: String) throws {
        #expect(AddressPolicy(allowsLoopback: true).allows(try Self.bytes(text)))
        #expect(!AddressPolicy(allowsLoopback: true).allows(try Self.bytes("10.0.0.1")))
    }

    @Test(arguments: [0, 1, 3, 5, 15, 17]) func anAddressOfAnotherLengthIsNone(count: Int) {
        #expect(!AddressPolicy(allowsLoopback: true).allows([UInt8](repeating: 1, count: count)))
    }
}

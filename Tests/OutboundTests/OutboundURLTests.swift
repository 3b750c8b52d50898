import Outbound
import Testing

@Suite struct OutboundURLTests {
    @Test(arguments: [
        ("https://example.com", "https://example.com/"), ("HTTPS://Example.COM/Hook?a=b", "https://example.com/Hook?a=b"),
        ("https://example.com:8443/x", "https://example.com:8443/x"), ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://example.com?x", "https://example.com/?x"),
    ])
    func anAddressIsRead(text: String, expected: String) throws {
        #expect(try OutboundURL(text, policy: AddressPolicy(allowsLoopback: false)).description == expected)
    }

    @Test(arguments: [
        "", "example.com", "/hook", "http://example.com/", "ftp://example.com/", "https://", "https:///x", "https://user@example.com/",
        "https://user:pass@example.com/", "https://example.com/#x", "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:x/", "https://example.com:/", "https://ex_ample.com/", "https://[::1/",
        "https://[1.2.3.4]/", "https://bücher.example/", "file:///etc/passwd", "https://\u{0}/", "https://a:1:2/",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: OutboundError.self, "\(text)") { try OutboundURL(text, policy: AddressPolicy(allowsLoopback: false)) }
    }

    @Test func plainHTTPIsForLoopbackAlone() throws {
        let policy = AddressPolicy(allowsLoopback: true)
        for text in ["http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:80/"] {
            _ = try OutboundURL(text, policy: policy)
            #expect(throws: OutboundError.self) { try OutboundURL(text, policy: AddressPolicy(allowsLoopback: false)) }
        }
        #expect(throws: OutboundError.self) { try OutboundURL("http://example.com/", policy: policy) }
        #expect(throws: OutboundError.self) { try OutboundURL("http://10.0.0.1/", policy: policy) }
    }

    @Test(arguments: [(2048, true), (2049, false)]) func anAddressHasAtMost2048Characters(length: Int, isTaken: Bool) {
        let text = "https://example.com/" + String(repeating: "x", count: length - 20)
        #expect(((try? OutboundURL(text, policy: AddressPolicy(allowsLoopback: false))) != nil) == isTaken)
    }
}

import Testing

@testable import Sigstore

@Suite struct Base64Tests {
    /// Source: RFC 4648 §10; line ends may stand anywhere.
    @Test(arguments: [
        ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9v\nYm\r\nFy", "foobar"),
        ("Zg=\n=\n", "f"),
    ])
    func reads(_ text: String, _ bytes: String) { #expect(Base64.bytes(text) == Array(bytes.utf8)) }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v!", "Zg==Zg==", "Zm-_", "\u{0410}AAA"])
    func refuses(_ text: String) { #expect(Base64.bytes(text) == nil) }

    @Test func writesWhatItReads() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64.bytes(Base64.text(bytes)) == bytes)
        }
    }
}

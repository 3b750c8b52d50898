import Testing

@testable import Scanning

@Suite struct ScannerTextTests {
    @Test(arguments: [("a\nb\r\n\tc", "a b c"), ("\u{1B}[31mred", "[31mred"), ("\u{202E}x", "x"), ("", ""), ("\0a", "a"), ("é✓", "é✓")])
    func isOneLineWithoutControlCharacters(text: String, line: String) {
        #expect(ScannerText.oneLine(text) == line)
    }

    @Test(arguments: [(399, 399), (400, 400), (401, 401)])  // the cut is marked with one more character
    func isCut(length: Int, kept: Int) {
        let line = ScannerText.oneLine(String(repeating: "x", count: length))
        #expect(line.count == kept)
        #expect(line.hasSuffix("…") == (length > 400))
    }

    @Test(arguments: [0, 1, 8191, 8192, 8193, 32767, 32768, 32769, 200_000])
    func keepsTheStartAndTheEnd(count: Int) {
        for chunk in [1, 4096, 65536] where count / chunk < 5000 {
            var text = CutText()
            let bytes = (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            for start in stride(from: 0, to: count, by: chunk) {
                bytes[start..<min(count, start + chunk)].withUnsafeBytes { text.append($0) }
            }
            let all = String(decoding: bytes, as: UTF8.self)
            if count <= CutText.startBytesMax + CutText.endBytesMax {
                #expect(text.text == all)
            } else {
                #expect(text.text == all.prefix(CutText.startBytesMax) + "\n[…]\n" + all.suffix(CutText.endBytesMax))
            }
        }
    }

    @Test(arguments: [
        "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.123456789Z", "2026-11-01T23:59:60+01:00", "2026-11-01T00:00:00.1-11:30",
    ])
    func knowsATime(text: String) { #expect(RFC3339.isWellFormed(text)) }

    @Test(arguments: [
        "", "2026-11-01", "2026-11-01 00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-32T00:00:00Z", "2026-11-01T24:00:00Z",
        "2026-11-01T00:00:00", "2026-11-01T00:00:00.Z", "2026-11-01T00:00:00.1234567890Z", "2026-11-01T00:00:00+1:00",
        "2026-11-01T00:00:00ZZ", "2026-11-01T00:00:00+24:00", "2026-11-01T00:00:00<script>", "20x6-11-01T00:00:00Z",
    ])
    func knowsWhatIsNoTime(text: String) { #expect(!RFC3339.isWellFormed(text)) }

    @Test(
        arguments: [
            ("linux/amd64", "linux/amd64", true), ("linux/arm64", "linux/arm64/v8", true), ("linux/arm64/v8", "linux/arm64", true),
            ("linux/arm/v7", "linux/arm/v6", false), ("linux/arm64", "linux/amd64", false), ("windows/amd64", "linux/amd64", false),
            (nil, "linux/amd64", false), ("", "", false), ("linux", "linux", false), ("linux/amd64", "", false),
        ] as [(String?, String, Bool)])
    func comparesPlatforms(found: String?, expected: String, same: Bool) {
        #expect(Platform.matches(found, expected: expected) == same)
    }
}

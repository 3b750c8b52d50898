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

    @Test(arguments: [
        "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.123456789Z", "2026-11-01T23:59:60+01:00", "2026-11-01T00:00:00.1-11:30",
    ])
    func knowsATime(text: String) { #expect(RFC3339.isWellFormed(text)) }

    // Seconds from `date -u -d TIME +%s`.
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-01T00:00:00Z", 1_793_491_200), ("2024-02-29T12:34:56.789Z", 1_709_210_096),
        ("2020-03-01T00:00:00+02:30", 1_583_011_800), ("1999-12-31T23:59:59-01:00", 946_688_399),
    ])
    func countsSeconds(text: String, seconds: Int) { #expect(RFC3339.seconds(text) == seconds) }

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

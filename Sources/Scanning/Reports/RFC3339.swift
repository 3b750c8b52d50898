/// Times as the scanners write them.
enum RFC3339 {
    /// Whether the text has the shape of a time: `2026-11-01T00:00:00Z`, with an optional fraction and any offset.
    ///
    /// Fields are checked for their range, not for the length of the month.
    /// Source: RFC 3339, section 5.6; at most 9 digits of a second, as Go writes them.
    static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 35 else { return false }
        let separators: [(Int, UInt8)] = [(4, 0x2D), (7, 0x2D), (10, 0x54), (13, 0x3A), (16, 0x3A)]
        guard separators.allSatisfy({ bytes[$0.0] == $0.1 }) else { return false }
        let ranges: [(Int, Int, ClosedRange<Int>)] = [
            (0, 4, 0...9999), (5, 2, 1...12), (8, 2, 1...31), (11, 2, 0...23), (14, 2, 0...59), (17, 2, 0...60),
        ]
        guard ranges.allSatisfy({ isNumber(bytes[$0.0..<($0.0 + $0.1)], in: $0.2) }) else { return false }
        var rest = bytes[19...]
        if rest.first == 0x2E {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(digits.count) else { return false }
            rest = rest.dropFirst(1 + digits.count)
        }
        if rest.elementsEqual([0x5A]) { return true }
        guard rest.count == 6, let sign = rest.first, sign == 0x2B || sign == 0x2D else { return false }
        let start = rest.startIndex
        return isNumber(rest[(start + 1)..<(start + 3)], in: 0...23) && rest[start + 3] == 0x3A
            && isNumber(rest[(start + 4)..<(start + 6)], in: 0...59)
    }

    /// Whole seconds since 1970 UTC of a well-formed time; `nil` for any other text. A fraction is dropped.
    ///
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    static func seconds(_ text: String) -> Int? {
        guard isWellFormed(text) else { return nil }
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int { bytes[start..<(start + count)].reduce(0) { $0 * 10 + Int($1 - 0x30) } }
        let (month, day) = (number(5, 2), number(8, 2))
        let year = number(0, 4) - (month <= 2 ? 1 : 0)
        let (era, yearOfEra) = (year / 400, year % 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let time = number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2)
        var offset = 0
        if bytes.last != 0x5A {
            let start = bytes.count - 6
            offset = (number(start + 1, 2) * 3600 + number(start + 4, 2) * 60) * (bytes[start] == 0x2D ? -1 : 1)
        }
        return days * 86_400 + time - offset
    }

    private static func isNumber(_ digits: ArraySlice<UInt8>, in range: ClosedRange<Int>) -> Bool {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return range.contains(digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }
}

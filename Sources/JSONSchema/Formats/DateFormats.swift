/// Dates, times and durations. Source: RFC 3339 §5.6 and appendix A.
enum DateFormats {
    static let isDateTime: @Sendable (String) -> Bool = { text in
        guard let split = text.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "t") }) else { return false }
        return isDate(String(text[..<split])) && isTime(String(text[text.index(after: split)...]))
    }

    static let isDate: @Sendable (String) -> Bool = { text in
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = number(parts[0]), let month = number(parts[1]), let day = number(parts[2]),
            (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...lengths[month - 1]).contains(day)
    }

    static let isTime: @Sendable (String) -> Bool = { text in
        guard let zoneStart = text.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "z") || "+-".utf8.contains($0) }),
            let offset = offset(text[zoneStart...])
        else { return false }
        let halves = text[..<zoneStart].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if halves.count == 2, halves[1].isEmpty || !halves[1].utf8.allSatisfy({ Character.isDigit($0) }) { return false }
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 2, 2], let hour = number(parts[0]), let minute = number(parts[1]), let second = number(parts[2]),
            hour < 24, minute < 60, second < 61
        else { return false }
        // A leap second ends a day of UTC.
        return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 == 1439
    }

    /// Minutes east of UTC.
    private static func offset(_ text: Substring) -> Int? {
        if text.lowercased() == "z" { return 0 }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 2], let hour = number(parts[0]), let minute = number(parts[1]), hour < 24, minute < 60 else {
            return nil
        }
        return (text.hasPrefix("-") ? -1 : 1) * (hour * 60 + minute)
    }

    private static func number(_ text: Substring) -> Int? { text.utf8.allSatisfy { Character.isDigit($0) } ? Int(text) : nil }

    static let isDuration: @Sendable (String) -> Bool = { text in
        guard text.hasPrefix("P"), text.utf8.count > 1, text.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        let halves = text.dropFirst().split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard let dateUnits = units(halves[0]) else { return false }
        guard halves.count == 2 else { return dateUnits == "W" || isRun(dateUnits, of: "YMD") }
        guard let timeUnits = units(halves[1]), isRun(timeUnits, of: "HMS") else { return false }
        return dateUnits.isEmpty || isRun(dateUnits, of: "YMD")
    }

    /// The unit letters of counts such as `1Y2M`.
    private static func units(_ text: Substring) -> String? {
        var (units, digits) = ("", 0)
        for character in text {
            if let byte = character.asciiValue, Character.isDigit(byte) {
                digits += 1
            } else {
                guard digits > 0 else { return nil }
                units.append(character)
                digits = 0
            }
        }
        return digits == 0 ? units : nil
    }

    /// Whether units stand in order, none left out between two: years and days without months are none.
    private static func isRun(_ units: String, of order: String) -> Bool {
        !units.isEmpty && order.contains(units) && order.split(separator: units).count <= 2
    }
}

/// A moment in UTC, in milliseconds since 1970; what certificates, logs and time stamps are compared by.
public struct Moment: Sendable, Hashable, Comparable {
    public let milliseconds: Int

    public init(milliseconds: Int) { self.milliseconds = milliseconds }

    /// The last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
    static let secondsMax = 253_402_300_799

    /// Whole seconds since 1970; of what comes from outside, at most ``secondsMax``.
    public init(seconds: Int) { milliseconds = seconds * 1000 }

    public static func < (left: Moment, right: Moment) -> Bool { left.milliseconds < right.milliseconds }

    /// Reads a time as JSON of protocol buffers has it: RFC 3339, with up to nine digits of a second's fraction; `nil` for any other text.
    ///
    /// What is finer than a millisecond is cut off.
    init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 }
        }
        func stands(_ character: Character, at index: Int) -> Bool { index < bytes.count && bytes[index] == character.asciiValue }
        guard let year = number(0..<4), stands("-", at: 4), let month = number(5..<7), stands("-", at: 7), let day = number(8..<10),
            stands("T", at: 10), let hour = number(11..<13), stands(":", at: 13), let minute = number(14..<16), stands(":", at: 16),
            let second = number(17..<19)
        else { return nil }
        var end = 19
        var fraction = 0
        if stands(".", at: end) {
            let digits = bytes[20...].prefix { (0x30...0x39).contains($0) }.count
            guard (1...9).contains(digits), let thousandths = number(20..<20 + min(3, digits)) else { return nil }
            fraction = thousandths * [100, 10, 1][min(3, digits) - 1]
            end = 20 + digits
        }
        var eastward = 0
        if stands("+", at: end) || stands("-", at: end) {
            guard let hours = number(end + 1..<end + 3), stands(":", at: end + 3), let minutes = number(end + 4..<end + 6), hours < 24, minutes < 60,
                bytes.count == end + 6
            else { return nil }
            eastward = (hours * 60 + minutes) * (stands("-", at: end) ? -1 : 1)
        } else {
            guard stands("Z", at: end), bytes.count == end + 1 else { return nil }
        }
        guard let days = Self.days(year, month, day), hour < 24, minute < 60, second < 60 else { return nil }
        milliseconds = (((days * 24 + hour) * 60 + minute - eastward) * 60 + second) * 1000 + fraction
    }

    /// Days since 1970 of a date of the Gregorian calendar; `nil` for one that there is not.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        guard (1...12).contains(month), (1...9999).contains(year) else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        // Years counted from March, so that the leap day is the last.
        let (shifted, place) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * place + 2) / 5 + day - 1 - 719_468
    }
}

/// A span of time whose ends belong to it.
public struct Validity: Sendable, Hashable {
    public let start: Moment
    /// `nil` for one without an end.
    public let end: Moment?

    public init(start: Moment, end: Moment? = nil) {
        self.start = start
        self.end = end
    }

    public func contains(_ moment: Moment) -> Bool { start <= moment && end.map { moment <= $0 } != false }
}

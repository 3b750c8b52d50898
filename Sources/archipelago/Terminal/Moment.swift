import Foundation
import JSON

/// Moments and spans in words for people.
enum Moment {
    private static let second = 1, minute = 60, hour = 3600, day = 86_400, month = 30 * 86_400, year = 365 * 86_400

    /// A moment of the API as local time with its age: `2026-11-24 14:05 (3 h ago)`.
    ///
    /// - Parameter value: a text in RFC 3339; `-` is shown for `null`, other texts as they are.
    static func words(_ value: JSONValue?, now: Date = Date(), in zone: TimeZone = .current) -> String {
        guard let text = value?.string else { return "-" }
        guard let date = date(text) else { return text }
        return "\(local(date, in: zone)) (\(age(of: date, now: now)))"
    }

    /// Local time of day with seconds, for lines that come while one waits: `14:05:09`.
    static func clock(_ value: JSONValue?, in zone: TimeZone = .current) -> String {
        guard let text = value?.string, let date = date(text) else { return "--:--:--" }
        let parts = components(date, in: zone)
        return [parts.hour, parts.minute, parts.second].map { padded($0) }.joined(separator: ":")
    }

    /// A moment in RFC 3339, with or without fractions of a second.
    static func date(_ text: String) -> Date? {
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
            // A text that neither style reads is shown as it is.
            if let date = try? style.parse(text) { return date }
        }
        return nil
    }

    private static func components(_ date: Date, in zone: TimeZone) -> DateComponents {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
    }

    private static func local(_ date: Date, in zone: TimeZone) -> String {
        let parts = components(date, in: zone)
        return "\(parts.year ?? 0)-\(padded(parts.month))-\(padded(parts.day)) \(padded(parts.hour)):\(padded(parts.minute))"
    }

    private static func padded(_ number: Int?) -> String {
        let digits = String(number ?? 0)
        return digits.count < 2 ? "0" + digits : digits
    }

    private static func age(of date: Date, now: Date) -> String {
        let seconds = Int((now.timeIntervalSince1970 - date.timeIntervalSince1970).rounded(.down))
        if seconds >= 0 { return seconds < 2 ? "now" : "\(span(seconds: seconds)) ago" }
        return "in \(span(seconds: -seconds))"
    }

    /// A span in its largest unit: `40 s`, `5 min`, `3 h`, `12 d`, `4 months`, `2 years`; whole units, rounded down.
    static func span(seconds: Int) -> String {
        switch seconds {
        case ..<minute: "\(max(0, seconds)) s"
        case ..<hour: "\(seconds / minute) min"
        case ..<(2 * day): "\(seconds / hour) h"
        case ..<(2 * month): "\(seconds / day) d"
        case ..<(2 * year): "\(seconds / month) months"
        default: "\(seconds / year) years"
        }
    }
}

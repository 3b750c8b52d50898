import Foundation
import JSON

/// stdout for data, stderr for talk.
enum Terminal {
    /// Whether a person watches stderr, so that progress may be drawn there.
    static let isInteractive = isatty(STDERR_FILENO) == 1

    /// Whether colours on stdout reach a person who wants them. Source: no-color.org.
    static let hasColours =
        isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    /// How many cells wide stdout's terminal is; `nil` when stdout is none, so that nothing is cut for programs.
    static var width: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        // Safety: the call fills `size`, which lives on this stack, and is over when it returns.
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes a line of data to stdout.
    static func say(_ line: String) { write(line + "\n", to: .standardOutput) }

    /// Writes data to stdout as it is.
    static func put(_ text: String) { write(text, to: .standardOutput) }

    /// Writes JSON for programs to stdout.
    static func say(_ value: JSONValue) { say(value.text) }

    /// Writes a line of talk to stderr.
    static func talk(_ line: String) { write(line + "\n", to: .standardError) }

    /// Writes a question to stderr; the answer stands on the same line.
    static func ask(_ question: String) { write(question, to: .standardError) }

    /// Writes an error to stderr.
    static func complain(_ message: String) {
        let text = message.hasPrefix("Error: ") ? message : "Error: \(message)"
        talk(text)
    }

    /// Replaces the line of progress on stderr; nothing when nobody watches.
    static func progress(_ line: String) {
        if isInteractive { write("\r\u{1B}[K\(printable(line))", to: .standardError) }
    }

    /// Text of strangers without control characters, so that it cannot steer the terminal; tabs and line ends stay.
    static func printable(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = (scalar.value < 0x20 && scalar != "\n" && scalar != "\t") || (0x7F..<0xA0).contains(scalar.value)
            clean.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(clean)
    }

    private static func write(_ text: String, to file: FileHandle) {
        // A closed pipe: whoever read us has seen enough.
        try? file.write(contentsOf: Data(text.utf8))
    }
}

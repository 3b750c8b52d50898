/// A way in which a Cargo broke the I/O protocol.
public struct ProtocolViolation: Error, Sendable, Hashable, CustomStringConvertible {
    /// The names of the violations; stable, shown to publishers.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A line is not JSON (RFC 8259), repeats a member name, or is nested too deep.
        case notJSON = "not_json"
        /// A line is JSON but no object.
        case notObject = "not_object"
        /// An object has no `type`, or one that is not a non-empty string.
        case missingType = "missing_type"
        /// A frame of a known type lacks a key field, or has one of the wrong kind.
        case missingField = "missing_field"
        /// A line is longer than its trust level allows.
        case frameTooLarge = "frame_too_large"
        /// The whole output is longer than its trust level allows.
        case transcriptTooLarge = "transcript_too_large"
        /// The output ended without a `done` or `error` frame.
        case noTerminalFrame = "no_terminal_frame"
        /// Something came after the `done` or `error` frame.
        case frameAfterTerminal = "frame_after_terminal"
        /// The process failed without an `error` frame that says so.
        case nonzeroExit = "nonzero_exit"
    }

    /// Which rule was broken.
    public let code: Code
    /// What is wrong, in words for the publisher; holds no output of the Cargo but a type or field name.
    public let message: String
    /// The line it was seen at, from 1; for the violations of the end the number of lines written, 0 for none.
    public let line: Int

    init(_ code: Code, _ message: String, line: Int) {
        self.code = code
        self.message = message
        self.line = line
    }

    /// Name, place and words in one line.
    public var description: String { "\(code.rawValue) at line \(line): \(message)" }
}

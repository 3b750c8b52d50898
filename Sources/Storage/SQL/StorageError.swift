/// Why the database could not do what was asked.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable {
        /// A unique column already holds the value.
        case alreadyExists = "already_exists"
        /// Another constraint (a foreign key, a check) refuses the change.
        case constraint
        /// Another process holds the database.
        case busy
        /// The disk is full or fails, or the file is damaged.
        case unavailable
        /// A row has not the columns or types that the program expects.
        case unexpectedShape = "unexpected_shape"
        /// The database was written by a newer version of the program.
        case newerSchema = "newer_schema"
        /// Anything else that the database says.
        case failed
    }

    /// What kind of failure it is.
    public let code: Code
    /// The database's own words; for the log, not for users.
    public let message: String

    /// A failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}

/// One thing wrong with a document that somebody sent, and where.
public struct Problem: Sendable, Hashable {
    /// The place as a JSON pointer (RFC 6901), for example `/price_per_job`; empty for the whole document.
    public let pointer: String
    /// What is wrong and what would be right; safe to show.
    public let message: String

    /// A problem at a place.
    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }
}

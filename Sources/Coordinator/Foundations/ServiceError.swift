public import Domain
public import JSON

/// Why a use case did not do what was asked, in words that may be shown.
public struct ServiceError: Error, Sendable, CustomStringConvertible {
    /// What kind of refusal it is; each face has one table from kind to status or exit code.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// The request is no readable document.
        case malformed
        /// Nobody, or nobody known, asks.
        case unauthenticated
        /// The asker may not do this.
        case forbidden
        case notFound
        /// It was there once.
        case gone
        /// The address is there, but not for this method.
        case methodNotAllowed
        /// The asker has too few credits.
        case paymentRequired
        /// Too many requests in too short a time.
        case tooManyRequests
        /// The thing is not in a state for this.
        case conflict
        case tooLarge
        case unsupportedMediaType
        /// The document can be read, its content is wrong.
        case invalid
        /// Something that is needed does not answer now.
        case unavailable
        /// A mistake of ours; the message is a phrase and the cause goes to the log.
        case `internal`
    }

    /// What kind of refusal it is.
    public let kind: Kind
    /// A stable name, for example `scan_blocked`.
    public let code: String
    /// What happened, why, and what mends it.
    public let message: String
    /// Each thing that is wrong, with its place.
    public let details: [Problem]
    /// More facts for programs, for example the state a submission is in; members beside `code` and `message`.
    public let context: JSONObject
    /// The underlying error's words; for the log only.
    public let cause: String?

    /// A refusal.
    public init(
        _ kind: Kind, code: String, _ message: String, details: [Problem] = [], context: JSONObject = JSONObject(), cause: String? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.details = details
        self.context = context
        self.cause = cause
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }

    /// A document with wrong content: every problem at once.
    public static func invalid(_ problems: [Problem]) -> ServiceError {
        let count = problems.count == 1 ? "One field is" : "\(problems.count) fields are"
        return ServiceError(.invalid, code: "validation_failed", "\(count) missing or wrong; see details.", details: problems)
    }

    /// Nothing of that kind and name exists, or the asker may not know of it.
    public static func notFound(_ what: String) -> ServiceError {
        ServiceError(.notFound, code: "not_found", "There is no \(what).")
    }
}

extension Problem {
    /// A reader's mistake as a problem.
    public init(_ mistake: FieldReader.Mistake) { self.init(mistake.pointer, mistake.message) }
}

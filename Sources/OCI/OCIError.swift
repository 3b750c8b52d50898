/// The one error of this module: what went wrong, where, and what mends it.
///
/// Functions of this module throw either this or `CancellationError`.
public struct OCIError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is. Closed: callers may switch over it without `default`.
    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        /// The text is no full image reference (registry, repository, tag or digest).
        case invalidReference = "invalid_reference"
        /// The text is no digest of a supported algorithm.
        case invalidDigest = "invalid_digest"
        /// A manifest, index, configuration or layout is not what its format says.
        case malformedDocument = "malformed_document"
        /// A media type that is refused: schema 1, foreign layers, artifacts that are no images.
        case unsupportedMediaType = "unsupported_media_type"
        /// The registry answered that the repository, tag, manifest or blob does not exist; or a local file does not.
        case notFound = "not_found"
        /// The registry wants credentials, or others than those given.
        case unauthorized = "unauthorized"
        /// The registry knows who asks and refuses.
        case forbidden = "forbidden"
        /// The registry could not be reached, timed out, broke off or answered with a server error.
        case registryUnavailable = "registry_unavailable"
        /// The registry asked for fewer requests, and still did after all retries.
        case rateLimited = "rate_limited"
        /// The registry broke the distribution protocol, or tried to lead the client somewhere it must not go.
        case protocolViolation = "protocol_violation"
        /// The bytes do not have the promised digest.
        case digestMismatch = "digest_mismatch"
        /// There are more or fewer bytes than promised.
        case sizeMismatch = "size_mismatch"
        /// A layer's uncompressed bytes do not have the diff id that the configuration claims.
        case diffIDMismatch = "diff_id_mismatch"
        /// A limit of size, count or depth was reached.
        case limitExceeded = "limit_exceeded"
        /// A layer holds an entry that no honest image has: a path out of the root, a device, a damaged archive.
        case hostileLayer = "hostile_layer"
        /// A blob that a manifest names is not there.
        case missingBlob = "missing_blob"
        /// The local disk, its permissions or its free space failed us.
        case storageFailure = "storage_failure"
        /// No image of the index fits the wanted platform.
        case noMatchingPlatform = "no_matching_platform"
    }

    /// What kind of failure it is.
    public let code: Code
    /// One or two sentences, safe to show to users: no secrets, no control characters from outside. At most a few hundred characters.
    public let message: String
    /// Text for the log, from a library or the system; never shown to users. `nil` when there is nothing more to say.
    public let cause: String?

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: the kind.
    ///   - message: text safe to show; pass outside text through `OCIError.printable`.
    ///   - cause: text for the log.
    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// `code: message`, without the cause.
    public var description: String { "\(code.rawValue): \(message)" }

    /// Makes outside text fit for a message: control and non-ASCII characters become `?`, the rest is cut at `lengthMax`.
    ///
    /// - Parameters:
    ///   - text: any text.
    ///   - lengthMax: characters kept, a count of at least 1.
    /// - Returns: printable ASCII, at most `lengthMax` characters and an ellipsis of three dots.
    static func printable(_ text: String, lengthMax: Int = 160) -> String {
        var kept = ""
        var length = 0
        for scalar in text.unicodeScalars {
            if length == lengthMax { return kept + "..." }
            kept.unicodeScalars.append((0x20...0x7e).contains(scalar.value) ? scalar : "?")
            length += 1
        }
        return kept
    }
}

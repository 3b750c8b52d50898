/// A full image reference: `registry/repository[:tag][@digest]`.
///
/// A value that exists is well formed. Source: the grammar of github.com/distribution/reference, with one difference:
/// the registry must be written, since a name without one means another image on another machine.
/// `docker.io/nginx` is read as `docker.io/library/nginx`, as Docker does; registry names become lower case.
public struct ImageReference: Hashable, Sendable, CustomStringConvertible, Codable {
    /// Host and perhaps port, lower case: `ghcr.io`, `127.0.0.1:5000`, `[::1]:5000`.
    public let registry: String
    /// The path below the registry, at most 255 characters: `archipelag-io/echo`.
    public let repository: String
    /// The tag, 1 to 128 characters, or `nil`.
    public let tag: String?
    /// The digest of the manifest or index, or `nil`.
    public let digest: Digest?

    /// Longest repository that registries accept, in characters. Source: distribution/reference, `RepositoryNameTotalLengthMax`.
    static let repositoryLengthMax = 255
    /// Longest tag, in characters. Source: the same grammar, `[\w][\w.-]{0,127}`.
    static let tagLengthMax = 128
    /// Longest text looked at, in characters. Chosen: longest registry (DNS, 253 and a port), repository, tag and digest together.
    static let textLengthMax = 1024

    /// Parses a reference.
    ///
    /// - Parameter text: the reference, without `https://` and without white space.
    /// - Throws: `invalid_reference`, with what is wrong and how to write it; `invalid_digest` for a bad digest part.
    public init(parsing text: String) throws(OCIError) {
        func refuse(_ why: String) -> OCIError {
            OCIError(
                .invalidReference,
                "\"\(OCIError.printable(text))\" is no image reference: \(why). Write registry/repository:tag, "
                    + "for example ghcr.io/archipelag-io/echo:v1.0.0.")
        }
        guard !text.isEmpty, text.utf8.count <= Self.textLengthMax else {
            throw refuse("it is empty or longer than \(Self.textLengthMax) characters")
        }
        // Before anything is lower-cased: outside ASCII, other letters become plain ones (the Kelvin sign becomes k).
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw refuse("it has white space or characters outside ASCII")
        }
        guard !text.contains("://") else { throw refuse("it starts with a URL scheme") }
        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(String(rest[rest.index(after: at)...]))
            rest = rest[..<at]
        }
        guard let slash = rest.firstIndex(of: "/") else { throw refuse("the registry is missing") }
        let registry = rest[..<slash].lowercased()
        guard ReferenceGrammar.looksLikeRegistry(registry) else { throw refuse("the registry is missing") }
        guard ReferenceGrammar.isRegistry(registry) else { throw refuse("the registry is no host name with an optional port") }
        var path = rest[rest.index(after: slash)...]
        var tag: String?
        if let colon = path.firstIndex(of: ":") {
            let written = String(path[path.index(after: colon)...])
            guard ReferenceGrammar.isTag(written) else {
                throw refuse("the tag is not 1 to 128 of letters, digits, '_', '.' and '-', the first no '.' or '-'")
            }
            tag = written
            path = path[..<colon]
        }
        var repository = String(path)
        let isDockerHub = registry == "docker.io" || registry == "index.docker.io"
        if isDockerHub, !repository.contains("/") { repository = "library/\(repository)" }
        guard ReferenceGrammar.isRepository(repository) else {
            throw refuse("the repository is not lower-case names parted by '/'")
        }
        self.registry = isDockerHub ? "docker.io" : registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    private init(registry: String, repository: String, tag: String?, digest: Digest?) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// `registry/repository`, without tag and digest.
    public var name: String { "\(registry)/\(repository)" }

    /// The whole reference as text; parsing it gives an equal value.
    public var description: String {
        name + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// Returns the same reference with a digest, keeping the tag.
    public func with(digest: Digest) -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: tag, digest: digest)
    }

    /// Returns the same repository with another tag and no digest, since a digest belongs to the old tag.
    ///
    /// - Throws: `invalid_reference` when the tag does not fit the grammar.
    public func with(tag: String) throws(OCIError) -> ImageReference {
        guard ReferenceGrammar.isTag(tag) else {
            throw OCIError(
                .invalidReference,
                "\"\(OCIError.printable(tag))\" is no tag; use 1 to 128 of letters, digits, '_', '.' and '-'.")
        }
        return ImageReference(registry: registry, repository: repository, tag: tag, digest: nil)
    }

    /// Returns the reference without its tag; the digest stays.
    public func withoutTag() -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: nil, digest: digest)
    }

    /// Decodes from a JSON string.
    ///
    /// - Throws: `OCIError` as `init(parsing:)`, or `DecodingError` when it is no string.
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes as a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

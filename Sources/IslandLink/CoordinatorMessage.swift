public import Domain
public import JSON

/// What the coordinator says to an Island.
public enum CoordinatorMessage: Sendable, Hashable {
    /// The answer to `hello`: the Island's id and, for each attempt that it still may go on with, the number of its newest
    /// stored frame. Attempts that are not named are lost; the Island ends and forgets them.
    case welcome(island: String, resume: [Resumption])
    /// Run this.
    case assign(Assignment)
    /// Frames of an attempt up to this number are on disk.
    case stored(AttemptID, upTo: Int)
    /// End this attempt; nobody wants it any more.
    case cancel(AttemptID)
    /// The end of an attempt was taken note of; the Island forgets it.
    case settled(AttemptID)
    /// Signatures of images of these digests were taken back: what was admitted of them counts no more, and later assignments say who may sign.
    case revoked([String])

    /// An attempt that goes on after a reconnect.
    public struct Resumption: Sendable, Hashable {
        /// The attempt.
        public let attempt: AttemptID
        /// The number of its newest stored frame, 0 for none.
        public let storedUpTo: Int

        /// An attempt that goes on.
        public init(attempt: AttemptID, storedUpTo: Int) {
            self.attempt = attempt
            self.storedUpTo = storedUpTo
        }
    }

    /// Who may have signed an image.
    public enum Signer: Sendable, Hashable {
        /// The holder of a key, in PEM.
        case key(String)
        /// The holder of a certificate with a name that an OpenID Connect issuer vouches for.
        case identity(String, issuer: String)
    }

    /// The contents of `assign`.
    public struct Assignment: Sendable, Hashable {
        /// The attempt.
        public let attempt: AttemptID
        /// The Cargo's slug, for the Island's owner to read.
        public let slug: String
        /// The kind of Cargo.
        public let runtime: RuntimeType
        /// The full image reference.
        public let image: String
        /// The digest that must be run, whatever the tag says now.
        public let digest: String
        /// The level whose sandbox it runs in.
        public let level: TrustLevel
        /// Wall-clock time that the Cargo may take, in milliseconds.
        public let timeoutMilliseconds: Int
        /// The object for its stdin.
        public let input: JSONObject
        /// Who may have signed the image; of no concern below level 2.
        public let signers: [Signer]

        /// The contents of `assign`.
        public init(
            attempt: AttemptID, slug: String, runtime: RuntimeType, image: String, digest: String, level: TrustLevel,
            timeoutMilliseconds: Int, input: JSONObject, signers: [Signer] = []
        ) {
            self.attempt = attempt
            self.slug = slug
            self.runtime = runtime
            self.image = image
            self.digest = digest
            self.level = level
            self.timeoutMilliseconds = timeoutMilliseconds
            self.input = input
            self.signers = signers
        }
    }
}

extension CoordinatorMessage {
    /// The message as it goes over the link: one JSON object, `type` first.
    public var text: String { json.text }

    private var json: JSONObject {
        switch self {
        case .welcome(let island, let resume):
            let attempts = resume.map { resumption -> JSONValue in
                var object = resumption.attempt.members
                object["stored_up_to"] = .int(resumption.storedUpTo)
                return .object(object)
            }
            return ["type": "welcome", "version": .int(LinkVersion.current), "island": .string(island), "resume": .array(attempts)]
        case .assign(let assignment):
            var object = assignment.membersWithoutInput
            object["input"] = .object(assignment.input)
            return object
        case .stored(let attempt, let upTo):
            var object = attempt.message("stored")
            object["up_to"] = .int(upTo)
            return object
        case .cancel(let attempt): return attempt.message("cancel")
        case .settled(let attempt): return attempt.message("settled")
        case .revoked(let digests): return ["type": "revoked", "digests": .array(digests.map(JSONValue.string))]
        }
    }

    /// Reads a message.
    ///
    /// - Throws: ``LinkError`` naming the place; nothing of a wrong message is used.
    public init(parsing text: String) throws(LinkError) {
        let (type, object) = try LinkText.open(text)
        var reader = FieldReader(object)
        switch type {
        case "welcome": self = try Self.welcome(&reader)
        case "assign": self = .assign(try Assignment(&reader))
        case "stored":
            self = .stored(try AttemptID(&reader), upTo: try reader.need("up_to", reader.int("up_to", in: 0...LinkLimits.frameNumberMax)))
        case "cancel": self = .cancel(try AttemptID(&reader))
        case "settled": self = .settled(try AttemptID(&reader))
        case "revoked": self = .revoked(try reader.need("digests", reader.strings("digests")))
        default: throw LinkError("/type is not a message of a coordinator")
        }
    }

    private static func welcome(_ reader: inout FieldReader) throws(LinkError) -> CoordinatorMessage {
        let version = try reader.need("version", reader.int("version"))
        guard version == LinkVersion.current else {
            throw LinkError("the coordinator speaks version \(version) of the link, this Island \(LinkVersion.current); update the older one")
        }
        let island = try reader.need("island", reader.string("island"))
        var resume: [Resumption] = []
        for (index, value) in try reader.need("resume", reader.array("resume")).enumerated() {
            guard case .object(let object) = value else { throw LinkError("/resume/\(index) must be an object") }
            var inner = FieldReader(object, at: "/resume/\(index)")
            let attempt = try AttemptID(&inner)
            resume.append(
                Resumption(attempt: attempt, storedUpTo: try inner.need("stored_up_to", inner.int("stored_up_to", in: 0...LinkLimits.frameNumberMax)))
            )
        }
        return .welcome(island: island, resume: resume)
    }
}

extension CoordinatorMessage.Assignment {
    /// The message as it goes over the link with another input, which may be megabytes and is not read for it.
    ///
    /// - Parameter input: JSON text of an object, compact.
    public func text(withInput input: String) -> String {
        var text = membersWithoutInput.text
        text.removeLast()
        return text + #","input":"# + input + "}"
    }

    fileprivate var membersWithoutInput: JSONObject {
        var object = attempt.message("assign")
        object["slug"] = .string(slug)
        object["runtime_type"] = .string(runtime.rawValue)
        object["image"] = .string(image)
        object["digest"] = .string(digest)
        object["trust_level"] = .int(level.rawValue)
        object["timeout_ms"] = .int(timeoutMilliseconds)
        if !signers.isEmpty { object["signers"] = .array(signers.map(\.json)) }
        return object
    }

    fileprivate init(_ reader: inout FieldReader) throws(LinkError) {
        attempt = try AttemptID(&reader)
        slug = try reader.need("slug", reader.string("slug"))
        runtime = try reader.need("runtime_type", reader.string("runtime_type").flatMap(RuntimeType.init))
        image = try reader.need("image", reader.string("image"))
        digest = try reader.need("digest", reader.string("digest"))
        level = try reader.need("trust_level", reader.int("trust_level").flatMap(TrustLevel.init))
        timeoutMilliseconds = try reader.need("timeout_ms", reader.int("timeout_ms", in: 1...Int.max))
        input = try reader.need("input", reader.object("input"))
        var signers: [CoordinatorMessage.Signer] = []
        for (index, value) in (reader.array("signers") ?? []).enumerated() {
            guard index < LinkLimits.signersMax, case .object(let object) = value else {
                throw LinkError("/signers/\(index) must be an object, of few")
            }
            signers.append(try CoordinatorMessage.Signer(object, at: "/signers/\(index)"))
        }
        self.signers = signers
    }
}

extension CoordinatorMessage.Signer {
    fileprivate var json: JSONValue {
        switch self {
        case .key(let pem): ["key": .string(pem)]
        case .identity(let name, let issuer): ["identity": .string(name), "issuer": .string(issuer)]
        }
    }

    fileprivate init(_ object: JSONObject, at pointer: String) throws(LinkError) {
        var reader = FieldReader(object, at: pointer)
        if let key = reader.string("key") {
            self = .key(key)
        } else {
            self = .identity(try reader.need("identity", reader.string("identity")), issuer: try reader.need("issuer", reader.string("issuer")))
        }
    }
}

public import Domain
public import JSON

/// What an Island says to the coordinator.
public enum IslandMessage: Sendable, Hashable {
    /// First on every connection: who speaks, what it can do, and every attempt that it still holds.
    case hello(Hello)
    /// Renews the leases of the attempts named.
    case heartbeat([AttemptID])
    /// The Cargo of an attempt runs.
    case started(AttemptID)
    /// Frames of an attempt, numbered on from `first`, each one JSON object as the Cargo wrote it.
    case frames(AttemptID, first: Int, frames: [JSONObject])
    /// An attempt is over.
    case finished(Finished)

    /// The contents of `hello`.
    public struct Hello: Sendable, Hashable {
        /// The link's version, as the Island speaks it.
        public let version: Int
        /// What the Island can do.
        public let capabilities: IslandCapabilities
        /// Attempts that it holds: running, or over and not yet settled.
        public let attempts: [AttemptID]
        /// Digests of images that it has, at most ``LinkLimits/imagesMax``.
        public let images: [String]

        /// The contents of `hello`.
        public init(version: Int = LinkVersion.current, capabilities: IslandCapabilities, attempts: [AttemptID], images: [String] = []) {
            self.version = version
            self.capabilities = capabilities
            self.attempts = attempts
            self.images = Array(images.prefix(LinkLimits.imagesMax))
        }
    }

    /// The contents of `finished`.
    public struct Finished: Sendable, Hashable {
        /// The attempt.
        public let attempt: AttemptID
        /// Frames sent before, all of which must be stored first; the terminal frame is not among them.
        public let frames: Int
        /// The Cargo's `done` frame; `nil` for a failure.
        public let done: JSONObject?
        /// Why it failed; `nil` when it ended well.
        public let failure: JobFailure?
        /// Wall-clock time of the Cargo, in milliseconds.
        public let runMilliseconds: Int
        /// Time on the CPU, in milliseconds.
        public let cpuMilliseconds: Int
        /// The most memory held at once, in bytes.
        public let peakMemoryBytes: Int

        /// The contents of `finished`; exactly one of `done` and `failure` is not `nil`.
        public init(
            attempt: AttemptID, frames: Int, done: JSONObject?, failure: JobFailure?, runMilliseconds: Int, cpuMilliseconds: Int,
            peakMemoryBytes: Int
        ) {
            self.attempt = attempt
            self.frames = frames
            self.done = done
            self.failure = failure
            self.runMilliseconds = runMilliseconds
            self.cpuMilliseconds = cpuMilliseconds
            self.peakMemoryBytes = peakMemoryBytes
        }
    }
}

extension IslandMessage {
    /// The message as it goes over the link: one JSON object, `type` first.
    public var text: String { json.text }

    private var json: JSONObject {
        switch self {
        case .hello(let hello):
            return [
                "type": "hello", "version": .int(hello.version), "capabilities": .object(hello.capabilities.json),
                "attempts": .array(hello.attempts.map { .object($0.members) }), "images": .array(hello.images.map(JSONValue.string)),
            ]
        case .heartbeat(let attempts): return ["type": "heartbeat", "attempts": .array(attempts.map { .object($0.members) })]
        case .started(let attempt): return attempt.message("started")
        case .frames(let attempt, let first, let frames):
            var object = attempt.message("frames")
            object["first"] = .int(first)
            object["frames"] = .array(frames.map(JSONValue.object))
            return object
        case .finished(let end):
            var object = end.attempt.message("finished")
            object["frames"] = .int(end.frames)
            object["done"] = end.done.map(JSONValue.object)
            object["failure"] = end.failure.map { .object($0.json) }
            object["run_ms"] = .int(end.runMilliseconds)
            object["cpu_ms"] = .int(end.cpuMilliseconds)
            object["peak_memory_bytes"] = .int(end.peakMemoryBytes)
            return object
        }
    }

    /// Reads a message.
    ///
    /// - Throws: ``LinkError`` naming the place; nothing of a wrong message is used.
    public init(parsing text: String) throws(LinkError) {
        let (type, object) = try LinkText.open(text)
        var reader = FieldReader(object)
        switch type {
        case "hello": self = .hello(try Hello(&reader))
        case "heartbeat": self = .heartbeat(try reader.attempts("attempts"))
        case "started": self = .started(try AttemptID(&reader))
        case "frames":
            let attempt = try AttemptID(&reader)
            let first = try reader.need("first", reader.int("first", in: 1...LinkLimits.frameNumberMax))
            let values = try reader.need("frames", reader.array("frames"))
            let frames = values.compactMap(\.object)
            guard frames.count == values.count, !frames.isEmpty, frames.count <= LinkLimits.framesMax else {
                throw LinkError("/frames must be 1 to \(LinkLimits.framesMax) objects")
            }
            self = .frames(attempt, first: first, frames: frames)
        case "finished": self = .finished(try Finished(&reader))
        default: throw LinkError("/type is not a message of an Island")
        }
    }
}

extension IslandMessage.Hello {
    fileprivate init(_ reader: inout FieldReader) throws(LinkError) {
        version = try reader.need("version", reader.int("version"))
        capabilities = try IslandCapabilities(json: try reader.need("capabilities", reader.object("capabilities")))
        attempts = try reader.attempts("attempts")
        // An Island of an earlier version says nothing of these.
        images = Array((reader.strings("images") ?? []).filter { $0.utf8.count <= LinkLimits.digestBytesMax }.prefix(LinkLimits.imagesMax))
        try reader.requireSound()
    }
}

extension IslandMessage.Finished {
    fileprivate init(_ reader: inout FieldReader) throws(LinkError) {
        attempt = try AttemptID(&reader)
        frames = try reader.need("frames", reader.int("frames", in: 0...LinkLimits.frameNumberMax))
        done = reader.object("done")
        if let object = reader.object("failure") { failure = try JobFailure(json: object) } else { failure = nil }
        runMilliseconds = try reader.need("run_ms", reader.int("run_ms", in: 0...Self.millisecondsMax))
        cpuMilliseconds = try reader.need("cpu_ms", reader.int("cpu_ms", in: 0...Self.millisecondsMax))
        peakMemoryBytes = try reader.need("peak_memory_bytes", reader.int("peak_memory_bytes", in: 0...Int.max))
        try reader.requireSound()
        guard (done == nil) != (failure == nil) else { throw LinkError("exactly one of /done and /failure must be there") }
    }

    /// A day: far above the longest level, and small enough for every sum.
    private static let millisecondsMax = 86_400_000
}

extension AttemptID {
    func message(_ type: String) -> JSONObject {
        var object: JSONObject = ["type": .string(type)]
        for member in members.members { object[member.name] = member.value }
        return object
    }
}

extension FieldReader {
    /// Chosen: more attempts than any Island holds.
    private static let attemptsMax = 4096

    mutating func attempts(_ name: String) throws(LinkError) -> [AttemptID] {
        let values = try need(name, array(name))
        guard values.count <= Self.attemptsMax else { throw LinkError("/\(name) must be at most \(Self.attemptsMax)") }
        var attempts: [AttemptID] = []
        for (index, value) in values.enumerated() {
            guard case .object(let object) = value else { throw LinkError("/\(name)/\(index) must be an object") }
            var reader = FieldReader(object, at: "/\(name)/\(index)")
            attempts.append(try AttemptID(&reader))
        }
        return attempts
    }
}

enum LinkText {
    /// Opens the envelope that all messages share.
    static func open(_ text: String) throws(LinkError) -> (type: String, object: JSONObject) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text, limits: .init(bytesMax: LinkLimits.messageBytesMax, depthMax: 128))
        } catch {
            throw LinkError("the message is not JSON: \(error)")
        }
        guard case .object(let object) = value else { throw LinkError("the message must be an object") }
        guard let type = object["type"]?.string else { throw LinkError("/type is required") }
        return (type, object)
    }
}

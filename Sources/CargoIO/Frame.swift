public import JSON

/// One JSON line that a Cargo wrote, exactly as written.
///
/// A frame that exists is a JSON object with a non-empty string `type`, and has the key fields of its type if that is
/// a known one. Other types and further members are allowed and kept.
public struct Frame: Sendable, Hashable {
    /// The types that the protocol knows, with their key fields.
    ///
    /// Source: the product documentation, "I/O Protocol".
    public enum KnownType: String, Sendable, Hashable, CaseIterable {
        /// Informational update: `message`.
        case status
        /// Streamed text: `content`.
        case token
        /// Progress by steps: `step`, `total`.
        case progress
        /// A completed image: `data` (base64), `format`, `width`, `height`.
        case image
        /// Successful end: `usage`, optional.
        case done
        /// Failed end: `message`.
        case error
    }

    /// The line without its end. UTF-8, one JSON object, no line feed; white space as the Cargo wrote it.
    public let bytes: [UInt8]
    /// The member `type`, not empty.
    public let type: String
    /// All members, in the order written.
    public let object: JSONObject

    init(bytes: [UInt8], type: String, object: JSONObject) {
        self.bytes = bytes
        self.type = type
        self.object = object
    }

    /// Reads one line.
    ///
    /// - Parameters:
    ///   - bytes: the line, UTF-8, without its end.
    ///   - line: its number from 1, for the violation.
    ///   - depthMax: deepest nesting of arrays and objects.
    /// - Throws: ``ProtocolViolation`` with `not_json` (also for a repeated member name, invalid UTF-8 and too deep
    ///   nesting), `not_object`, `missing_type` or `missing_field`.
    public init(
        parsing bytes: [UInt8], line: Int = 1, depthMax: Int = TranscriptLimits.frameDepthMax
    ) throws(ProtocolViolation) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, limits: .init(bytesMax: bytes.count, depthMax: depthMax))
        } catch {
            throw ProtocolViolation(.notJSON, "the line is not JSON: \(error)", line: line)
        }
        guard let object = value.object else {
            throw ProtocolViolation(.notObject, "the line is a JSON \(value.kind) and not an object", line: line)
        }
        try self.init(object, bytes: bytes, line: line)
    }

    /// Checks an object that was read already.
    ///
    /// - Parameter bytes: the object in UTF-8, as the frame is to be handed on.
    /// - Throws: ``ProtocolViolation`` with `missing_type` or `missing_field`.
    public init(_ object: JSONObject, bytes: [UInt8], line: Int = 1) throws(ProtocolViolation) {
        guard let type = object["type"]?.string, !type.isEmpty else {
            throw ProtocolViolation(.missingType, "the object has no member \"type\" that is a non-empty string", line: line)
        }
        self.init(bytes: bytes, type: type, object: object)
        if let field = knownType?.fields.first(where: { !$0.isPresent(in: object) }) {
            throw ProtocolViolation(.missingField, "a \(type) frame needs the \(field.kind) \"\(field.name)\"", line: line)
        }
    }

    /// The type, if it is one that the protocol knows.
    public var knownType: KnownType? { KnownType(rawValue: type) }

    /// Whether this is the last frame of a transcript: `done` or `error`.
    public var isTerminal: Bool { type == "done" || type == "error" }

    /// The text of a `status` or `error` frame (or of an unknown type that has a string `message`).
    public var message: String? { object["message"]?.string }

    /// The text of a `token` frame.
    public var content: String? { object["content"]?.string }

    /// The step that a `progress` frame reports, in the Cargo's own count.
    public var step: Double? { object["step"]?.double }

    /// The number of steps that a `progress` frame reports, in the Cargo's own count.
    public var total: Double? { object["total"]?.double }

    /// What a `done` frame says was used, or `nil` when it says nothing or no object.
    public var usage: JSONObject? { object["usage"]?.object }
}

extension Frame.KnownType {
    /// A member that frames of a type must have.
    struct Field {
        let name: String
        let kind: String

        func isPresent(in object: JSONObject) -> Bool { object[name]?.kind == kind }
    }

    /// The members that frames of this type must have.
    var fields: [Field] {
        switch self {
        case .status, .error: [Field(name: "message", kind: "string")]
        case .token: [Field(name: "content", kind: "string")]
        case .progress: [Field(name: "step", kind: "number"), Field(name: "total", kind: "number")]
        case .image:
            [
                Field(name: "data", kind: "string"), Field(name: "format", kind: "string"),
                Field(name: "width", kind: "number"), Field(name: "height", kind: "number"),
            ]
        case .done: []
        }
    }
}

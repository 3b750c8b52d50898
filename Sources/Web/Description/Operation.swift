import Coordinator
import Domain
import HTTPTypes
import JSON

/// One call of the API as its description tells it. A test compares the table of all with the routes that the server has.
struct Operation: Sendable {
    /// How an answer looks.
    enum Answer: Sendable {
        /// `{"data": …}` with a component schema.
        case data(String)
        /// `{"data": …, …}` with a component schema, and further members beside `data`.
        case dataAnd(String, [String: Shape])
        /// A list of a component schema; further members of `meta`.
        case list(String, meta: [String: Shape] = [:])
        /// Server-sent events.
        case events
        /// A document of its own kind.
        case document(Shape)
        /// A file of one of these media types.
        case file([String])
        /// The connection becomes a WebSocket.
        case socket
    }

    let method: HTTPRequest.Method
    /// Below `/api/v1`, parameters in braces.
    let path: String
    let id: String
    let summary: String
    let tag: String
    /// What the key must be allowed to do; `nil` where no key is needed.
    var scope: Scope?
    var query: [(name: String, shape: Shape, about: String)] = []
    /// Whether the request may carry an `Idempotency-Key`.
    var takesIdempotencyKey = false
    /// The component schema of the request body.
    var body: String?
    var status = 200
    let answer: Answer
    /// Statuses of refusals beside those that every call has.
    var refusals: [Int] = []

    /// Names of the parameters in the path.
    var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// The path as the router writes it.
    var route: String { "/api/v1" + path.split(separator: "{").joined(separator: ":").filter { $0 != "}" } }

    /// Whether a request's path is of this call, whatever the method.
    func fits(path requested: String) -> Bool {
        let (own, other) = (route.split(separator: "/"), requested.split(separator: "/"))
        return own.count == other.count && zip(own, other).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
    }

    /// The calls that every list takes.
    static let paging: [(name: String, shape: Shape, about: String)] = [
        ("limit", .integer(1...100), "Rows at most; 20 when left out."), ("offset", .integer(0...Page.offsetMax), "Rows left out before."),
    ]

    /// Every call of the API.
    static let all = accounts + publishing + review + registry + jobs + batches + chat + islands + notifications + administration + others
}

/// A JSON Schema in a few words.
indirect enum Shape: Sendable {
    case string(pattern: String? = nil, format: String? = nil, length: ClosedRange<Int>? = nil)
    case word([String])
    case number
    case boolean
    case whole(least: Int?, most: Int?)
    case array(Shape, least: Int? = nil, most: Int? = nil)
    case map(Shape)
    /// Members in order; those whose name ends in `?` may be missing. `isOpen`: others may be there too.
    case object([(String, Shape)], isOpen: Bool = true)
    case nullable(Shape)
    /// The first shape, and besides at least one of the others.
    case both(Shape, anyOf: [Shape])
    /// A component schema.
    case reference(String)
    /// Anything.
    case any
    /// A JSON Schema: an object or a truth value.
    case schema

    static let integer = Shape.whole(least: nil, most: nil)
    static func integer(_ range: ClosedRange<Int>) -> Shape { .whole(least: range.lowerBound, most: range.upperBound) }
    static func integer(_ range: PartialRangeFrom<Int>) -> Shape { .whole(least: range.lowerBound, most: nil) }
    static let text = Shape.string()
    static let time = Shape.string(format: "date-time")
    /// A text that is not blank and has at most so many characters.
    static func words(_ lengthMax: Int) -> Shape { .string(pattern: "^[^\\x00]*[^\\s\\x00][^\\x00]*$", length: 1...lengthMax) }

    /// The schema as a document.
    var json: JSONValue {
        switch self {
        case .string(let pattern, let format, let length):
            var object: JSONObject = ["type": "string"]
            object["pattern"] = pattern.map(JSONValue.string)
            object["format"] = format.map(JSONValue.string)
            object["minLength"] = length.map { .int($0.lowerBound) }
            object["maxLength"] = length.map { .int($0.upperBound) }
            return .object(object)
        case .word(let words): return ["type": "string", "enum": .array(words.map(JSONValue.string))]
        case .number: return ["type": "number"]
        case .boolean: return ["type": "boolean"]
        case .whole(let least, let most):
            var object: JSONObject = ["type": "integer"]
            object["minimum"] = least.map(JSONValue.int)
            object["maximum"] = most.map(JSONValue.int)
            return .object(object)
        case .array(let element, let least, let most):
            var object: JSONObject = ["type": "array", "items": element.json]
            object["minItems"] = least.map(JSONValue.int)
            object["maxItems"] = most.map(JSONValue.int)
            return .object(object)
        case .map(let element): return ["type": "object", "additionalProperties": element.json]
        case .object(let members, let isOpen): return Self.object(members, isOpen)
        case .both(let shape, let others):
            var object = shape.json.object ?? JSONObject()
            object["anyOf"] = .array(others.map(\.json))
            return .object(object)
        case .nullable(let shape): return ["anyOf": [shape.json, ["type": "null"]]]
        case .reference(let name): return ["$ref": .string("#/components/schemas/\(name)")]
        case .any: return true
        case .schema: return ["type": ["object", "boolean"]]
        }
    }

    private static func object(_ members: [(String, Shape)], _ isOpen: Bool) -> JSONValue {
        var properties = JSONObject()
        var required: [JSONValue] = []
        for (name, shape) in members {
            let isOptional = name.hasSuffix("?")
            let key = isOptional ? String(name.dropLast()) : name
            // What is taken may be left out by null too; what is given may be missing, but is never null then.
            properties[key] = isOptional && !isOpen ? Shape.nullable(shape).json : shape.json
            if !isOptional { required.append(.string(key)) }
        }
        var object: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { object["required"] = .array(required) }
        if !isOpen { object["additionalProperties"] = false }
        return .object(object)
    }
}

import Domain
import HTTPTypes
public import JSON

/// The API's description: OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
public enum OpenAPIDocument {
    /// The whole document, the same for every server.
    public static let document: JSONObject = [
        "openapi": "3.1.0",
        "info": [
            "title": "Archipelago", "version": "1",
            "description": "Publish Cargos, review them, send jobs to Islands. Every refusal is {\"error\": {\"code\", \"message\", \"details\"}}.",
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ],
        "servers": [["url": "/api/v1"]], "security": [["bearer": []]], "paths": .object(paths),
        "components": [
            "securitySchemes": [
                "bearer": ["type": "http", "scheme": "bearer", "description": "An API key (ak_…) or a session token (as_…)."]
            ],
            "schemas": .object(schemas), "headers": .object(rateLimitHeaders),
        ],
    ]

    private static var paths: JSONObject {
        var paths = JSONObject()
        for operation in Operation.all {
            var methods = paths[operation.path]?.object ?? JSONObject()
            methods[operation.method.rawValue.lowercased()] = .object(operation.document)
            paths[operation.path] = .object(methods)
        }
        return paths
    }

    private static var schemas: JSONObject {
        var schemas = JSONObject()
        for (name, shape) in ComponentSchemas.all { schemas[name] = shape.json }
        return schemas
    }

    private static var rateLimitHeaders: JSONObject {
        var headers = JSONObject()
        for (name, about) in [
            ("X-RateLimit-Limit", "Requests a minute, where there is a limit."), ("X-RateLimit-Remaining", "Requests left in this minute."),
            ("X-RateLimit-Reset", "When the minute ends, in Unix seconds."),
        ] { headers[name] = ["description": .string(about), "schema": Shape.integer(0...).json] }
        return headers
    }
}

extension Operation {
    /// The call as an OpenAPI operation object.
    fileprivate var document: JSONObject {
        var object: JSONObject = ["operationId": .string(id), "summary": .string(summary), "tags": [.string(tag)]]
        object["description"] = .string(scope.map { "Needs the scope `\($0.rawValue)`." } ?? "Needs no key.")
        if scope == nil { object["security"] = [] }
        let parameters =
            pathParameters.map(Self.pathParameter) + query.map(Self.queryParameter) + (takesIdempotencyKey ? [Self.idempotencyKey] : [])
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        if let body {
            object["requestBody"] = ["required": true, "content": ["application/json": ["schema": Shape.reference(body).json]]]
        }
        object["responses"] = .object(responses)
        return object
    }

    private static func pathParameter(_ name: String) -> JSONValue {
        let isNumber = name == "submission" || name == "notification" || name == "delivery" || name == "justification"
        let shape = isNumber ? Shape.integer(1...) : Shape.string(pattern: "^[A-Za-z0-9-]+$", length: 1...63)
        return ["name": .string(name), "in": "path", "required": true, "schema": shape.json]
    }

    private static func queryParameter(_ parameter: (name: String, shape: Shape, about: String)) -> JSONValue {
        ["name": .string(parameter.name), "in": "query", "description": .string(parameter.about), "schema": parameter.shape.json]
    }

    private static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header",
        "description": "Your name for this request: sent again under it, the request does nothing and is answered as the first time.",
        "schema": Shape.string(pattern: "^[!-~]+$", length: 1...255).json,
    ]

    private var responses: JSONObject {
        var responses = JSONObject()
        responses[String(status)] = success
        var statuses = Set([400, 429, 500] + refusals)
        if scope != nil { statuses.formUnion([401, 403]) }
        if body != nil { statuses.formUnion([413, 415, 422]) }
        if !query.isEmpty { statuses.insert(422) }
        if !pathParameters.isEmpty { statuses.insert(404) }
        for refusal in statuses.sorted() {
            responses[String(refusal)] = [
                "description": .string(Self.reasons[refusal] ?? "Refused."),
                "content": ["application/json": ["schema": Shape.reference("Refusal").json]],
            ]
        }
        return responses
    }

    private var success: JSONValue {
        func json(_ shape: Shape) -> JSONValue {
            ["description": .string(summary), "content": ["application/json": ["schema": shape.json]]]
        }
        switch answer {
        case .data(let name): return json(.object([("data", .reference(name))]))
        case .dataAnd(let name, let more):
            return json(.object([("data", .reference(name))] + more.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        case .list(let name, let meta):
            let members: [(String, Shape)] =
                [("total", .integer(0...)), ("limit", .integer(0...)), ("offset", .integer(0...))]
                + meta.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            return json(.object([("data", .array(.reference(name))), ("meta", .object(members))]))
        case .document(let shape): return json(shape)
        case .file(let types):
            var content = JSONObject()
            for type in types { content[type] = ["schema": ["type": "object"]] }
            return ["description": .string(summary), "content": .object(content)]
        case .events:
            return ["description": .string(summary), "content": ["text/event-stream": ["schema": ["type": "string"]]]]
        case .socket: return ["description": .string(summary)]
        }
    }

    private static let reasons = [
        400: "The request cannot be read.", 401: "No key, or not a known one.", 402: "Too few credits.", 403: "The key or the account may not.",
        404: "Nothing of that name, or not yours to see.", 409: "Not in this state.", 410: "It was there once.", 413: "The body is too large.",
        415: "Not application/json.", 422: "Readable, but wrong; every problem at once.", 429: "Too many requests.",
        500: "A mistake of ours.", 503: "Something that is needed does not answer.",
    ]
}

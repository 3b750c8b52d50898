import JSON

/// A place in a document: the document's number and a JSON pointer.
struct Place: Hashable {
    let document: Int
    let pointer: String

    func child(_ token: String) -> Place { Place(document: document, pointer: pointer + "/" + PointerText.escaped(token)) }

    /// By scalars: to Swift's strings, members whose names are canonically equivalent would be one place.
    static func == (left: Place, right: Place) -> Bool { left.document == right.document && left.pointer.isSameText(as: right.pointer) }

    func hash(into hasher: inout Hasher) {
        hasher.combine(document)
        hasher.combine(ExactText(pointer))
    }
}

/// A schema with an identity of its own: the root of a document, or a part with `$id`.
struct SchemaResource {
    let uri: URIReference
    let root: Place
    let dialect: Dialect
    var anchors: [String: Place] = [:]
    var dynamicAnchors: [String: Place] = [:]
}

/// The keyword groups that a meta-schema switches on. Source: JSON Schema 2020-12 core §8.1.2.
struct Dialect: Hashable {
    var hasApplicators = true
    var hasUnevaluated = true
    var hasValidation = true
    var assertsFormats = false

    static let uri = "https://json-schema.org/draft/2020-12/schema"
    private static let base = "https://json-schema.org/draft/2020-12/vocab/"

    static let standard = Dialect()

    private init() {}

    /// What a meta-schema's `$vocabulary` says; `nil` when it needs one that is not known here.
    init?(vocabularies: JSONObject) {
        var used: Set<String> = []
        for member in vocabularies.members {
            guard member.name.hasPrefix(Self.base) else {
                if member.value.bool == true { return nil }
                continue
            }
            used.insert(String(member.name.dropFirst(Self.base.count)))
        }
        hasApplicators = used.contains("applicator")
        hasUnevaluated = used.contains("unevaluated")
        hasValidation = used.contains("validation")
        assertsFormats = used.contains("format-assertion")
    }
}

/// Where subschemas stand under each keyword.
enum KeywordShape {
    case one, list, map

    static let all: [String: KeywordShape] = [
        "additionalProperties": .one, "contains": .one, "contentSchema": .one, "else": .one, "if": .one, "items": .one, "not": .one,
        "propertyNames": .one, "then": .one, "unevaluatedItems": .one, "unevaluatedProperties": .one, "allOf": .list, "anyOf": .list,
        "oneOf": .list, "prefixItems": .list, "$defs": .map, "definitions": .map, "dependentSchemas": .map, "patternProperties": .map,
        "properties": .map,
    ]
}

/// Every resource of every document that was met, found by URI and by place.
struct SchemaResources {
    private(set) var resources: [SchemaResource] = []
    private(set) var documents: [JSONValue] = []
    private var byURI: [String: Int] = [:]
    private var byPlace: [Place: Int] = [:]
    private let given: SchemaDocuments
    private let depthMax = 256

    init(given: SchemaDocuments) { self.given = given }

    /// Takes a document in and returns the number of its root resource.
    mutating func add(_ document: JSONValue, uri: String) throws(SchemaError) -> Int {
        documents.append(document)
        let place = Place(document: documents.count - 1, pointer: "")
        var stack: [(place: Place, value: JSONValue, resource: Int?, depth: Int)] = [(place, document, nil, 0)]
        while let next = stack.popLast() {
            guard next.depth <= depthMax else {
                throw SchemaError(code: .tooLarge, pointer: next.place.pointer, message: "is nested too deeply")
            }
            let resource = try register(next.place, next.value, inside: next.resource, retrievedFrom: uri)
            guard case .object(let object) = next.value else { continue }
            for member in object.members {
                guard let shape = KeywordShape.all[member.name] else { continue }
                let below = next.place.child(member.name)
                for (token, value) in Self.parts(member.value, shape) {
                    stack.append((token.map(below.child) ?? below, value, resource, next.depth + 1))
                }
            }
        }
        return byPlace[place] ?? 0
    }

    private static func parts(_ value: JSONValue, _ shape: KeywordShape) -> [(String?, JSONValue)] {
        switch shape {
        case .one: [(nil, value)]
        case .list: (value.array ?? []).enumerated().map { (String($0.offset), $0.element) }
        case .map: (value.object?.members ?? []).map { ($0.name, $0.value) }
        }
    }

    private mutating func register(
        _ place: Place, _ value: JSONValue, inside outer: Int?, retrievedFrom uri: String
    ) throws(SchemaError) -> Int {
        let object = value.object ?? JSONObject()
        var index = outer ?? 0
        if outer == nil || object["$id"]?.string != nil {
            let base = outer.map { resources[$0].uri } ?? URIReference(uri)
            let own = object["$id"]?.string.map { URIReference($0).resolved(against: base) } ?? base
            if let fragment = own.fragment, !fragment.isEmpty {
                throw SchemaError(code: .invalidKeyword, pointer: place.child("$id").pointer, message: "must not hold a fragment")
            }
            let dialect = try dialect(of: object, inside: outer, place)
            index = resources.count
            resources.append(SchemaResource(uri: own, root: place, dialect: dialect))
            byURI[own.withoutFragment] = byURI[own.withoutFragment] ?? index
            if outer == nil { byURI[uri] = byURI[uri] ?? index }
            byPlace[place] = index
        }
        if let anchor = object["$anchor"]?.string { resources[index].anchors[anchor] = place }
        if let anchor = object["$dynamicAnchor"]?.string {
            resources[index].anchors[anchor] = place
            resources[index].dynamicAnchors[anchor] = place
        }
        return index
    }

    private mutating func dialect(of object: JSONObject, inside outer: Int?, _ place: Place) throws(SchemaError) -> Dialect {
        guard let text = object["$schema"]?.string else { return outer.map { resources[$0].dialect } ?? .standard }
        let uri = URIReference(text).withoutFragment
        if uri == Dialect.uri { return .standard }
        guard let document = Metaschemas.document(uri) ?? given.find(uri) else {
            throw SchemaError(
                code: .unknownDialect, pointer: place.child("$schema").pointer,
                message: "names a dialect that is not known here; use \(Dialect.uri)")
        }
        guard let vocabularies = document["$vocabulary"]?.object else { return .standard }
        guard let dialect = Dialect(vocabularies: vocabularies) else {
            throw SchemaError(
                code: .unknownDialect, pointer: place.child("$schema").pointer,
                message: "names a dialect that needs a vocabulary that is not known here")
        }
        return dialect
    }

    /// The resource of an absolute URI; documents that were given are taken in when they are first asked for.
    mutating func find(_ uri: String) throws(SchemaError) -> Int? {
        if let index = byURI[uri] { return index }
        guard let document = Metaschemas.document(uri) ?? given.find(uri) else { return nil }
        return try add(document, uri: uri)
    }

    /// The value at a pointer below a resource, its place, and the resource it belongs to.
    func value(at pointer: String, in resource: Int) -> (place: Place, value: JSONValue, resource: Int)? {
        var place = resources[resource].root
        guard var value = self.value(at: place) else { return nil }
        var owner = resource
        for token in PointerText.tokens(pointer) {
            switch value {
            case .object(let object):
                guard let next = object[token] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index), String(index) == token else { return nil }
                value = elements[index]
            case .null, .bool, .number, .string: return nil
            }
            place = place.child(token)
            owner = byPlace[place] ?? owner
        }
        return (place, value, owner)
    }

    /// The value at a place.
    func value(at place: Place) -> JSONValue? {
        var value = documents[place.document]
        for token in PointerText.tokens(place.pointer) {
            let next = value.array == nil ? value[token] : Int(token).flatMap { value[$0] }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// The resource whose root stands at a place.
    func resource(at place: Place) -> Int? { byPlace[place] }
}

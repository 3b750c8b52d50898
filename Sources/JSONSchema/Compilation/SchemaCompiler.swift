import JSON

/// Turns a schema document into a program.
///
/// Subschemas wait in a list instead of calling one another, so that no schema can exhaust the stack here.
struct SchemaCompiler {
    private var resources: SchemaResources
    private let options: SchemaOptions
    private let documents: SchemaDocuments
    private var program: SchemaProgram
    private var numbers: [Place: Int] = [:]
    private var waiting: [(number: Int, value: JSONValue, place: Place, resource: Int)] = []
    /// Where a document stands that has no identity of its own.
    private static let rootURI = "archipelago:schema"

    init(documents: SchemaDocuments, options: SchemaOptions) {
        resources = SchemaResources(given: documents)
        self.documents = documents
        self.options = options
        program = SchemaProgram(limits: options.limits)
    }

    /// The meta-schema that a document names, if it is known; else the standard one, against which the document is then judged.
    func dialectURI(of document: JSONValue) -> String {
        guard let text = document["$schema"]?.string else { return Dialect.uri }
        let uri = URIReference(text).withoutFragment
        return Metaschemas.document(uri) != nil || documents.find(uri) != nil ? uri : Dialect.uri
    }

    mutating func compile(_ document: JSONValue) throws(SchemaError) -> SchemaProgram {
        let root = try resources.add(document, uri: Self.rootURI)
        _ = number(of: document, at: resources.resources[root].root, in: root)
        while let next = waiting.popLast() {
            guard program.subschemas.count <= options.limits.subschemasMax else {
                throw SchemaError(code: .tooLarge, pointer: "", message: "has more than \(options.limits.subschemasMax) subschemas")
            }
            program.subschemas[next.number].keywords = try keywords(of: next.value, at: next.place, in: next.resource)
        }
        try linkDynamicAnchors()
        return program
    }

    /// A dynamic anchor counts only where something refers to one; its subschemas are compiled like any other.
    private mutating func linkDynamicAnchors() throws(SchemaError) {
        var index = 0
        while index < resources.resources.count {
            let resource = resources.resources[index]
            var anchors: [String: Int] = [:]
            for (name, place) in resource.dynamicAnchors {
                guard let value = resources.value(at: place) else { continue }
                anchors[name] = number(of: value, at: place, in: index)
            }
            program.dynamicAnchors.append(anchors)
            while let next = waiting.popLast() {
                program.subschemas[next.number].keywords = try keywords(of: next.value, at: next.place, in: next.resource)
            }
            index += 1
        }
    }

    /// The number of the subschema at a place, which is compiled later if it is new.
    private mutating func number(of value: JSONValue, at place: Place, in resource: Int) -> Int {
        if let known = numbers[place] { return known }
        let number = program.subschemas.count
        let owner = resources.resource(at: place) ?? resource
        program.subschemas.append(Subschema(resource: owner, pointer: shown(place)))
        numbers[place] = number
        waiting.append((number, value, place, owner))
        return number
    }

    private func shown(_ place: Place) -> String {
        place.document == 0
            ? place.pointer
            : (resources.resources.first { $0.root == Place(document: place.document, pointer: "") }?.uri.withoutFragment ?? "") + "#" + place.pointer
    }

    private func failure(_ code: SchemaError.Code, _ place: Place, _ message: String) -> SchemaError {
        SchemaError(code: code, pointer: shown(place), message: message)
    }

    // MARK: Keywords

    private mutating func keywords(of value: JSONValue, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        switch value {
        case .bool(let truth): return truth ? [] : [.never]
        case .object(let object): return try keywords(of: object, at: place, in: resource)
        case .null, .number, .string, .array: throw failure(.invalidKeyword, place, "must be a schema: an object or a truth value")
        }
    }

    private mutating func keywords(of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        let dialect = resources.resources[resource].dialect
        var keywords = try references(of: object, at: place, in: resource)
        if dialect.hasValidation { keywords += try assertions(of: object, at: place) }
        if let name = object["format"]?.string, options.assertsFormats || dialect.assertsFormats, let check = Formats.check(name) {
            keywords.append(.format(name, check))
        }
        if dialect.hasApplicators {
            keywords += try logic(of: object, at: place, in: resource)
            keywords += try members(of: object, at: place, in: resource)
            keywords += try elements(of: object, at: place, in: resource)
        }
        if dialect.hasUnevaluated {
            if let value = object["unevaluatedItems"] {
                keywords.append(.unevaluatedItems(number(of: value, at: place.child("unevaluatedItems"), in: resource)))
                program.usesUnevaluated = true
            }
            if let value = object["unevaluatedProperties"] {
                keywords.append(.unevaluatedProperties(number(of: value, at: place.child("unevaluatedProperties"), in: resource)))
                program.usesUnevaluated = true
            }
        }
        return keywords
    }

    private mutating func references(of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        if let value = object["$ref"] {
            let target = try target(of: value, at: place.child("$ref"), in: resource)
            keywords.append(.reference("$ref", number(of: target.value, at: target.place, in: target.resource)))
        }
        if let value = object["$dynamicRef"] {
            let target = try target(of: value, at: place.child("$dynamicRef"), in: resource)
            let number = number(of: target.value, at: target.place, in: target.resource)
            let fragment = value.string.flatMap { URIReference($0).fragment } ?? ""
            if resources.resources[target.resource].dynamicAnchors[fragment] == target.place {
                keywords.append(.dynamicReference(number, anchor: fragment))
            } else {
                keywords.append(.reference("$dynamicRef", number))
            }
        }
        return keywords
    }

    private mutating func target(
        of value: JSONValue, at place: Place, in resource: Int
    ) throws(SchemaError) -> (place: Place, value: JSONValue, resource: Int) {
        guard let text = value.string else { throw failure(.invalidKeyword, place, "must be a string, not \(value.kind)") }
        let uri = URIReference(text).resolved(against: resources.resources[resource].uri)
        guard let found = try resources.find(uri.withoutFragment) else {
            throw failure(.unresolvableReference, place, "leads to '\(uri.withoutFragment.prefix(200))', which is not among the documents at hand")
        }
        guard let fragment = PointerText.percentDecoded(uri.fragment ?? "") else {
            throw failure(.unresolvableReference, place, "has a fragment that cannot be read")
        }
        if fragment.isEmpty || fragment.hasPrefix("/") {
            if let target = resources.value(at: fragment, in: found) { return target }
        } else if let anchor = resources.resources[found].anchors[fragment], let value = resources.value(at: anchor) {
            return (anchor, value, resources.resource(at: anchor) ?? found)
        }
        throw failure(.unresolvableReference, place, "leads to '#\(fragment.prefix(200))', which is not there")
    }

    private mutating func one(_ name: String, of object: JSONObject, at place: Place, in resource: Int) -> Int? {
        object[name].map { number(of: $0, at: place.child(name), in: resource) }
    }

    private mutating func list(_ name: String, of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Int]? {
        guard let value = object[name] else { return nil }
        let below = place.child(name)
        guard let elements = value.array, !elements.isEmpty else { throw failure(.invalidKeyword, below, "must be an array of at least one schema") }
        var numbers: [Int] = []
        for (index, element) in elements.enumerated() { numbers.append(number(of: element, at: below.child(String(index)), in: resource)) }
        return numbers
    }

    private mutating func map(_ name: String, of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [(String, Int)] {
        guard let value = object[name] else { return [] }
        let below = place.child(name)
        guard let map = value.object else { throw failure(.invalidKeyword, below, "must be an object of schemas") }
        var numbers: [(String, Int)] = []
        for member in map.members { numbers.append((member.name, number(of: member.value, at: below.child(member.name), in: resource))) }
        return numbers
    }

    private mutating func logic(of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        if let numbers = try list("allOf", of: object, at: place, in: resource) { keywords.append(.allOf(numbers)) }
        if let numbers = try list("anyOf", of: object, at: place, in: resource) { keywords.append(.anyOf(numbers)) }
        if let numbers = try list("oneOf", of: object, at: place, in: resource) { keywords.append(.oneOf(numbers)) }
        if let number = one("not", of: object, at: place, in: resource) { keywords.append(.not(number)) }
        if let number = one("if", of: object, at: place, in: resource) {
            let (then, otherwise) = (one("then", of: object, at: place, in: resource), one("else", of: object, at: place, in: resource))
            keywords.append(.condition(number, then: then, otherwise: otherwise))
        }
        let dependent = try map("dependentSchemas", of: object, at: place, in: resource)
        if !dependent.isEmpty { keywords.append(.dependentSchemas(dependent)) }
        return keywords
    }

    private mutating func members(of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        var members = Keyword.Members()
        for (name, number) in try map("properties", of: object, at: place, in: resource) { members.named[ExactText(name)] = number }
        for (text, number) in try map("patternProperties", of: object, at: place, in: resource) {
            members.patterns.append((try pattern(text, at: place.child("patternProperties").child(text)), number))
        }
        members.additional = one("additionalProperties", of: object, at: place, in: resource)
        if !members.named.isEmpty || !members.patterns.isEmpty || members.additional != nil { keywords.append(.members(members)) }
        if let number = one("propertyNames", of: object, at: place, in: resource) { keywords.append(.propertyNames(number)) }
        return keywords
    }

    private mutating func elements(of object: JSONObject, at place: Place, in resource: Int) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        let prefix = try list("prefixItems", of: object, at: place, in: resource) ?? []
        let rest = one("items", of: object, at: place, in: resource)
        if !prefix.isEmpty || rest != nil { keywords.append(.items(prefix: prefix, rest: rest)) }
        if let number = one("contains", of: object, at: place, in: resource) {
            let counts = resources.resources[resource].dialect.hasValidation
            let least = counts ? try count("minContains", of: object, at: place) : nil
            let most = counts ? try count("maxContains", of: object, at: place) : nil
            keywords.append(.contains(number, least: least ?? 1, most: most))
        }
        return keywords
    }

    func pattern(_ text: String, at place: Place) throws(SchemaError) -> Pattern {
        do {
            return try Pattern(text, limits: options.limits)
        } catch {
            throw failure(.invalidPattern, place, error.message)
        }
    }

    func count(_ name: String, of object: JSONObject, at place: Place) throws(SchemaError) -> Int? {
        guard let value = object[name] else { return nil }
        guard case .number(let number) = value, let count = Decimal(number).clampedInt, count >= 0 else {
            throw failure(.invalidKeyword, place.child(name), "must be a whole number from 0 on")
        }
        return count
    }

    func misplaced(_ place: Place, _ expected: String) -> SchemaError { failure(.invalidKeyword, place, "must be \(expected)") }
}

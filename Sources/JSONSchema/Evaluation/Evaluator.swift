import JSON

/// Where an instance's value stands; the pointer is written only when somebody asks.
indirect enum InstancePlace {
    case root
    case member(InstancePlace, String)
    case element(InstancePlace, Int)

    var pointer: String {
        var tokens: [String] = []
        var place = self
        while true {
            switch place {
            case .root: return tokens.reversed().map { "/" + PointerText.escaped($0) }.joined()
            case .member(let outer, let name): (place, tokens) = (outer, tokens + [name])
            case .element(let outer, let index): (place, tokens) = (outer, tokens + [String(index)])
            }
        }
    }
}

/// What keywords have looked at in one object or array, for the keywords that ask for the rest.
struct Evaluated {
    var hasAllMembers = false
    var members: Set<ExactText> = []
    var hasAllElements = false
    var prefix = 0
    var elements: Set<Int> = []

    mutating func formUnion(_ other: Evaluated) {
        hasAllMembers = hasAllMembers || other.hasAllMembers
        members.formUnion(other.members)
        hasAllElements = hasAllElements || other.hasAllElements
        prefix = max(prefix, other.prefix)
        elements.formUnion(other.elements)
    }
}

/// Checks one instance against a program.
struct Evaluator {
    let program: SchemaProgram
    private var found: [SchemaViolation] = []
    private var steps = 0
    private var depth = 0
    /// Above 0 while an answer is only tried: nothing is noted then, and the first fault is enough.
    private var tries = 0
    /// The resources entered, the outermost first.
    private var scope: [Int] = []

    init(_ program: SchemaProgram) { self.program = program }

    mutating func violations(in instance: JSONValue) throws(SchemaError) -> [SchemaViolation] {
        var evaluated = Evaluated()
        let isValid = try check(0, instance, .root, &evaluated)
        if isValid { return [] }
        return found.isEmpty ? [SchemaViolation(instancePointer: "", keywordPointer: "", message: "does not fit the schema")] : found
    }

    // MARK: Services for keywords

    /// Notes a violation, unless this is only a try, and says that the value does not fit.
    mutating func refuse(_ place: InstancePlace, _ subschema: Int, _ keyword: String, _ message: @autoclosure () -> String) -> Bool {
        if tries == 0, found.count < program.limits.violationsMax {
            let pointer = program.subschemas[subschema].pointer + (keyword.isEmpty ? "" : "/" + keyword)
            found.append(SchemaViolation(instancePointer: place.pointer, keywordPointer: pointer, message: message()))
        }
        return false
    }

    /// Counts work.
    mutating func spend(_ count: Int = 1) throws(SchemaError) {
        steps += count
        if steps > program.limits.stepsMax {
            throw SchemaError(code: .tooExpensive, pointer: "", message: "takes more than \(program.limits.stepsMax) steps for this value")
        }
    }

    /// Whether a value fits a subschema, noting nothing; what was looked at counts only when it fits.
    mutating func fits(
        _ subschema: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        tries += 1
        defer { tries -= 1 }
        var own = Evaluated()
        guard try check(subschema, value, place, &own) else { return false }
        if program.usesUnevaluated { evaluated.formUnion(own) }
        return true
    }

    /// The same for a value inside the present one: what is looked at there does not count here.
    mutating func fitsInside(_ subschema: Int, _ value: JSONValue, _ place: InstancePlace) throws(SchemaError) -> Bool {
        var inner = Evaluated()
        return try fits(subschema, value, place, &inner)
    }

    mutating func checkInside(_ subschema: Int, _ value: JSONValue, _ place: InstancePlace) throws(SchemaError) -> Bool {
        var inner = Evaluated()
        return try check(subschema, value, place, &inner)
    }

    /// The subschema that a dynamic anchor means here: that of the outermost resource that has one.
    func dynamicTarget(_ anchor: String, otherwise: Int) -> Int {
        for resource in scope { if let number = program.dynamicAnchors[resource][anchor] { return number } }
        return otherwise
    }

    /// Whether the first fault is enough.
    var isTrying: Bool { tries > 0 }

    // MARK: Checking

    /// Whether a value fits a subschema; adds to `evaluated` what it looked at if so.
    mutating func check(_ number: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated) throws(SchemaError) -> Bool {
        try spend()
        depth += 1
        defer { depth -= 1 }
        guard depth <= program.limits.depthMax else {
            throw SchemaError(
                code: .tooExpensive, pointer: program.subschemas[number].pointer,
                message: "leads deeper than \(program.limits.depthMax) subschemas for this value")
        }
        let resource = program.subschemas[number].resource
        scope.append(resource)
        defer { scope.removeLast() }
        var own = Evaluated()
        var isValid = true
        for keyword in program.subschemas[number].keywords {
            if try !obeys(keyword, number, value, place, &own) {
                isValid = false
                if isTrying { return false }
            }
        }
        if isValid, program.usesUnevaluated { evaluated.formUnion(own) }
        return isValid
    }

    private mutating func obeys(
        _ keyword: Keyword, _ number: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        switch keyword {
        case .never: return refuse(place, number, "", "is not allowed here")
        case .type, .values, .multipleOf, .bound, .count, .pattern, .format, .uniqueItems, .required, .dependentRequired:
            return try obeysAssertion(keyword, number, value, place)
        case .members(let members): return try obeys(members, number, value, place, &evaluated)
        case .propertyNames(let subschema): return try namesFit(subschema, number, value, place)
        case .items(let prefix, let rest): return try elementsFit(prefix, rest, value, place, &evaluated)
        case .contains(let subschema, let least, let most): return try contains(subschema, least, most, number, value, place, &evaluated)
        case .unevaluatedItems(let subschema): return try restOfElementsFits(subschema, value, place, &evaluated)
        case .unevaluatedProperties(let subschema): return try restOfMembersFits(subschema, value, place, &evaluated)
        case .allOf, .anyOf, .oneOf, .not, .condition, .reference, .dynamicReference, .dependentSchemas:
            return try obeysLogic(keyword, number, value, place, &evaluated)
        }
    }

    private mutating func obeysLogic(
        _ keyword: Keyword, _ number: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        switch keyword {
        case .reference(_, let target): return try check(target, value, place, &evaluated)
        case .dynamicReference(let target, let anchor):
            return try check(dynamicTarget(anchor, otherwise: target), value, place, &evaluated)
        case .allOf(let subschemas):
            var isValid = true
            for subschema in subschemas where try !check(subschema, value, place, &evaluated) {
                isValid = false
                if isTrying { return false }
            }
            return isValid
        case .anyOf(let subschemas):
            var isValid = false
            for subschema in subschemas where try fits(subschema, value, place, &evaluated) {
                isValid = true
                // The others still count for what they look at, where somebody asks.
                if !program.usesUnevaluated { break }
            }
            return isValid || refuse(place, number, "anyOf", "must fit at least one of \(subschemas.count) alternatives")
        case .oneOf(let subschemas):
            var count = 0
            for subschema in subschemas where try fits(subschema, value, place, &evaluated) { count += 1 }
            return count == 1 || refuse(place, number, "oneOf", "must fit exactly one of \(subschemas.count) alternatives, and fits \(count)")
        case .not(let subschema):
            return try !fitsInside(subschema, value, place) || refuse(place, number, "not", "must not fit what 'not' describes")
        case .condition(let condition, let then, let otherwise):
            let branch = try fits(condition, value, place, &evaluated) ? then : otherwise
            guard let branch else { return true }
            return try check(branch, value, place, &evaluated)
        case .dependentSchemas(let pairs):
            guard case .object(let object) = value else { return true }
            var isValid = true
            for (name, subschema) in pairs where object[name] != nil {
                if try !check(subschema, value, place, &evaluated) { isValid = false }
            }
            return isValid
        default: preconditionFailure("no keyword of logic")
        }
    }
}

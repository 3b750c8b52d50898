import JSON

/// The keywords that look into objects and arrays.
extension Evaluator {
    mutating func obeys(
        _ members: Keyword.Members, _ number: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for member in object.members {
            try spend()
            let name = ExactText(member.name)
            let inner = InstancePlace.member(place, member.name)
            var isKnown = false
            if let subschema = members.named[name] {
                isKnown = true
                if try !checkInside(subschema, member.value, inner) { isValid = false }
            }
            for entry in members.patterns where try matches(entry.pattern, member.name) {
                isKnown = true
                if try !checkInside(entry.subschema, member.value, inner) { isValid = false }
            }
            if !isKnown, let subschema = members.additional {
                isKnown = true
                if try !checkInside(subschema, member.value, inner) { isValid = false }
            }
            if isKnown, program.usesUnevaluated { evaluated.members.insert(name) }
            if !isValid, isTrying { return false }
        }
        return isValid
    }

    mutating func namesFit(_ subschema: Int, _ number: Int, _ value: JSONValue, _ place: InstancePlace) throws(SchemaError) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for member in object.members where try !fitsInside(subschema, .string(member.name), place) {
            isValid = refuse(.member(place, member.name), number, "propertyNames", "is not an allowed name")
            if isTrying { return false }
        }
        return isValid
    }

    mutating func elementsFit(
        _ prefix: [Int], _ rest: Int?, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        guard case .array(let elements) = value else { return true }
        var isValid = true
        for (index, element) in elements.enumerated() {
            guard let subschema = index < prefix.count ? prefix[index] : rest else { break }
            if try !checkInside(subschema, element, .element(place, index)) {
                isValid = false
                if isTrying { return false }
            }
        }
        evaluated.prefix = max(evaluated.prefix, min(prefix.count, elements.count))
        if rest != nil { evaluated.hasAllElements = true }
        return isValid
    }

    mutating func contains(
        _ subschema: Int, _ least: Int, _ most: Int?, _ number: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        guard case .array(let elements) = value else { return true }
        var count = 0
        for (index, element) in elements.enumerated() where try fitsInside(subschema, element, .element(place, index)) {
            count += 1
            if program.usesUnevaluated { evaluated.elements.insert(index) }
        }
        if count < least {
            let keyword = least == 1 ? "contains" : "minContains"
            return refuse(place, number, keyword, "must hold at least \(least) of the described elements, and holds \(count)")
        }
        if let most, count > most {
            return refuse(place, number, "maxContains", "must hold at most \(most) of the described elements, and holds \(count)")
        }
        return true
    }

    mutating func restOfElementsFits(
        _ subschema: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        guard case .array(let elements) = value, !evaluated.hasAllElements else { return true }
        var isValid = true
        for (index, element) in elements.enumerated() where index >= evaluated.prefix && !evaluated.elements.contains(index) {
            if try !checkInside(subschema, element, .element(place, index)) {
                isValid = false
                if isTrying { return false }
            }
        }
        evaluated.hasAllElements = true
        return isValid
    }

    mutating func restOfMembersFits(
        _ subschema: Int, _ value: JSONValue, _ place: InstancePlace, _ evaluated: inout Evaluated
    ) throws(SchemaError) -> Bool {
        guard case .object(let object) = value, !evaluated.hasAllMembers else { return true }
        var isValid = true
        for member in object.members where !evaluated.members.contains(ExactText(member.name)) {
            if try !checkInside(subschema, member.value, .member(place, member.name)) {
                isValid = false
                if isTrying { return false }
            }
        }
        evaluated.hasAllMembers = true
        return isValid
    }
}

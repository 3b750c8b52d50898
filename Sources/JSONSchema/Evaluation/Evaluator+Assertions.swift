import JSON

/// The keywords that look at one value by itself.
extension Evaluator {
    mutating func obeysAssertion(
        _ keyword: Keyword, _ number: Int, _ value: JSONValue, _ place: InstancePlace
    ) throws(SchemaError) -> Bool {
        switch keyword {
        case .type(let names):
            if names.contains(where: { Self.is(value, $0) }) { return true }
            return refuse(place, number, "type", "must be \(names.map(\.rawValue).joined(separator: " or ")), not \(value.kind)")
        case .values(let allowed, let message):
            try spend(Self.size(of: value))
            return allowed.contains(CanonicalText.of(value)) || refuse(place, number, message.hasPrefix("must be one of") ? "enum" : "const", message)
        case .multipleOf(let divisor, let text):
            guard case .number(let own) = value else { return true }
            return Decimal(own).isMultiple(of: divisor) || refuse(place, number, "multipleOf", "must be a multiple of \(text)")
        case .bound(let bound, let limit, let text): return obeys(bound, limit, text, number, value, place)
        case .count(let count, let limit): return obeys(count, limit, number, value, place)
        case .pattern(let pattern, let text):
            guard case .string(let own) = value else { return true }
            return try matches(pattern, own) || refuse(place, number, "pattern", "must match the pattern \(text)")
        case .format(let name, let check):
            guard case .string(let own) = value else { return true }
            try spend(own.utf8.count / 64)
            return check(own) || refuse(place, number, "format", "must be of the format \(name)")
        case .uniqueItems: return try isUnique(number, value, place)
        case .required(let names): return has(names, because: nil, number, value, place)
        case .dependentRequired(let pairs):
            guard case .object(let object) = value else { return true }
            var isValid = true
            for (name, names) in pairs where object[name] != nil { if !has(names, because: name, number, value, place) { isValid = false } }
            return isValid
        default: preconditionFailure("no keyword of one value")
        }
    }

    private static func `is`(_ value: JSONValue, _ name: Keyword.TypeName) -> Bool {
        switch (name, value) {
        case (.null, .null), (.boolean, .bool), (.object, .object), (.array, .array), (.number, .number), (.string, .string): true
        case (.integer, .number(let number)): Decimal(number).isInteger
        default: false
        }
    }

    /// Roughly how much there is to look at.
    private static func size(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool, .number: 1
        case .string(let text): 1 + text.utf8.count / 64
        case .array(let elements): elements.reduce(1) { $0 + size(of: $1) }
        case .object(let object): object.members.reduce(1) { $0 + 1 + size(of: $1.value) }
        }
    }

    mutating func matches(_ pattern: Pattern, _ text: String) throws(SchemaError) -> Bool {
        try spend(text.utf8.count / 64)
        guard let answer = pattern.matches(text) else {
            throw SchemaError(code: .tooExpensive, pointer: "", message: "has a pattern that takes too many steps for this value")
        }
        return answer
    }

    private mutating func obeys(
        _ bound: Keyword.Bound, _ limit: Decimal, _ text: String, _ number: Int, _ value: JSONValue, _ place: InstancePlace
    ) -> Bool {
        guard case .number(let own) = value else { return true }
        let decimal = Decimal(own)
        switch bound {
        case .maximum: return !(limit < decimal) || refuse(place, number, bound.rawValue, "must be at most \(text)")
        case .exclusiveMaximum: return decimal < limit || refuse(place, number, bound.rawValue, "must be less than \(text)")
        case .minimum: return !(decimal < limit) || refuse(place, number, bound.rawValue, "must be at least \(text)")
        case .exclusiveMinimum: return limit < decimal || refuse(place, number, bound.rawValue, "must be more than \(text)")
        }
    }

    private mutating func obeys(_ count: Keyword.Count, _ limit: Int, _ number: Int, _ value: JSONValue, _ place: InstancePlace) -> Bool {
        let (own, unit): (Int, String)
        switch (count, value) {
        case (.maxLength, .string(let text)), (.minLength, .string(let text)): (own, unit) = (text.unicodeScalars.count, "character")
        case (.maxItems, .array(let elements)), (.minItems, .array(let elements)): (own, unit) = (elements.count, "element")
        case (.maxProperties, .object(let object)), (.minProperties, .object(let object)): (own, unit) = (object.members.count, "member")
        default: return true
        }
        let units = limit == 1 ? unit : unit + "s"
        switch count {
        case .maxLength, .maxItems, .maxProperties:
            return own <= limit || refuse(place, number, count.rawValue, "must have at most \(limit) \(units), and has \(own)")
        case .minLength, .minItems, .minProperties:
            return own >= limit || refuse(place, number, count.rawValue, "must have at least \(limit) \(units), and has \(own)")
        }
    }

    private mutating func isUnique(_ number: Int, _ value: JSONValue, _ place: InstancePlace) throws(SchemaError) -> Bool {
        guard case .array(let elements) = value else { return true }
        var seen: [String: Int] = [:]
        for (index, element) in elements.enumerated() {
            try spend(Self.size(of: element))
            if let first = seen.updateValue(index, forKey: CanonicalText.of(element)) {
                return refuse(.element(place, index), number, "uniqueItems", "must not be the same as element \(first)")
            }
        }
        return true
    }

    private mutating func has(_ names: [String], because other: String?, _ number: Int, _ value: JSONValue, _ place: InstancePlace) -> Bool {
        guard case .object(let object) = value, !names.isEmpty else { return true }
        let present = Set(object.members.map { ExactText($0.name) })
        var isValid = true
        for name in names where !present.contains(ExactText(name)) {
            let keyword = other == nil ? "required" : "dependentRequired"
            isValid = refuse(.member(place, name), number, keyword, "is required" + (other.map { " where there is '\(Shown.text($0))'" } ?? ""))
            if isTrying { return false }
        }
        return isValid
    }
}

import JSON

extension SchemaCompiler {
    /// The keywords of the validation vocabulary, which look at one value by itself.
    func assertions(of object: JSONObject, at place: Place) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        if let value = object["type"] { keywords.append(.type(try types(value, at: place.child("type")))) }
        if let value = object["const"] { keywords.append(.values([CanonicalText.of(value)], "must be \(Shown.value(value))")) }
        if let value = object["enum"] {
            guard let elements = value.array else { throw misplaced(place.child("enum"), "an array") }
            keywords.append(.values(Set(elements.map(CanonicalText.of)), "must be \(Shown.choice(elements))"))
        }
        keywords += try numbers(of: object, at: place)
        for name in [Keyword.Count.maxLength, .minLength, .maxItems, .minItems, .maxProperties, .minProperties] {
            if let count = try count(name.rawValue, of: object, at: place) { keywords.append(.count(name, count)) }
        }
        if let value = object["pattern"] {
            guard let text = value.string else { throw misplaced(place.child("pattern"), "a string") }
            keywords.append(.pattern(try pattern(text, at: place.child("pattern")), Shown.text(text)))
        }
        if let value = object["uniqueItems"] {
            guard let truth = value.bool else { throw misplaced(place.child("uniqueItems"), "true or false") }
            if truth { keywords.append(.uniqueItems) }
        }
        if let value = object["required"] { keywords.append(.required(try names(value, at: place.child("required")))) }
        if let value = object["dependentRequired"] {
            let below = place.child("dependentRequired")
            guard let map = value.object else { throw misplaced(below, "an object of arrays of strings") }
            var pairs: [(String, [String])] = []
            for member in map.members { pairs.append((member.name, try names(member.value, at: below.child(member.name)))) }
            keywords.append(.dependentRequired(pairs))
        }
        return keywords
    }

    private func numbers(of object: JSONObject, at place: Place) throws(SchemaError) -> [Keyword] {
        var keywords: [Keyword] = []
        if let value = object["multipleOf"] {
            guard case .number(let number) = value, !Decimal(number).isNegative, !Decimal(number).digits.isEmpty else {
                throw misplaced(place.child("multipleOf"), "a number above 0")
            }
            keywords.append(.multipleOf(Decimal(number), number.text))
        }
        for bound in [Keyword.Bound.maximum, .exclusiveMaximum, .minimum, .exclusiveMinimum] {
            guard let value = object[bound.rawValue] else { continue }
            guard case .number(let number) = value else { throw misplaced(place.child(bound.rawValue), "a number") }
            keywords.append(.bound(bound, Decimal(number), number.text))
        }
        return keywords
    }

    private func types(_ value: JSONValue, at place: Place) throws(SchemaError) -> [Keyword.TypeName] {
        let names = value.array ?? [value]
        var types: [Keyword.TypeName] = []
        for name in names {
            guard let type = name.string.flatMap(Keyword.TypeName.init) else {
                throw misplaced(place, "one or several of null, boolean, object, array, number, string, integer")
            }
            types.append(type)
        }
        return types
    }

    private func names(_ value: JSONValue, at place: Place) throws(SchemaError) -> [String] {
        guard let elements = value.array else { throw misplaced(place, "an array of strings") }
        var names: [String] = []
        for element in elements {
            guard let name = element.string else { throw misplaced(place, "an array of strings") }
            names.append(name)
        }
        return names
    }
}

/// Values in messages, never longer than a line.
enum Shown {
    private static let lengthMax = 80
    private static let choicesMax = 8

    static func text(_ text: String) -> String {
        text.unicodeScalars.count <= lengthMax ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(lengthMax))) + "…"
    }

    static func value(_ value: JSONValue) -> String { text(value.text) }

    static func choice(_ values: [JSONValue]) -> String {
        if values.count == 1, let only = values.first { return value(only) }
        let shown = values.prefix(choicesMax).map(value).joined(separator: ", ")
        return "one of " + shown + (values.count > choicesMax ? " or \(values.count - choicesMax) more" : "")
    }
}

/// Reads the members of an object one by one and gathers everything that is wrong, so that a sender hears of all at once.
public struct FieldReader: Sendable {
    /// One thing wrong with a document, and where.
    public struct Mistake: Error, Sendable, Hashable {
        /// The place as a JSON pointer (RFC 6901).
        public let pointer: String
        /// What would be right.
        public let message: String

        /// A mistake at a place.
        public init(pointer: String, message: String) {
            self.pointer = pointer
            self.message = message
        }
    }

    private let object: JSONObject
    private let base: String
    /// Members that were asked for; some of them twice.
    private var known: [String] = []
    /// What was wrong so far, in the order of reading.
    public private(set) var mistakes: [Mistake] = []

    /// A reader of an object that stands at `pointer` in its document.
    public init(_ object: JSONObject, at pointer: String = "") {
        self.object = object
        base = pointer
    }

    /// The pointer of a member: the name with `~` and `/` escaped (RFC 6901 §3).
    public func pointer(_ name: String) -> String {
        base + "/" + name.reduce(into: "") { $0 += $1 == "~" ? "~0" : $1 == "/" ? "~1" : String($1) }
    }

    /// Notes a mistake at a member.
    public mutating func note(_ name: String, _ message: String) {
        mistakes.append(Mistake(pointer: pointer(name), message: message))
    }

    /// Takes over a mistake that a reader of a nested object found.
    public mutating func take(_ mistake: Mistake) { mistakes.append(mistake) }

    /// The member's value as it stands; `nil` when it is missing or `null`.
    public mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    private mutating func read<Value>(_ name: String, _ kind: String, _ convert: (JSONValue) -> Value?) -> Value? {
        guard let value = value(name) else { return nil }
        if let converted = convert(value) { return converted }
        note(name, "must be \(kind), not \(value.kind)")
        return nil
    }

    /// A string, or `nil` when missing, `null` or (noted) of another type; so do the readers below.
    ///
    /// U+0000 is refused: databases and C libraries end a text there, so two readers would read two texts.
    public mutating func string(_ name: String) -> String? {
        guard let text = read(name, "a string", \.string) else { return nil }
        guard text.utf8.contains(0) else { return text }
        note(name, "must not contain U+0000")
        return nil
    }

    /// A whole number that fits in 64 bits.
    public mutating func int(_ name: String) -> Int? {
        guard let value = value(name) else { return nil }
        if let number = value.int { return number }
        note(name, value.double == nil ? "must be a whole number, not \(value.kind)" : "must be a whole number of at most 64 bits")
        return nil
    }

    /// A whole number within a range; outside it is a mistake.
    public mutating func int(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = int(name) else { return nil }
        if range.contains(value) { return value }
        note(name, "must be from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// `true` or `false`.
    public mutating func bool(_ name: String) -> Bool? { read(name, "true or false", \.bool) }

    /// An object.
    public mutating func object(_ name: String) -> JSONObject? { read(name, "an object", \.object) }

    /// An array.
    public mutating func array(_ name: String) -> [JSONValue]? { read(name, "an array", \.array) }

    /// An array of strings; each element of another type is a mistake of its own.
    public mutating func strings(_ name: String) -> [String]? {
        guard let elements = array(name) else { return nil }
        var strings: [String] = []
        for (index, element) in elements.enumerated() {
            if let string = element.string, !string.utf8.contains(0) {
                strings.append(string)
            } else if element.string != nil {
                mistakes.append(Mistake(pointer: pointer(name) + "/\(index)", message: "must not contain U+0000"))
            } else {
                mistakes.append(Mistake(pointer: pointer(name) + "/\(index)", message: "must be a string, not \(element.kind)"))
            }
        }
        return strings
    }

    /// A string that is not blank and has at most so many characters (Unicode scalars: a letter may carry any number of accents).
    public mutating func text(_ name: String, lengthMax: Int) -> String? {
        guard let text = string(name) else { return nil }
        if text.unicodeScalars.count <= lengthMax, text.contains(where: { !$0.isWhitespace }) { return text }
        note(name, "must be 1 to \(lengthMax) characters, not all of them blank")
        return nil
    }

    /// One word of a closed set.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) -> Choice? where Choice.RawValue == String {
        guard let word = string(name) else { return nil }
        if let choice = Choice(rawValue: word) { return choice }
        note(name, Self.wrongWord(Choice.self))
        return nil
    }

    /// An array of words of a closed set; each other word is a mistake of its own.
    public mutating func choices<Choice: RawRepresentable & CaseIterable>(_ name: String) -> [Choice]? where Choice.RawValue == String {
        guard let words = strings(name) else { return nil }
        var choices: [Choice] = []
        for (index, word) in words.enumerated() {
            if let choice = Choice(rawValue: word) {
                choices.append(choice)
            } else {
                mistakes.append(Mistake(pointer: pointer(name) + "/\(index)", message: Self.wrongWord(Choice.self)))
            }
        }
        return choices
    }

    private static func wrongWord<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> String where Choice.RawValue == String {
        "must be one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }

    /// Takes `value`, or notes that the member is required when it is missing and nothing was noted of it yet.
    public mutating func required<Value>(_ name: String, _ value: Value?) -> Value? {
        if value == nil, !mistakes.contains(where: { $0.pointer.hasPrefix(pointer(name)) }) { note(name, "is required") }
        return value
    }

    /// Unknown members that are named. Chosen: more than anybody mistypes; a stranger may send a hundred thousand.
    private static let unknownMax = 100

    /// Notes every member that nobody asked for; of many the first 100, and how many more there are.
    public mutating func refuseUnknown() {
        let known = Set(known)
        let unknown = object.members.lazy.filter { !known.contains($0.name) }
        for member in unknown.prefix(Self.unknownMax) { note(member.name, "is not a known field") }
        let more = unknown.reduce(0) { count, _ in count + 1 } - Self.unknownMax
        if more > 0 { take(Mistake(pointer: base, message: "has \(more) more unknown fields")) }
    }
}

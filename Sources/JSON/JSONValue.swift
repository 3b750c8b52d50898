/// A JSON value exactly as it was written: numbers keep their text, objects keep the order of their members.
///
/// Why not `Codable` over Foundation: a Cargo's frame, a job's input and a publisher's schema pass through this
/// network, and must come out as they went in (big integers, decimals and unknown members included).
public enum JSONValue: Sendable, Hashable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, kept as written.
    case number(JSONNumber)
    /// A string, unescaped.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)
}

/// The text of a JSON number (RFC 8259 §6), for example `1`, `-0.5e3`; kept as written, at most 64 bytes long.
public struct JSONNumber: Sendable, Hashable {
    /// The literal, in the grammar of RFC 8259 §6.
    public let text: String

    init(uncheckedText text: String) { self.text = text }

    /// A whole number.
    public init(_ value: Int) { text = String(value) }

    /// A finite number, written in the shortest form that reads back as the same value.
    public init(_ value: Double) {
        precondition(value.isFinite, "JSON has no text for \(value)")
        // Not by `rounded()`: it needs the C library's mathematics, which this target does not link.
        let shortest = "\(value)"
        text = shortest.hasSuffix(".0") ? String(shortest.dropLast(2)) : shortest
    }

    /// The number as an integer, or `nil` when it has a fraction or does not fit in 64 bits. `1.0` and `1e2` are integers.
    ///
    /// Exact: no detour over a double, which would take `1.00000000000000000001` for 1.
    public var int: Int? { Int(text) ?? exactInteger }

    /// The integer that a text with a fraction or an exponent stands for.
    private var exactInteger: Int? {
        let parts = text.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
        guard let mantissa = parts.first else { return nil }
        let halves = mantissa.split(separator: ".", maxSplits: 1)
        var digits = halves.joined().filter { $0 != "-" }
        digits.removeFirst(digits.prefix { $0 == "0" }.count)
        guard !digits.isEmpty else { return 0 }
        let fractionDigits = halves.count > 1 ? halves[1].count : 0
        // An exponent that does not fit in 64 bits leaves no integer that does.
        guard let exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
        let (shift, overflow) = exponent.subtractingReportingOverflow(fractionDigits)
        guard !overflow, shift <= 19, shift >= -digits.count else { return nil }
        guard digits.suffix(max(0, -shift)).allSatisfy({ $0 == "0" }) else { return nil }
        digits = shift < 0 ? String(digits.dropLast(-shift)) : digits + String(repeating: "0", count: shift)
        return Int((text.hasPrefix("-") ? "-" : "") + digits)
    }

    /// The nearest double, or `nil` when the number is beyond the range of a double.
    public var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
}

/// The members of a JSON object in the order written; names are unique.
public struct JSONObject: Sendable, Hashable {
    /// One member.
    public struct Member: Sendable, Hashable {
        /// The member's name.
        public let name: String
        /// The member's value.
        public let value: JSONValue

        /// Two members are equal when their names have the same scalars, and their values are equal.
        public static func == (left: Member, right: Member) -> Bool { left.name.isSameText(as: right.name) && left.value == right.value }

        /// Hashes what equality compares.
        public func hash(into hasher: inout Hasher) {
            name.hashText(into: &hasher)
            hasher.combine(value)
        }
    }

    /// Every member, in the order written.
    public private(set) var members: [Member]

    /// An object without members.
    public init() { members = [] }

    init(uncheckedMembers members: [Member]) { self.members = members }

    /// The value of a member; assigning `nil` removes it, assigning to a new name appends it.
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name.isSameText(as: name) }?.value }
        set {
            let index = members.firstIndex { $0.name.isSameText(as: name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index] = Member(name: name, value: value)
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Two objects are equal when they have the same members, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.members.count == right.members.count else { return false }
        // The usual case, the same order, takes linear time; the table keeps the other one from taking quadratic time.
        if zip(left.members, right.members).allSatisfy({ $0.name.isSameText(as: $1.name) }) {
            return zip(left.members, right.members).allSatisfy { $0.value == $1.value }
        }
        let table = Dictionary(right.members.map { (ExactText($0.name), $0.value) }) { first, _ in first }
        return left.members.allSatisfy { table[ExactText($0.name)] == $0.value }
    }

    /// Hashes the members without regard to their order.
    public func hash(into hasher: inout Hasher) {
        // A sum of hashes has no order; each begins with the secret of the process that `hasher` holds.
        var sum = 0
        for member in members {
            var one = hasher
            one.combine(member)
            sum &+= one.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONValue {
    /// The same value, with the members of every object in the order of their names' scalars.
    public var withSortedMembers: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.withSortedMembers))
        case .object(let object):
            let sorted = object.members.sorted { $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars) }
            return .object(JSONObject(uncheckedMembers: sorted.map { .init(name: $0.name, value: $0.value.withSortedMembers) }))
        case .null, .bool, .number, .string: return self
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }

    fileprivate init(_ elements: [(String, JSONValue)]) {
        members = []
        members.reserveCapacity(elements.count)
        for (name, value) in elements { self[name] = value }
    }
}

extension String {
    /// Whether both have the same scalars (RFC 8259 §8.3). Swift's `==` also takes canonically equivalent texts, such as
    /// `é` and `e` with a combining accent, or `K` and the sign of the kelvin, for equal; to JSON, and to whoever is to be let in by a name,
    /// they are two.
    public func isSameText(as other: String) -> Bool {
        // Most names differ in length already.
        guard utf8.count == other.utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Hashes the scalars: goes with ``isSameText(as:)`` as Swift's own hash goes with `==`. With Swift's hash, which is the same for all
    /// canonically equivalent texts, a table of texts that are told apart by their scalars takes quadratic time, and strangers choose them.
    func hashText(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8: no text runs into what is hashed next.
        hasher.combine(0xFF as UInt8)
    }
}

/// A text that is equal only to the same scalars, as the key of a table of texts that strangers choose.
public struct ExactText: Sendable, Hashable {
    /// The text.
    public let text: String

    /// A text.
    public init(_ text: String) { self.text = text }

    /// Whether both have the same scalars.
    public static func == (left: ExactText, right: ExactText) -> Bool { left.text.isSameText(as: right.text) }

    /// Hashes the scalars, and not what Swift takes for the same text.
    public func hash(into hasher: inout Hasher) { text.hashText(into: &hasher) }
}

extension JSONValue {
    /// Two values are equal when they are of one kind and were written with the same number text, the same scalars,
    /// the same elements in order, or the same members in any order. `1` and `1.0` are not equal.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.isSameText(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value):
            hasher.combine(1)
            hasher.combine(value)
        case .number(let value):
            hasher.combine(2)
            hasher.combine(value)
        case .string(let value):
            hasher.combine(3)
            value.hashText(into: &hasher)
        case .array(let values):
            hasher.combine(4)
            hasher.combine(values)
        case .object(let value):
            hasher.combine(5)
            hasher.combine(value)
        }
    }

    /// The string, if this is one.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The integer, if this is a number without a fraction that fits in 64 bits.
    public var int: Int? { if case .number(let value) = self { value.int } else { nil } }
    /// The nearest double, if this is a number in its range.
    public var double: Double? { if case .number(let value) = self { value.double } else { nil } }
    /// The truth value, if this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements, if this is an array.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The object, if this is one.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The member of an object, or `nil` when this is no object or has no such member.
    public subscript(name: String) -> JSONValue? { object?[name] }

    /// The element of an array, or `nil` when this is no array or the index is outside it.
    public subscript(index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// What kind of value this is, in the words of JSON: `null`, `boolean`, `number`, `string`, `array` or `object`.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// Whether arrays and objects are nested deeper than so many levels in each other; a plain value has none.
    public func isDeeper(than levels: Int) -> Bool {
        switch self {
        case .null, .bool, .number, .string: false
        case .array(let values): levels == 0 || values.contains { $0.isDeeper(than: levels - 1) }
        case .object(let object): levels == 0 || object.members.contains { $0.value.isDeeper(than: levels - 1) }
        }
    }

    /// A number from an integer.
    public static func int(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

    /// A string, or `null` for `nil`.
    public static func optional(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }

    /// An integer, or `null` for `nil`.
    public static func optional(_ value: Int?) -> JSONValue { value.map(JSONValue.int) ?? .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// An object; a later value of a repeated name replaces the earlier one.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

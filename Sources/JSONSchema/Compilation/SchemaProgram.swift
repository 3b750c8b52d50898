import JSON

/// A compiled schema: subschemas by number, the first one the root.
struct SchemaProgram: Sendable {
    var subschemas: [Subschema] = []
    /// For each resource the subschemas of its `$dynamicAnchor`s.
    var dynamicAnchors: [[String: Int]] = []
    /// Whether any subschema asks what others have looked at.
    var usesUnevaluated = false
    let limits: SchemaLimits
}

/// One compiled subschema.
struct Subschema: Sendable {
    /// The resource it stands in, by number.
    let resource: Int
    /// Where it stands, for people.
    let pointer: String
    /// Its keywords in the order of checking; those that ask what others have looked at are last.
    var keywords: [Keyword] = []
}

/// One keyword with all that can be known before an instance is seen. Numbers are subschemas.
enum Keyword: Sendable {
    /// The schema `false`.
    case never
    case type([TypeName])
    /// The canonical texts that are allowed, and the values in words.
    case values(Set<String>, String)
    case multipleOf(Decimal, String)
    /// Against a bound: the keyword, the bound, and the bound as it was written.
    case bound(Bound, Decimal, String)
    /// Against a count: the keyword and the count.
    case count(Count, Int)
    case pattern(Pattern, String)
    case format(String, @Sendable (String) -> Bool)
    case uniqueItems
    case contains(Int, least: Int, most: Int?)
    case required([String])
    case dependentRequired([(String, [String])])
    case members(Members)
    case propertyNames(Int)
    case dependentSchemas([(String, Int)])
    case items(prefix: [Int], rest: Int?)
    case allOf([Int])
    case anyOf([Int])
    case oneOf([Int])
    case not(Int)
    case condition(Int, then: Int?, otherwise: Int?)
    case reference(String, Int)
    /// The subschema that is meant first, and the anchor that an outer resource may give another meaning.
    case dynamicReference(Int, anchor: String)
    case unevaluatedItems(Int)
    case unevaluatedProperties(Int)

    enum TypeName: String, Sendable { case null, boolean, object, array, number, string, integer }
    enum Bound: String, Sendable { case maximum, exclusiveMaximum, minimum, exclusiveMinimum }
    enum Count: String, Sendable { case maxLength, minLength, maxItems, minItems, maxProperties, minProperties }

    /// `properties`, `patternProperties` and `additionalProperties` of one subschema, which share what each has looked at.
    struct Members: Sendable {
        var named: [ExactText: Int] = [:]
        var patterns: [(pattern: Pattern, subschema: Int)] = []
        var additional: Int?
    }
}

import JSON
import Testing

@testable import JSONSchema

/// Patterns against the rules of ECMA-262.
@Suite struct PatternTests {
    @Test(arguments: [
        ("a", "xay", true), ("^a$", "a", true), ("^a$", "a\n", false), ("^a$", "ba", false), ("a|b", "b", true), ("^(?:a|bc)+$", "abcbca", true),
        ("^a{2,3}$", "a", false), ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false), ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true),
        ("^a*?b$", "aab", true), ("^.$", "\n", false), ("^.$", "🙂", true), ("^[^a]$", "b", true), ("^[^a]$", "a", false), ("^[a-c]$", "b", true),
        (#"^[\]\\-]$"#, "-", true), (#"^\d$"#, "5", true), (#"^\d$"#, "٣", false), (#"^\w$"#, "é", false), (#"^\w$"#, "_", true),
        (#"^\s$"#, "\u{FEFF}", true), (#"^\s$"#, "\u{85}", false), (#"^\S$"#, "x", true), (#"^[\D]$"#, "5", false), (#"^[\S\s]$"#, "\n", true),
        (#"\bfoo\b"#, "a foo b", true), (#"\bfoo\b"#, "afoo", false), (#"\Boo"#, "foo", true), (#"^\x41\u0042\u{43}$"#, "ABC", true),
        (#"^\uD83D\uDE42$"#, "🙂", true), (#"^\cA$"#, "\u{1}", true), (#"^[\b]$"#, "\u{8}", true), (#"^\0$"#, "\u{0}", true),
        (#"^\p{Lu}$"#, "É", true),
        (#"^\p{L}+$"#, "straße", true), (#"^\P{L}$"#, "a", false), (#"^\p{Script=Greek}$"#, "α", true), (#"^\p{sc=Cyrl}$"#, "ж", true),
        (#"^\p{Letter}$"#, "字", true), (#"^\p{Emoji}$"#, "🙂", true), (#"^(a)\1$"#, "aa", true), (#"^(a)\1$"#, "ab", false),
        (#"^(?<x>a|b)\k<x>$"#, "bb", true), (#"^(?<x>a|b)\k<x>$"#, "ba", false), ("^(?=.*a)(?=.*b).+$", "xbya", true),
        ("^(?=.*a)(?=.*b).+$", "xbyx", false),
        ("^(?!a).", "a", false), ("^(?!a).", "b", true), ("(?<=a)b", "ab", true), ("(?<=a)b", "cb", false), ("(?<!a)b", "cb", true),
        ("(?<!a)b", "ab", false),
        (#"(?<=\$\d+)x"#, "$12x", true), (#"(?<=\$\d+)x"#, "$x", false), ("^(?:)*$", "", true), ("^(a*)*$", "aaa", true), ("", "anything", true),
        (#"^\/\.\@$"#, "/.@", true), ("^é$", "e\u{301}", false), ("a{0}b", "b", true), ("^(?=(a))b|c", "c", true), (#"(?=\w{2})(?=\d)"#, "a1b", true),
    ])
    func matchesAsECMAScriptDoes(pattern: String, text: String, expected: Bool) throws {
        #expect(try Pattern(pattern, limits: SchemaLimits()).matches(text) == expected)
    }

    @Test(arguments: [
        "(", ")", "[", "a**", "*a", "+", "?", "{1}", "a{2,1}", "a{", "a{x}", "}", "]", #"\"#, #"\a"#, #"\Z"#, #"\x1"#, #"\u12"#, #"\u{110000}"#,
        #"\c1"#, #"\p{Nope}"#,
        #"\p"#, "(?", "(?<a", "(?<1>a)", "[b-a]", #"[\d-z]"#, #"\1"#, #"\k<x>"#, #"\01"#, "(?#c)", "^*", #"\b+"#, "(?<=a)*", #"(a)\2"#,
    ])
    func whatIsNoPatternIsRefused(pattern: String) {
        #expect(throws: PatternError.self) { try Pattern(pattern, limits: SchemaLimits()) }
    }

    @Test func aLongTextTakesOneWalk() throws {
        let text = String(repeating: "ab", count: 200_000)
        #expect(try Pattern("^(?:ab)*$", limits: SchemaLimits()).matches(text) == true)
        #expect(try Pattern("^(?:ab)*c$", limits: SchemaLimits()).matches(text) == false)
    }
}

/// Messages and places as people see them.
@Suite struct ViolationTests {
    private func violations(_ schema: JSONValue, _ instance: JSONValue) throws -> [String] {
        try Schema(schema).violations(in: instance).map { "\($0.instancePointer) \($0.keywordPointer): \($0.message)" }
    }

    @Test func eachViolationNamesItsPlaceAndWhatWouldBeRight() throws {
        let schema: JSONValue = [
            "type": "object", "required": ["prompt", "a/b"],
            "properties": [
                "prompt": ["type": "string", "minLength": 3], "n": ["type": "integer", "maximum": 10, "multipleOf": 2],
                "mode": ["enum": ["fast", "good"]], "tags": ["items": ["pattern": "^[a-z]+$"], "uniqueItems": true, "maxItems": 2],
            ], "additionalProperties": false,
        ]
        #expect(
            try violations(schema, ["prompt": "x", "n": .number(JSONNumber(11.5)), "mode": "slow", "tags": ["a", "A", "a"], "x~y": 1]) == [
                "/a~1b /required: is required", "/prompt /properties/prompt/minLength: must have at least 3 characters, and has 1",
                "/n /properties/n/type: must be integer, not number", "/n /properties/n/multipleOf: must be a multiple of 2",
                "/n /properties/n/maximum: must be at most 10", #"/mode /properties/mode/enum: must be one of "fast", "good""#,
                "/tags /properties/tags/maxItems: must have at most 2 elements, and has 3",
                "/tags/2 /properties/tags/uniqueItems: must not be the same as element 0",
                "/tags/1 /properties/tags/items/pattern: must match the pattern ^[a-z]+$", "/x~0y /additionalProperties: is not allowed here",
            ])
        #expect(try violations(schema, ["prompt": "abc", "a/b": 1]) == ["/a~1b /additionalProperties: is not allowed here"])
    }

    @Test func lengthsCountCodePoints() throws {
        #expect(try violations(["maxLength": 1], "🙂").isEmpty)
        #expect(try violations(["maxLength": 1], "e\u{301}").count == 1)
    }

    @Test func namesAreComparedByTheirScalars() throws {
        #expect(try violations(["properties": ["é": false]], ["e\u{301}": 1]).isEmpty)
        #expect(try violations(["required": ["é"]], ["e\u{301}": 1]).count == 1)
        #expect(try violations(["enum": ["é"]], "e\u{301}").count == 1)
    }

    @Test(arguments: [
        ("1.0", "1"), ("1e2", "100"), ("100e-2", "1"), ("-0", "0"), ("0.10", "0.1"), ("12345678901234567890123", "12345678901234567890123.0"),
    ])
    func equalNumbersAreEqualHoweverTheyAreWritten(left: String, right: String) throws {
        let schema = try Schema(.object(["const": try JSONValue(parsing: left)]))
        #expect(try schema.violations(in: try JSONValue(parsing: right)).isEmpty)
    }

    @Test(arguments: [
        ("0.3", "0.1", true), ("1e308", "0.5", true), ("7", "2", false), ("12391239123", "1e-8", true), ("0.0075", "0.0001", true),
        ("0.00751", "0.0001", false), ("1e400", "7", false), ("7e400", "7", true),
    ])
    func multiplesAreExact(value: String, divisor: String, expected: Bool) throws {
        let schema = try Schema(.object(["multipleOf": try JSONValue(parsing: divisor)]))
        #expect(try schema.violations(in: try JSONValue(parsing: value)).isEmpty == expected)
    }
}

import Foundation
import JSON
import JSONSchema
import TestSupport
import Testing

/// Schemas and values that want to hang or crash whoever checks them.
@Suite(.timeLimit(.minutes(5))) struct HostileSchemaTests {
    private func code(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return "no error"
        } catch let error as SchemaError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    private func nested(_ depth: Int, _ keyword: String) -> JSONValue {
        var value: JSONValue = true
        for _ in 0..<depth { value = [keyword: value] }
        return .object([keyword == "" ? "not" : keyword: value])
    }

    @Test(arguments: [
        ##"{"$ref":"#"}"##, ##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, ##"{"allOf":[{"$ref":"#"}]}"##,
        ##"{"not":{"$ref":"#"}}"##, ##"{"$dynamicAnchor":"x","$dynamicRef":"#x"}"##,
    ])
    func aReferenceToItselfEndsWithAnError(text: String) throws {
        let schema = try Schema(try JSONValue(parsing: text))
        #expect(code { try schema.violations(in: 1) } == "too_expensive")
    }

    /// To Swift's strings the two names are one; each still has its own schema.
    @Test func equivalentNamesAreTwoMembers() throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let schema = try Schema(["properties": [composed: ["type": "string"], decomposed: ["type": "integer"]], "required": [.string(decomposed)]])
        #expect(try schema.violations(in: [composed: "a", decomposed: 1]).isEmpty)
        #expect(try schema.violations(in: [composed: 1, decomposed: "a"]).count == 2)
        #expect(try schema.violations(in: [composed: "a"]).map(\.message) == ["is required"])
    }

    /// 2⁶⁰ ways through sixty definitions.
    @Test func exponentiallyManyWaysEndWithAnError() throws {
        var definitions = JSONObject()
        for index in 0..<60 {
            let next: JSONValue = ["$ref": .string("#/$defs/d\(index + 1)")]
            definitions["d\(index)"] = ["anyOf": [["allOf": [next, false]], ["allOf": [next, false]]]]
        }
        definitions["d60"] = true
        let schema = try Schema(["$defs": .object(definitions), "$ref": "#/$defs/d0"])
        #expect(code { try schema.violations(in: 1) } == "too_expensive")
    }

    @Test(arguments: [250, 2000]) func deepSchemasAreReadOrRefused(depth: Int) {
        let answer = code { try Schema(nested(depth, "not")).violations(in: 1) }
        #expect(depth > 256 ? answer == "too_large" : answer == "too_expensive")
        #expect(!Schema.problems(of: nested(depth, "not")).isEmpty)
    }

    /// The stack of a thread with 2 MiB must do (in a debug build; an optimised one needs a quarter) for the deepest way that the limits allow.
    @Test func theDeepestWayFitsASmallStack() async throws {
        var instance: JSONValue = [:]
        for _ in 0..<100 { instance = ["a": instance] }
        let schema = try Schema(["properties": ["a": ["allOf": [["anyOf": [["$ref": "#"]]]]]]])
        let value = instance
        let answer = await withCheckedContinuation { continuation in
            let thread = Thread {
                do {
                    continuation.resume(returning: "\(try schema.violations(in: value).count)")
                } catch {
                    continuation.resume(returning: "\((error as? SchemaError)?.code.rawValue ?? "?")")
                }
            }
            thread.stackSize = 2 << 20
            thread.start()
        }
        #expect(answer == "too_expensive")
    }

    @Test(arguments: [
        "(a+)+$", "(a|a)*$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x", "(?:a?){50}a{50}", "a*a*a*a*a*a*b", "(?=(a+)+$)b", "(x+x+)+y",
    ])
    func patternsThatExplodeElsewhereEnd(pattern: String) throws {
        let schema = try Schema(["pattern": .string(pattern)])
        let text = JSONValue.string(String(repeating: "a", count: 5000) + "!")
        let answer = code { try schema.violations(in: text) }
        #expect(["no error", "too_expensive"].contains(answer))
    }

    @Test func aBackReferenceThatExplodesIsTooExpensive() throws {
        let schema = try Schema(["pattern": #"^(a+)+\1$"#])
        #expect(code { try schema.violations(in: .string(String(repeating: "a", count: 200) + "!")) } == "too_expensive")
    }

    @Test(arguments: [
        "a{1000000}", "(a{1000}){1000}", "((((a{50}){50}){50}){50}){50}", "a{99999999999999999999}",
        String(repeating: "(", count: 60) + String(repeating: ")", count: 60), String(repeating: "a", count: 3000),
    ])
    func patternsThatAreTooLargeAreRefused(pattern: String) {
        #expect(code { try Schema(["pattern": .string(pattern)]) } == "invalid_pattern")
        #expect(Schema.problems(of: ["patternProperties": [pattern: true]]).count == 1)
    }

    @Test(arguments: ["1e1000000000", "-1e1000000000", "1e-1000000000", "0.1e99999999999999999999", "1E+400"])
    func hugeExponentsAreExactAndQuick(text: String) throws {
        let number = try JSONValue(parsing: text)
        for keyword in ["maximum", "minimum", "multipleOf", "exclusiveMaximum"] {
            guard !(keyword == "multipleOf" && text.hasPrefix("-")) else { continue }
            let schema = try Schema(.object([keyword: number]))
            _ = try schema.violations(in: 7)
            #expect(try schema.violations(in: number).isEmpty == (keyword != "exclusiveMaximum"))
        }
    }

    @Test func aHundredThousandElementsAreUniqueInOneGo() throws {
        let schema = try Schema(["uniqueItems": true])
        var elements = (0..<100_000).map { JSONValue.int($0) }
        #expect(try schema.violations(in: .array(elements)).isEmpty)
        elements.append(.number(JSONNumber(5)))
        #expect(try schema.violations(in: .array(elements)).map(\.instancePointer) == ["/100000"])
    }

    @Test func violationsAreBoundedAndShort() throws {
        let schema = try Schema(["items": ["type": "string"]])
        let found = try schema.violations(in: .array((0..<5000).map { JSONValue.int($0) }))
        #expect(found.count == 100)
        let long = try Schema(["enum": [.string(String(repeating: "x", count: 10_000))]])
        #expect(try long.violations(in: 1).allSatisfy { $0.message.count < 200 })
    }

    @Test(arguments: [
        #"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, #"{"$schema":"urn:mine"}"#, ##"{"$ref":"#/nowhere"}"##,
        #"{"$ref":"http://example.com/x"}"#,
        ##"{"$ref":"#anchor"}"##, #"{"$ref":"file:///etc/passwd"}"#, #"{"type":"text"}"#, #"{"minLength":-1}"#, #"{"pattern":"("}"#,
        #"{"required":[1]}"#,
        #"{"properties":[]}"#, #"{"allOf":[]}"#, #"{"multipleOf":0}"#, #"{"$id":"http://x/#frag"}"#, "[]", "null", "1", #""string""#,
    ])
    func whatIsNoUsableSchemaIsAProblemWithItsPlace(text: String) throws {
        let problems = Schema.problems(of: try JSONValue(parsing: text))
        #expect(!problems.isEmpty)
        #expect(problems.allSatisfy { !$0.message.isEmpty })
    }

    /// Random JSON made of keywords, as schema and as value: answers or errors, never a crash.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func randomSchemasNeverCrash(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for _ in 0..<400 {
            let document = randomValue(&random, depth: 4)
            _ = Schema.problems(of: document)
            guard let schema = try? Schema(document) else { continue }
            _ = try? schema.violations(in: randomValue(&random, depth: 3))
        }
    }

    private func randomValue(_ random: inout SplitMix64, depth: Int) -> JSONValue {
        let names = [
            "type", "properties", "items", "$ref", "allOf", "not", "pattern", "$defs", "enum", "minLength", "unevaluatedProperties", "$dynamicRef",
            "$anchor", "$id", "contains", "multipleOf", "required", "if", "then", "patternProperties", "uniqueItems", "const",
        ]
        switch depth == 0 ? Int.random(in: 0...4, using: &random) : Int.random(in: 0...8, using: &random) {
        case 0: return .bool(Bool.random(using: &random))
        case 1: return .int(Int.random(in: -3...3, using: &random))
        case 2: return .string(["string", "#", "#/$defs/a", "a", "(", "^a*$", "object"].randomElement(using: &random) ?? "")
        case 3: return .null
        case 4: return .array([])
        case 5: return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in randomValue(&random, depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                object[names.randomElement(using: &random) ?? "a"] = randomValue(&random, depth: depth - 1)
            }
            return .object(object)
        }
    }
}

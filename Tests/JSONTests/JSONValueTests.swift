import Testing

@testable import JSON

struct JSONValueTests {
    @Test(arguments: [
        ("0", 0), ("-0", 0), ("1.0", 1), ("1e2", 100), ("-12.50e1", -125), ("9223372036854775807", .max), ("-9223372036854775808", .min),
        ("9007199254740993", 9_007_199_254_740_993), ("100000000000000000000e-2", 1_000_000_000_000_000_000), ("0e999999999999999999", 0),
        ("0.000", 0), ("1E+3", 1000),
    ])
    func anIntegerIsExact(text: String, expected: Int) throws {
        #expect(try JSONValue(parsing: text).int == expected)
    }

    @Test(arguments: [
        "0.5", "1e-1", "9223372036854775808", "-9223372036854775809", "1.00000000000000000001", "1e19", "1e99999999999999999999",
        "1e-9223372036854775808", "12e-3",
    ])
    func aFractionOrAnOverflowIsNoInteger(text: String) throws {
        #expect(try JSONValue(parsing: text).int == nil)
    }

    @Test func aNumberBeyondADoubleIsNone() throws {
        #expect(try JSONValue(parsing: "1e400").double == nil)
        #expect(try JSONValue(parsing: "1e308").double == 1e308)
    }

    @Test(arguments: [0.0, -0.0, 1, -1.5, 1e14, 1e15, 1e21, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1])
    func aDoubleReadsBackAsItself(value: Double) throws {
        #expect(try JSONValue(parsing: JSONNumber(value).text).double == value)
    }

    @Test func membersKeepTheirOrderAndCanBeReplacedAndRemoved() {
        var object: JSONObject = ["b": 1, "a": 2, "b": 3]
        #expect(JSONValue.object(object).text == #"{"b":3,"a":2}"#)
        object["c"] = true
        object["b"] = nil
        #expect(JSONValue.object(object).text == #"{"a":2,"c":true}"#)
        object["nothing"] = nil
        #expect(object.members.count == 2)
    }

    @Test func objectsAreEqualInAnyOrder() throws {
        let left = try JSONValue(parsing: #"{"a":1,"b":[1,2]}"#)
        let right = try JSONValue(parsing: #"{"b":[1,2],"a":1}"#)
        #expect(left == right && left.hashValue == right.hashValue)
        #expect(try left != JSONValue(parsing: #"{"b":[2,1],"a":1}"#))
        #expect(try left != JSONValue(parsing: #"{"a":1,"c":[1,2]}"#))
        #expect(try left != JSONValue(parsing: #"{"a":1}"#))
    }

    // RFC 8259 §8.3: names are compared code unit by code unit.
    @Test func equivalentTextsAreNotTheSame() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(JSONValue.string(composed) != JSONValue.string(decomposed))
        let value = try JSONValue(parsing: "{\"\(composed)\":1,\"\(decomposed)\":2}")
        #expect(value[composed] == 1 && value[decomposed] == 2)
        // Also in the table of large objects.
        let filling = (0..<20).map { "\"\($0)\":0," }.joined()
        #expect(try JSONValue(parsing: "{\(filling)\"\(composed)\":1,\"\(decomposed)\":2}")[decomposed] == 2)
    }

    /// Swift has one hash for all canonically equivalent texts, and a table that tells them apart would take quadratic time.
    @Test func equivalentTextsHaveHashesOfTheirOwn() throws {
        let marks: [Unicode.Scalar] = [";", "\u{37E}"]
        let texts = (0..<1024).map { number in String(String.UnicodeScalarView((0..<10).map { marks[number >> $0 & 1] })) }
        #expect(Set(texts).count == 1)
        #expect(Set(texts.map { ExactText($0).hashValue }).count == texts.count)
        #expect(Set(texts.map { JSONValue.string($0).hashValue }).count == texts.count)
        #expect(Set(texts.map { JSONValue.array([1, .string($0)]).hashValue }).count == texts.count)
        #expect(Set(texts.map { JSONValue.object([$0: 1, "a": 2]).hashValue }).count == texts.count)
        #expect(Set(texts.map { JSONObject.Member(name: $0, value: nil) }).count == texts.count)
        let body = "{" + texts.map { "\"\($0)\":\($0.utf8.count)" }.joined(separator: ",") + "}"
        let object = try #require(try JSONValue(parsing: body).object)
        #expect(object.members.count == texts.count && texts.allSatisfy { object[$0]?.int == $0.utf8.count })
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(body.dropLast()) + ",\"\(texts[777])\":0}") }
    }

    @Test func valuesOfDifferentKindsAndMembersOfDifferentValuesHaveHashesOfTheirOwn() {
        let values: [JSONValue] = [
            nil, true, false, 1, "1", [], [1], ["1"], [[]], [:], ["a": 1], ["a": 2], ["a": "1"], ["b": 1], ["a": 1, "b": 1], "",
        ]
        #expect(Set(values.map(\.hashValue)).count == values.count)
        #expect(Set(values).count == values.count)
    }

    @Test func valuesAreReached() throws {
        let value = try JSONValue(parsing: #"{"a":[null,true,"x",{"b":1.5}]}"#)
        #expect(value["a"]?[0]?.isNull == true && value["a"]?[1]?.bool == true && value["a"]?[2]?.string == "x")
        #expect(value["a"]?[3]?["b"]?.double == 1.5 && value["a"]?[4] == nil && value["a"]?[-1] == nil && value["z"] == nil)
        #expect(value["a"]?["b"] == nil && value[0] == nil)
        let kinds: [(JSONValue, String)] = [(nil, "null"), (true, "boolean"), (1, "number"), ("", "string"), ([], "array"), ([:], "object")]
        for (value, kind) in kinds { #expect(value.kind == kind) }
        #expect(JSONValue.optional(String?.none).isNull && JSONValue.optional(3) == 3)
    }

    @Test func largeObjectsInAnotherOrderAreComparedQuickly() {
        var left = [JSONObject.Member]()
        for index in 0..<50_000 { left.append(.init(name: "name \(index)", value: .int(index))) }
        // Quadratic time would take minutes.
        #expect(JSONObject(uncheckedMembers: left) == JSONObject(uncheckedMembers: left.reversed()))
    }
}

import TestSupport
import Testing

@testable import JSON

struct JSONValueParsingTests {
    // Texts after the grammar of RFC 8259 §§2 to 7.
    @Test(arguments: [
        ("null", "null"), (" true\n", "true"), ("\t[ ]\r", "[]"), ("{ }", "{}"), ("[1,-0,0.5,1E+2,1e-2,-1.5e3]", "[1,-0,0.5,1E+2,1e-2,-1.5e3]"),
        (#"{"a" : {"b":[false]} }"#, #"{"a":{"b":[false]}}"#), (#""\"\\\/\b\f\n\r\t""#, #""\"\\/\b\f\n\r\t""#),
        (#""\u0041\u00e9\u20AC""#, "\"A\u{E9}\u{20AC}\""), (#""\ud83d\ude00""#, "\"\u{1F600}\""), (#""\u0000""#, #""\u0000""#), (#""""#, #""""#),
        ("123456789012345678901234567890", "123456789012345678901234567890"), (#"{"":1}"#, #"{"":1}"#), ("\"\u{7F}\"", "\"\u{7F}\""),
        (#""\u0008\u000C\u007f""#, "\"\\b\\f\u{7F}\""),
    ])
    func aGoodTextIsRead(text: String, written: String) throws {
        #expect(try JSONValue(parsing: text).text == written)
    }

    @Test(arguments: [("[1,[2],{\"a\":3}]", 6), ("null", 1), ("[]", 1), ("{\"a\":{\"b\":\"\"}}", 3)])
    func valuesAreCounted(text: String, count: Int) throws {
        let read = try JSONValue(parsing: text, limits: .init(valuesMax: count))
        #expect(read.text == text)
        #expect { try JSONValue(parsing: text, limits: .init(valuesMax: count - 1)) } throws: { ($0 as? JSONError)?.code == .tooLarge }
    }

    @Test(arguments: [
        ("", "unexpected_end"), ("  ", "unexpected_end"), ("nul", "unexpected_end"), ("nulL", "unexpected_byte"), ("True", "unexpected_byte"),
        ("[1", "unexpected_end"), ("[1,", "unexpected_end"),
        ("[1,]", "unexpected_byte"), ("[,1]", "unexpected_byte"), ("[1 2]", "unexpected_byte"), ("[}", "unexpected_byte"),
        ("{", "unexpected_end"), (#"{"a""#, "unexpected_end"), (#"{"a":"#, "unexpected_end"), (#"{"a":1"#, "unexpected_end"),
        (#"{"a":1,}"#, "unexpected_byte"), (#"{a:1}"#, "unexpected_byte"),
        (#"{"a" 1}"#, "unexpected_byte"), (#"{1:1}"#, "unexpected_byte"), ("1 2", "trailing_bytes"), ("{}{}", "trailing_bytes"),
        ("null,", "trailing_bytes"),
        ("01", "trailing_bytes"), ("-", "unexpected_end"), ("1.", "unexpected_end"), ("1.e1", "invalid_number"), ("1e", "unexpected_end"),
        ("1e+", "unexpected_end"), ("+1", "unexpected_byte"),
        (".5", "unexpected_byte"), ("0x1", "trailing_bytes"), ("NaN", "unexpected_byte"), ("Infinity", "unexpected_byte"), ("-a", "invalid_number"),
        ("'a'", "unexpected_byte"),
        (#""a"#, "unexpected_end"), (#""\"#, "unexpected_end"), (#""\x""#, "invalid_string"), (#""\u12""#, "invalid_string"),
        (#""\u12g4""#, "invalid_string"), (#""\u+123""#, "invalid_string"),
        ("\"\u{1}\"", "invalid_string"), ("\"\n\"", "invalid_string"), ("\"\\n\t\"", "invalid_string"),
        (#""\ud800""#, "invalid_string"), (#""\ud800x""#, "invalid_string"), (#""\ud800\n""#, "invalid_string"),
        (#""\ud800\ud800""#, "invalid_string"), (#""\udc00""#, "invalid_string"), (#""\ud83d\u""#, "invalid_string"),
        (#"{"a":1,"a":2}"#, "duplicate_name"), (#"{"a":1,"\u0061":2}"#, "duplicate_name"), ("// x\n1", "unexpected_byte"),
        ("\u{FEFF}1", "unexpected_byte"), ("\u{A0}1", "unexpected_byte"),
    ])
    func aBadTextIsRefused(text: String, code: String) {
        #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.code.rawValue == code }
    }

    // Invalid UTF-8 (RFC 3629 §3 and §10): a lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut off.
    @Test(arguments: [[0x80], [0xC0, 0x80], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0xFF]] as [[UInt8]])
    func invalidUTF8IsRefused(bytes: [UInt8]) {
        for text in [[0x22] + bytes + [0x22], [0x22, 0x5C, 0x6E] + bytes + [0x22]] as [[UInt8]] {
            #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.code == .invalidString }
        }
    }

    @Test(arguments: [-1, 0, 1])
    func theDepthLimitHolds(offset: Int) {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let depth = 64 + offset
            let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            #expect(((try? JSONValue(parsing: text)) == nil) == (offset > 0))
        }
        #expect((try? JSONValue(parsing: "[1]", limits: .init(depthMax: 0))) == nil)
        #expect((try? JSONValue(parsing: "1", limits: .init(depthMax: 0))) != nil)
    }

    @Test func extremeDepthIsRefusedWithoutHarm() {
        #expect { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) } throws: { ($0 as? JSONError)?.code == .tooDeep }
    }

    @Test(arguments: [-1, 0, 1])
    func theByteLimitHolds(offset: Int) {
        let text = "\"" + String(repeating: "x", count: 98 + offset) + "\""
        let result = Result { try JSONValue(parsing: text, limits: .init(bytesMax: 100)) }
        if offset > 0 {
            #expect { try result.get() } throws: { ($0 as? JSONError)?.code == .tooLarge }
        } else {
            #expect(throws: Never.self) { try result.get() }
        }
    }

    @Test(arguments: [-1, 0, 1])
    func theNumberLimitHolds(offset: Int) {
        let text = String(repeating: "1", count: 64 + offset)
        #expect(((try? JSONValue(parsing: text)) == nil) == (offset > 0))
    }

    @Test(arguments: [2, 15, 16, 17, 18, 500])
    func aRepeatedNameIsFoundInObjectsOfAnySize(count: Int) {
        let names = (0..<count).map { "\"n\($0)\":0" }
        #expect((try? JSONValue(parsing: "{" + names.joined(separator: ",") + "}"))?.object?.members.count == count)
        for repeated in [0, count / 2, count - 1] {
            let text = "{" + (names + ["\"n\(repeated)\":0"]).joined(separator: ",") + "}"
            #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.code == .duplicateName }
        }
    }

    @Test func theOffsetIsWhereReadingStopped() {
        #expect { try JSONValue(parsing: "[1,x]") } throws: { ($0 as? JSONError)?.offset == 3 }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func whatIsWrittenReadsBack(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for round in 0..<500 {
            let value = Self.value(depth: 5, &random)
            let compact = try JSONValue(parsing: value.bytes)
            let indented = try JSONValue(parsing: value.indentedText)
            #expect(compact == value && indented == value && compact.bytes == value.bytes, "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: [UInt64(5), 6, 7])
    func randomAndDamagedTextsNeverCrash(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let alphabet = Array(#"{}[]",:\u0123456789abcdefntrue-+.eE "#.utf8) + [0, 10, 0x80, 0xC3, 0xFF]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...60, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            if let value = try? JSONValue(parsing: text) { #expect((try? JSONValue(parsing: value.bytes)) == value, "seed \(seed), \(text)") }
        }
        for _ in 0..<500 {
            var text = Self.value(depth: 4, &random).bytes
            text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            _ = try? JSONValue(parsing: text)
            _ = try? JSONValue(parsing: text.prefix(Int.random(in: 0...text.count, using: &random)))
        }
    }

    private static func value(depth: Int, _ random: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .int(Int.random(in: .min ... .max, using: &random))
        case 3:
            return .number(
                JSONNumber(
                    Double(
                        sign: .plus, exponent: Int.random(in: -1000...1000, using: &random), significand: Double.random(in: -2...2, using: &random))))
        case 4: return .string(string(&random))
        case 5: return .array((0..<Int.random(in: 0...5, using: &random)).map { _ in value(depth: depth - 1, &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...25, using: &random) { object[string(&random)] = value(depth: max(0, depth - 2), &random) }
            return .object(object)
        }
    }

    private static func string(_ random: inout SplitMix64) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let number = UInt32.random(in: 0...(Bool.random(using: &random) ? 0x80 : 0x10FFFF), using: &random)
            if let scalar = Unicode.Scalar(number) { text.append(scalar) }
        }
        return String(text)
    }
}

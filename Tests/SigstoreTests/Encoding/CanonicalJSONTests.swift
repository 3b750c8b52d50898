import JSON
import Testing

@testable import Sigstore

/// RFC 8785, with the vectors of its author.
@Suite struct CanonicalJSONTests {
    @Test(arguments: Fixture.names(in: "vectors/jcs").filter { $0.hasSuffix(".input.json") }) func vector(_ name: String) throws {
        let output = try Fixture.text("vectors/jcs/" + name.replacing(".input.", with: ".output."))
        #expect(String(decoding: try CanonicalJSON.bytes(try Fixture.json("vectors/jcs/" + name)), as: UTF8.self) == output)
    }

    /// Source: RFC 8785 appendix B.
    @Test(arguments: [
        ("0.0", "0"), ("-0.0", "0"), ("5e-324", "5e-324"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("9007199254740992", "9007199254740992"),
        ("295147905179352830000", "295147905179352830000"), ("9.999999999999997e22", "9.999999999999997e+22"), ("1e23", "1e+23"),
        ("1.0000000000000001e23", "1.0000000000000001e+23"), ("999999999999999700000", "999999999999999700000"), ("1e21", "1e+21"),
        ("9.999999999999997e-7", "9.999999999999997e-7"), ("0.000001", "0.000001"), ("333333333.3333332", "333333333.3333332"),
        ("-0.0000033333333333333333", "-0.0000033333333333333333"), ("1424953923781206.2", "1424953923781206.2"),
    ]) func number(_ text: String, _ canonical: String) throws {
        let bytes = try CanonicalJSON.bytes(try JSONValue(parsing: Array(text.utf8)))
        #expect(String(decoding: bytes, as: UTF8.self) == canonical)
    }
}

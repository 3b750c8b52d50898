import JSON
import Testing

@testable import Sigstore

/// Documents with more values than anybody needs, which take far more memory than bytes.
@Suite struct BundleLimitsTests {
    private static func valueCount(_ value: JSONValue) -> Int {
        switch value {
        case .object(let object): 1 + object.members.reduce(0) { $0 + valueCount($1.value) }
        case .array(let array): 1 + array.reduce(0) { $0 + valueCount($1) }
        case .null, .bool, .number, .string: 1
        }
    }

    /// A good bundle with a member that nobody knows, so that it has so many values.
    private static func bundle(values: Int) throws -> [UInt8] {
        let good = try Fixture.json("bundles/happy-path-v0.3/bundle.sigstore.json")
        var object = try #require(good.object)
        object["more"] = .array(Array(repeating: .null, count: values - valueCount(good) - 1))
        return object.bytes
    }

    @Test(arguments: [-1, 0]) func aBundleMayHaveManyValues(more: Int) throws {
        let bytes = try Self.bundle(values: Sigstore.Bundle.valuesMax + more)
        #expect(try Sigstore.Bundle(parsing: bytes).logEntries.count == 1)
    }

    @Test func aBundleWithTooManyValuesIsMalformed() throws {
        let bytes = try Self.bundle(values: Sigstore.Bundle.valuesMax + 1)
        let mistake = #expect(throws: Sigstore.Bundle.Malformed.self) { try Sigstore.Bundle(parsing: bytes) }
        #expect(mistake.map { Refusal($0).code } == .bundleMalformed)
    }

    /// The room is over whatever real bundles have.
    @Test func noBundleOfTheFixturesComesNearTheLimit() throws {
        for one in FixtureCase.bundles {
            // Some are no JSON on purpose.
            guard let value = try? Fixture.json(one.text("bundle") ?? "") else { continue }
            #expect(Self.valueCount(value) < Sigstore.Bundle.valuesMax / 50, "\(one.name)")
        }
    }

    /// Eight values are around the predicate's.
    private static func statement(values: Int) -> [UInt8] {
        let start = #"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"x","predicate":["#
        return Array((start + Array(repeating: "0", count: values - 8).joined(separator: ",") + "]}").utf8)
    }

    @Test func aStatementOfTooManyValuesIsMalformed() throws {
        let limit = InTotoStatement.valuesMax
        #expect(try InTotoStatement(parsing: Self.statement(values: limit)).predicateType == "x")
        #expect(throws: InTotoStatement.Malformed.self) { try InTotoStatement(parsing: Self.statement(values: limit + 1)) }
    }
}

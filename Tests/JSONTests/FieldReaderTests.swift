import JSON
import Testing

@Suite struct FieldReaderTests {
    private static func mistakes(unknown count: Int) -> [FieldReader.Mistake] {
        var object = JSONObject()
        object["name"] = "x"
        for number in 0..<count { object["k\(number)"] = 1 }
        var reader = FieldReader(object, at: "/body")
        _ = reader.string("name")
        reader.refuseUnknown()
        return reader.mistakes
    }

    @Test(arguments: [0, 1, 100]) func everyUnknownMemberIsNamed(count: Int) {
        #expect(Self.mistakes(unknown: count).map(\.pointer) == (0..<count).map { "/body/k\($0)" })
    }

    @Test(arguments: [(101, "has 1 more unknown fields"), (50_000, "has 49900 more unknown fields")])
    func ofManyTheFirstHundredAreNamedAndTheRestCounted(count: Int, words: String) {
        let mistakes = Self.mistakes(unknown: count)
        #expect(mistakes.count == 101)
        #expect(mistakes.last == FieldReader.Mistake(pointer: "/body", message: words))
    }
}

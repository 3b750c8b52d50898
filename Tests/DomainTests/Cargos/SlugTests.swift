import Domain
import Testing

@Suite struct SlugTests {
    @Test(arguments: [
        "abc", "my-text-processor", "llm-chat-mistral", "a1-", "-1a", "---", "000", "0-9", String(repeating: "z", count: 62),
        String(repeating: "z", count: 63),
    ])
    func takesLettersDigitsAndHyphensOf3To63Characters(text: String) throws {
        #expect(try Slug(text).description == text)
    }

    @Test(arguments: [
        "", "a", "ab", String(repeating: "z", count: 64), String(repeating: "z", count: 10_000), "Abc", "ABC", "a_b", "a.b", "a b", " abc", "abc ",
        "abc\n", "a/b", "../..", "äbc", "abc\u{301}", "абв", "a\u{0}b", "a%20b", "１２３", "abc\u{200B}",
    ])
    func refusesEverythingElse(text: String) {
        #expect(throws: InvalidSlug.self) { try Slug(text) }
    }

    @Test func theRefusalSaysTheRule() throws {
        let error = #expect(throws: InvalidSlug.self) { try Slug("x") }
        #expect(error?.description == "must be 3 to 63 characters of a-z, 0-9 and '-'")
    }
}

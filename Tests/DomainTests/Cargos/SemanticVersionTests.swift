import Domain
import Testing

/// Semantic Versioning 2.0.0 (semver.org), and the list of its regular expression's test page.
@Suite struct SemanticVersionTests {
    /// §11: 1.0.0 < 2.0.0 < 2.1.0 < 2.1.1, and the example of §11.4.
    static let ascending = [
        ["1.0.0", "2.0.0", "2.1.0", "2.1.1"],
        [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
        ],
        ["v0.0.9", "v0.0.10", "v0.9.0", "v0.10.0", "v9.0.0", "v10.0.0"],
        ["1.0.0-1", "1.0.0-9", "1.0.0-10", "1.0.0--", "1.0.0-A", "1.0.0-a"],
    ]

    @Test(arguments: ascending)
    func hasThePrecedenceOfTheSpecification(texts: [String]) throws {
        let versions = try texts.map { try #require(SemanticVersion($0)) }
        for (lower, left) in versions.enumerated() {
            for (higher, right) in versions.enumerated() {
                #expect((left < right) == (lower < higher), "\(left) < \(right)")
                #expect((left == right) == (lower == higher), "\(left) == \(right)")
            }
        }
        #expect(versions.reversed().sorted() == versions)
    }

    @Test(arguments: [
        "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease", "1.0.0-alpha", "1.0.0-beta", "1.0.0-alpha.beta", "1.0.0-alpha.beta.1", "1.0.0-alpha.1",
        "1.0.0-alpha0.valid", "1.0.0-alpha.0valid", "1.0.0-rc.1", "1.2.3-beta", "10.2.3-DEV-SNAPSHOT", "1.2.3-SNAPSHOT-123", "1.0.0", "2.0.0",
        "1.1.7",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0-0A.is.legal", "1.0.0-0", "0.0.0", "v1.2.3", "v1.0.0-rc.1",
    ])
    func takesValidVersionsWithAndWithoutV(text: String) throws {
        #expect(try #require(SemanticVersion(text)).description == text)
    }

    @Test(arguments: [
        "1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "alpha", "alpha.beta", "alpha.beta.1", "alpha.1", "1.0.0-alpha_beta", "1.0.0-alpha..",
        "1.0.0-alpha..1", "1.0.0-alpha...1", "01.1.1", "1.01.1", "1.1.01", "1.2.3.DEV", "1.2-SNAPSHOT", "1.2.31.2.3----RC-SNAPSHOT.12.09.1",
        "-1.0.3-gamma",
        "-alpha.", "1.0.0-", "", "v", "vv1.0.0", "V1.0.0", "latest", "v1", "v1.2", "1.2.3.4", " 1.2.3", "1.2.3 ", "1.2.3\n", "1..3", ".1.2", "1.2.",
        "+1.2.3", "1.-2.3", "1.2.3-é", "１.2.3", "1.2.3-\u{0}", "1.2.3+build", "99999999999999999999.0.0",
        "1.0.0-" + String(repeating: "a", count: 59),
    ])
    func refusesTextThatIsNoVersion(text: String) {
        #expect(SemanticVersion(text) == nil)
    }

    @Test func takesAtMost64Bytes() {
        #expect(SemanticVersion("1.0.0-" + String(repeating: "a", count: 58)) != nil)
        #expect(SemanticVersion("1.0.0-" + String(repeating: "a", count: 59)) == nil)
    }

    @Test func theLetterVDoesNotMakeAnotherVersion() throws {
        let (with, without) = (try #require(SemanticVersion("v1.2.3")), try #require(SemanticVersion("1.2.3")))
        #expect(with == without)
        #expect(Set([with, without]).count == 1)
        #expect(!(with < without) && !(without < with))
    }
}

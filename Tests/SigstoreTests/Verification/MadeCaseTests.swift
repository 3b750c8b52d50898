import Testing

@testable import Sigstore

/// Signatures of a private instance that no real client makes: each differs from a good one in one thing, and its case says what that is.
@Suite struct MadeCaseTests {
    @Test(arguments: FixtureCase.made) func theVerdictIsThatOfTheCase(_ one: FixtureCase) async throws {
        var refusal: Refusal?
        do {
            if one.text("layout") != nil {
                _ = try await one.verifyImage()
            } else {
                let (artifact, digest) = (try #require(one.text("artifact")), try #require(one.text("digest")))
                _ = try one.verify(.bytes(try Fixture.bytes(artifact)))
                _ = try one.verify(try #require(Artifact(sha256Hexadecimal: String(digest.dropFirst("sha256:".count)))))
            }
        } catch let error as Refusal { refusal = error }
        #expect(refusal?.code.rawValue == one.text("reason"), "\(refusal?.message ?? "accepted") - \(one.text("why") ?? "")")
        #expect((refusal == nil) == one.isExpected)
    }

    @Test func thereAreBothVerdicts() {
        #expect(FixtureCase.made.count > 30)
        #expect(Set(FixtureCase.made.map(\.isExpected)) == [true, false])
    }
}

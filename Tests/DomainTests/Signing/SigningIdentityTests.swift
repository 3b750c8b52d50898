import Domain
import Testing

@Suite struct SigningIdentityTests {
    typealias Earlier = (isOwn: Bool, isRevoked: Bool)

    @Test(arguments: [
        ("https://accounts.google.com", "dev@example.org", [] as [String]),
        ("https://oidc.example", "https://github.com/a/b/.github/workflows/c.yml@refs/tags/v1", []),
        ("http://oidc.example", "dev@example.org", ["/issuer"]), ("https://", "dev@example.org", ["/issuer"]),
        ("https:///path", "dev@example.org", ["/issuer"]), ("", "", ["/issuer", "/identity"]),
        ("https://oidc.example\n", "dev@example.org", ["/issuer"]), ("https://oidc.example", "dev@example.org\nroot", ["/identity"]),
        ("https://oidc.example", "dev example", ["/identity"]), ("https://bücher.example", "é", ["/issuer", "/identity"]),
        ("https://" + String(repeating: "a", count: 2040), String(repeating: "b", count: 2048), []),
        ("https://" + String(repeating: "a", count: 2041), String(repeating: "b", count: 2049), ["/issuer", "/identity"]),
    ])
    func namesAreAddressesInPlainText(issuer: String, identity: String, wrong: [String]) {
        #expect(SigningIdentityTerms.problems(issuer: issuer, identity: identity).map(\.pointer) == wrong)
    }

    @Test func aChallengeIsForOneAccount() {
        #expect(SigningIdentityTerms.challenge(accountID: "a", secret: "s") == "archipelago-signing-identity:a:s")
        #expect(SigningIdentityTerms.challenge(accountID: "a", secret: "s") != SigningIdentityTerms.challenge(accountID: "b", secret: "s"))
    }

    @Test(arguments: SigningIdentityKind.allCases) func whatIsInUseIsTaken(kind: SigningIdentityKind) {
        let (mine, theirs): (Earlier, Earlier) = ((true, false), (false, false))
        #expect(SigningIdentityObstacle(kind, earlier: [mine], active: 1) == .exists)
        #expect(SigningIdentityObstacle(kind, earlier: [theirs], active: 0) == .taken)
        #expect(SigningIdentityObstacle(kind, earlier: [(false, true), theirs], active: 0) == .taken)
        #expect(SigningIdentityObstacle(kind, earlier: [], active: 0) == nil)
    }

    @Test func aRevokedKeyIsItsOwnersAlone() {
        #expect(SigningIdentityObstacle(.key, earlier: [(false, true)], active: 0) == .revoked)
        #expect(SigningIdentityObstacle(.key, earlier: [(true, true)], active: 0) == nil)
        #expect(SigningIdentityObstacle(.key, earlier: [(true, true), (false, true)], active: 0) == .revoked)
        #expect(SigningIdentityObstacle(.oidc, earlier: [(false, true)], active: 0) == nil)
    }

    @Test(arguments: [(19, nil), (20, .tooMany), (21, .tooMany)] as [(Int, SigningIdentityObstacle?)])
    func twentyAreTheMost(active: Int, expected: SigningIdentityObstacle?) {
        #expect(SigningIdentityObstacle(.key, earlier: [], active: active) == expected)
    }
}

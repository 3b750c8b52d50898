import Domain
import Foundation
import JSON
import Sigstore
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct SigningIdentitiesTests {
    private static let name = "https://ci.cargo.test/acme/rocket/.workflows/publish.yml@refs/heads/main"
    private static let issuer = "https://oidc.cargo.test"

    private func body(_ key: SigningKey, over text: String, saying challenge: String? = nil) throws -> JSONObject {
        [
            "challenge": .string(challenge ?? text), "name": "laptop", "public_key": .string(key.publicKey.pem),
            "signature": .string(Data(try key.sign(Array(text.utf8))).base64EncodedString()),
        ]
    }

    @discardableResult
    private func register(_ key: SigningKey, by principal: Principal, _ world: World) async throws -> SigningIdentity {
        let challenge = try await world.signingIdentities.challenge(by: principal)
        return try await world.signingIdentities.register(try body(key, over: challenge.text), by: principal)
    }

    /// Stands in for a challenge of the service: the fixtures are over other texts.
    private func challenge(_ text: String, of principal: Principal, _ world: World) async throws {
        let now = world.now
        try await world.database.write {
            try $0.insertSigningChallenge(text, accountID: principal.accountID, at: now, expiresAt: now + 600_000, keptMax: 20)
        }
    }

    private func bundleBody(_ fixture: String, of principal: Principal, _ world: World) async throws -> JSONObject {
        let text = try SigstoreFixture.text("bundles/\(fixture)/artifact")
        try await challenge(text, of: principal, world)
        return [
            "challenge": .string(text), "issuer": .string(Self.issuer), "identity": .string(Self.name),
            "bundle": try JSONValue(parsing: try SigstoreFixture.bytes("bundles/\(fixture)/bundle.sigstore.json")),
        ]
    }

    @Test func whoSignsTheChallengeRegistersTheKey() async throws {
        let world = try await World()
        let key = SigningKey.generate()
        let challenge = try await world.signingIdentities.challenge(by: world.publisher)
        #expect(challenge.text.hasPrefix("archipelago-signing-identity:\(world.publisher.accountID):"))
        #expect(challenge.expiresAt.milliseconds == world.now + 600_000)
        let identity = try await world.signingIdentities.register(try body(key, over: challenge.text), by: world.publisher)
        #expect(identity.kind == .key)
        #expect(identity.row.name == "laptop")
        #expect(identity.row.publicKey == key.publicKey.pem)
        #expect(identity.signer.hasPrefix("sha256:"))
        #expect(try await world.signingIdentities.list(page: Page(), for: world.publisher).rows == [identity])
        #expect(try await world.signingIdentities.list(page: Page(), for: world.consumer).rows == [])
        let entries = try await world.audit.list(AuditFilter(action: "signing_identity.register"), page: Page(), for: world.administrator)
        #expect(entries.rows.map(\.subject) == ["signing-identity/\(identity.row.id)"])
    }

    @Test(arguments: [
        "vectors/keys/ecdsa_encrypted_private.key", "vectors/keys/ed25519_encrypted_private.key",
    ])
    func keysOfEveryKindAreTaken(file: String) async throws {
        let world = try await World()
        let key = try EncryptedKey.open(try SigstoreFixture.text(file), password: Array("123".utf8))
        #expect(try await register(key, by: world.publisher, world).kind == .key)
    }

    @Test func aChallengeCountsOnce() async throws {
        let world = try await World()
        let challenge = try await world.signingIdentities.challenge(by: world.publisher).text
        _ = try await world.signingIdentities.register(try body(.generate(), over: challenge), by: world.publisher)
        let again = try body(.generate(), over: challenge)
        #expect(await refusal { try await world.signingIdentities.register(again, by: world.publisher) } == "no_challenge")
    }

    @Test(arguments: [(599, "no refusal"), (600, "no_challenge"), (601, "no_challenge")])
    func aChallengeEndsAfterTenMinutes(seconds: Int, expected: String) async throws {
        let world = try await World()
        let challenge = try await world.signingIdentities.challenge(by: world.publisher).text
        world.clock.moveOn(by: .seconds(seconds))
        let late = try body(.generate(), over: challenge)
        #expect(await refusal { try await world.signingIdentities.register(late, by: world.publisher) } == expected)
    }

    @Test func aChallengeIsTheAskersOwn() async throws {
        let world = try await World()
        let challenge = try await world.signingIdentities.challenge(by: world.consumer).text
        for text in [challenge, "", "archipelago-signing-identity:\(world.publisher.accountID):0"] {
            let signed = try body(.generate(), over: text)
            #expect(await refusal { try await world.signingIdentities.register(signed, by: world.publisher) } == "no_challenge", "\(text)")
        }
    }

    @Test func onlyTheNewestChallengesAreKept() async throws {
        let world = try await World()
        var texts: [String] = []
        for _ in 0..<21 {
            texts.append(try await world.signingIdentities.challenge(by: world.publisher).text)
            world.clock.moveOn(by: .milliseconds(1))
        }
        let (oldest, second) = (try body(.generate(), over: texts[0]), try body(.generate(), over: texts[1]))
        #expect(await refusal { try await world.signingIdentities.register(oldest, by: world.publisher) } == "no_challenge")
        _ = try await world.signingIdentities.register(second, by: world.publisher)
    }

    @Test func aWrongSignatureShowsNothingAndUsesNothingUp() async throws {
        let world = try await World()
        let key = SigningKey.generate()
        let challenge = try await world.signingIdentities.challenge(by: world.publisher).text
        for text in [challenge + "\n", "", "something else"] {
            let wrong = try body(key, over: text, saying: challenge)
            let error = await serviceError { try await world.signingIdentities.register(wrong, by: world.publisher) }
            #expect(error?.code == "possession_not_proven")
            #expect(error?.context["refusal"] == "signature_invalid")
        }
        var other = try body(key, over: challenge)
        other["public_key"] = .string(SigningKey.generate().publicKey.pem)
        let others = other
        #expect(await refusal { try await world.signingIdentities.register(others, by: world.publisher) } == "possession_not_proven")
        let right = try body(key, over: challenge)
        _ = try await world.signingIdentities.register(right, by: world.publisher)
    }

    @Test func whatIsWrongInARequestIsToldAtOnce() async throws {
        let world = try await World()
        let key = SigningKey.generate()
        let pem = JSONValue.string(key.publicKey.pem)
        let cases: [(JSONObject, [String])] = [
            ([:], ["/challenge", "/public_key", "/signature"]),
            (["challenge": "c", "public_key": "x", "signature": "!"], ["/public_key", "/signature"]),
            (["challenge": "c", "public_key": pem, "signature": "QQ"], ["/signature"]),
            (["challenge": "c", "public_key": pem, "signature": "QQ==", "more": 1], ["/more"]),
            (["challenge": 1, "public_key": pem, "signature": "QQ==", "name": " "], ["/challenge", "/name"]),
            (["challenge": "c", "issuer": "https://a.example"], ["/identity", "/bundle"]),
            (["challenge": "c", "issuer": "a", "identity": "b c", "bundle": [:]], ["/issuer", "/identity"]),
            (
                ["challenge": "c", "public_key": pem, "signature": "QQ==", "issuer": "https://a.example", "identity": "b", "bundle": [:]],
                ["/public_key", "/signature"]
            ),
            (["challenge": "c", "public_key": .string(String(repeating: "a", count: 16_385)), "signature": "QQ=="], ["/public_key"]),
        ]
        for (body, pointers) in cases {
            let error = await serviceError { try await world.signingIdentities.register(body, by: world.publisher) }
            #expect(error?.code == "validation_failed")
            #expect(error?.details.map(\.pointer) == pointers, "\(body.text)")
        }
    }

    @Test func aKeyIsOneAccountsAndStaysItsAfterItWasRevoked() async throws {
        let world = try await World()
        let key = SigningKey.generate()
        let first = try await register(key, by: world.publisher, world)
        #expect(await refusal { try await register(key, by: world.publisher, world) } == "signing_identity_exists")
        #expect(await refusal { try await register(key, by: world.consumer, world) } == "signing_identity_taken")
        #expect(await refusal { try await world.signingIdentities.revoke(first.row.id, by: world.consumer) } == "not_found")
        world.clock.moveOn(by: .seconds(1))
        let revoked = try await world.signingIdentities.revoke(first.row.id, by: world.publisher)
        #expect(revoked.row.revokedAt == world.now)
        #expect(await refusal { try await world.signingIdentities.revoke(first.row.id, by: world.publisher) } == "already_revoked")
        #expect(await refusal { try await register(key, by: world.consumer, world) } == "signing_identity_revoked")
        let again = try await register(key, by: world.publisher, world)
        #expect(try await world.signingIdentities.list(page: Page(), for: world.publisher).rows.map(\.row.id) == [again.row.id, first.row.id])
    }

    @Test func whatIsRevokedManyTimesAtOnceIsRevokedOnce() async throws {
        let world = try await World()
        let identity = try await register(.generate(), by: world.publisher, world)
        let answers = await withTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { await refusal { try await world.signingIdentities.revoke(identity.row.id, by: world.publisher) } } }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(answers.sorted() == Array(repeating: "already_revoked", count: 7) + ["no refusal"])
        let entries = try await world.audit.list(AuditFilter(action: "signing_identity.revoke"), page: Page(), for: world.administrator)
        #expect(entries.total == 1)
    }

    @Test func twentyCountAtOnce() async throws {
        let world = try await World()
        let first = try await register(.generate(), by: world.publisher, world)
        for _ in 1..<20 { try await register(.generate(), by: world.publisher, world) }
        #expect(await refusal { try await register(.generate(), by: world.publisher, world) } == "too_many_signing_identities")
        _ = try await world.signingIdentities.revoke(first.row.id, by: world.publisher)
        try await register(.generate(), by: world.publisher, world)
        #expect(try await world.signingIdentities.list(page: Page(), for: world.publisher).total == 21)
    }

    @Test(arguments: ["gen-v1-keyless", "gen-v2-keyless", "gen-v1-dsse"])
    func aBundleOverTheChallengeRegistersItsName(fixture: String) async throws {
        let world = try await World()
        world.trust.believe(try SigstoreFixture.root("private-cargo-test"))
        let identity = try await world.signingIdentities.register(
            try await bundleBody(fixture, of: world.publisher, world), by: world.publisher)
        #expect(identity.kind == .oidc)
        #expect(identity.row.identity == Self.name)
        #expect(identity.row.issuer == Self.issuer)
    }

    @Test func aBundleOfAnotherTextNameOrRootShowsNothing() async throws {
        let world = try await World()
        world.trust.believe(try SigstoreFixture.root("private-cargo-test"))
        let right = try await bundleBody("gen-v1-keyless", of: world.publisher, world)
        let challenge = try await world.signingIdentities.challenge(by: world.publisher).text
        let changes: [(String, JSONValue, String)] = [
            ("challenge", .string(challenge), "artifact_mismatch"), ("identity", "dev@example.org", "identity_mismatch"),
            ("issuer", "https://other.example", "issuer_mismatch"), ("bundle", [:], "bundle_malformed"),
        ]
        for (name, value, expected) in changes {
            var wrong = right
            wrong[name] = value
            let body = wrong
            let error = await serviceError { try await world.signingIdentities.register(body, by: world.publisher) }
            #expect(error?.code == "possession_not_proven")
            #expect(error?.context["refusal"]?.string == expected, "\(name)")
        }
        world.trust.believe(try SigstoreFixture.root("private-oci"))
        #expect(await refusal { try await world.signingIdentities.register(right, by: world.publisher) } == "possession_not_proven")
        world.trust.believe(nil)
        #expect(await refusal { try await world.signingIdentities.register(right, by: world.publisher) } == "trusted_root_unavailable")
    }

    @Test func whereNobodyVouchesForNamesThatIsSaid() async throws {
        let world = try await World()
        world.trust.believe(
            try TrustedRoot(parsing: Array(#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#.utf8)))
        let body = try await bundleBody("gen-v1-keyless", of: world.publisher, world)
        #expect(await refusal { try await world.signingIdentities.register(body, by: world.publisher) } == "no_certificate_authority")
    }

    @Test func aKeyThatMayOnlyReadRegistersNothing() async throws {
        let world = try await World()
        let reader = Principal(accountID: world.publisher.accountID, scopes: [.read])
        #expect(await refusal { try await world.signingIdentities.challenge(by: reader) } == "missing_scope")
        #expect(await refusal { try await world.signingIdentities.register([:], by: reader) } == "missing_scope")
        #expect(await refusal { try await world.signingIdentities.revoke("x", by: reader) } == "missing_scope")
        _ = try await world.signingIdentities.list(page: Page(), for: reader)
    }
}

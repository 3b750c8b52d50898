import Domain
import JSON
import Outbound
import Storage
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct IdentityTests {
    private func begun(_ world: World, _ domain: String = "example.com") async throws -> String {
        let identity = try await world.identities.beginDomainProof(["domain": .string(domain)], by: world.publisher)
        #expect(!identity.account.isVerified)
        return try #require(identity.row.challengeToken)
    }

    @Test(arguments: ["", "\n", " \r\n"]) func aDomainThatServesTheTokenVerifiesItsPublisher(end: String) async throws {
        let world = try await World()
        let token = try await begun(world)
        world.door.answer { call throws(OutboundError) in
            (call.url == "https://example.com/.well-known/archipelago-publisher" ? 200 : 404, token + end)
        }
        let identity = try await world.identities.checkDomainProof(by: world.publisher)
        #expect(identity.account.standing == .verified)
        #expect(identity.row.method == "domain")
        #expect(identity.row.domain == "example.com")
        #expect(identity.row.challengeToken == nil)
        #expect(await refusal { try await world.identities.checkDomainProof(by: world.publisher) } == "no_challenge")
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows
        #expect(told.map(\.kind) == ["identity.verified"])
    }

    @Test func aDomainThatServesSomethingElseProvesNothing() async throws {
        let world = try await World()
        let token = try await begun(world)
        let answers: [(status: Int, body: String)] = [
            (404, token), (301, token), (200, ""), (200, token + "x"), (200, "x" + token), (200, token + " " + token), (200, token.uppercased()),
            (200, String(repeating: " ", count: 2000) + token),
        ]
        for answer in answers {
            world.door.answer { _ throws(OutboundError) in answer }
            #expect(await refusal { try await world.identities.checkDomainProof(by: world.publisher) } == "domain_not_proven", "\(answer)")
        }
        world.door.answer { _ throws(OutboundError) in throw .noAnswer("down") }
        #expect(await refusal { try await world.identities.checkDomainProof(by: world.publisher) } == "domain_not_proven")
        #expect(try await world.identities.identity(for: world.publisher).account.standing == .community)
    }

    @Test func theTokenIsTheAskersOwn() async throws {
        let world = try await World()
        let token = try await begun(world)
        world.door.answer { _ throws(OutboundError) in (200, token) }
        #expect(await refusal { try await world.identities.checkDomainProof(by: world.consumer) } == "no_challenge")
        _ = try await world.identities.beginDomainProof(["domain": "example.com"], by: world.consumer)
        #expect(await refusal { try await world.identities.checkDomainProof(by: world.consumer) } == "domain_not_proven")
    }

    @Test(arguments: [
        "", "localhost:x", "example", "https://example.com", "example.com/path", "exa mple.com", "-a.com", "a-.com", "a..com", "1.2.3.4", "[::1]",
        "example.com:443", "127.0.0.2", "bücher.example",
    ])
    func whatIsNoDomainIsRefused(text: String) async throws {
        let world = try await World()
        let error = await serviceError { try await begun(world, text) }
        #expect(error?.details.map(\.pointer) == ["/domain"])
    }

    @Test func loopbackIsADomainOnlyWhereThePolicySaysSo() throws {
        #expect(try PublisherDomain("LOCALHOST:8080", allowsLoopback: true).url == "http://localhost:8080/.well-known/archipelago-publisher")
        #expect(throws: InvalidPublisherDomain.self) { try PublisherDomain("localhost:8080", allowsLoopback: false) }
        #expect(throws: InvalidPublisherDomain.self) { try PublisherDomain("127.0.0.1", allowsLoopback: false) }
    }

    @Test func anAdministratorVerifiesWithEvidenceAndTakesItBackWithAReason() async throws {
        let world = try await World()
        let id = world.publisher.accountID
        for asker in [world.publisher, world.reviewer] {
            #expect(await refusal { try await world.identities.verify(["evidence": "e"], accountID: id, by: asker) } == "missing_scope")
        }
        let blank = await serviceError { try await world.identities.verify(["evidence": " "], accountID: id, by: world.administrator) }
        #expect(blank?.details.map(\.pointer) == ["/evidence"])
        let account = try await world.identities.verify(["evidence": "passport seen"], accountID: id, by: world.administrator)
        #expect(account.standing == .verified)
        let identity = try await world.identities.identity(for: world.publisher)
        #expect(identity.row.evidence == "passport seen")
        #expect(identity.row.verifiedBy == world.administrator.accountID)
        #expect(try await world.identities.revoke(["reason": "sold"], accountID: id, by: world.administrator).standing == .community)
        #expect(await refusal { try await world.identities.revoke(["reason": "sold"], accountID: id, by: world.administrator) } == "not_verified")
        #expect(await refusal { try await world.identities.verify(["evidence": "e"], accountID: "x", by: world.administrator) } == "not_found")
    }

    @Test func aVerifiedPublisherMayHaveTenActiveCargos() async throws {
        let world = try await World()
        for index in 1...3 { _ = try await world.submitted("cargo-\(index)") }
        #expect(await refusal { try await world.submitted("cargo-4") } == "active_cargo_limit")
        _ = try await world.identities.verify(["evidence": "e"], accountID: world.publisher.accountID, by: world.administrator)
        for index in 5...11 { _ = try await world.submitted("cargo-\(index)") }
        #expect(await refusal { try await world.submitted("cargo-12") } == "active_cargo_limit")
    }
}

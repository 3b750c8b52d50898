import Domain
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct AccountsTests {
    private static let password = "correct horse battery"

    private func registered(_ world: World, _ email: String = "ann@example.com") async throws -> Account {
        try await world.accounts.register(Accounts.Registration(["email": .string(email), "password": .string(Self.password)]))
    }

    private func signedIn(_ world: World, _ email: String = "ann@example.com") async throws -> (Accounts.NewSession, Principal) {
        let session = try await world.accounts.signIn(["email": .string(email), "password": .string(Self.password)])
        return (session, try await world.accounts.authenticate(secret: session.token))
    }

    @Test func whoRegistersCanSignInAndOut() async throws {
        let world = try await World()
        let account = try await registered(world, "Ann@Example.com")
        #expect(account.email == "ann@example.com")
        #expect(account.name == "ann")
        let (session, principal) = try await signedIn(world, "ANN@example.com")
        #expect(principal.accountID == account.id)
        #expect(principal.scopes == [.read, .write, .island])
        try await world.accounts.signOut(principal)
        #expect(await refusal { try await world.accounts.authenticate(secret: session.token) } == "invalid_session")
    }

    @Test func aSessionEndsByItself() async throws {
        let world = try await World()
        _ = try await registered(world)
        let (session, _) = try await signedIn(world)
        world.clock.moveOn(by: Accounts.sessionLength - .milliseconds(1))
        _ = try await world.accounts.authenticate(secret: session.token)
        world.clock.moveOn(by: .milliseconds(1))
        #expect(await refusal { try await world.accounts.authenticate(secret: session.token) } == "invalid_session")
    }

    @Test func anAddressHasOneAccount() async throws {
        let world = try await World()
        _ = try await registered(world)
        #expect(await refusal { try await registered(world, "ANN@example.com") } == "email_taken")
    }

    @Test func aWrongPasswordAndAnUnknownAddressGetTheSameAnswer() async throws {
        let world = try await World()
        _ = try await registered(world)
        let wrong = await serviceError { try await world.accounts.signIn(["email": "ann@example.com", "password": "wrong"]) }
        let unknown = await serviceError { try await world.accounts.signIn(["email": "bob@example.com", "password": "wrong"]) }
        #expect(wrong?.code == "invalid_credentials")
        #expect(wrong?.message == unknown?.message)
        let keysOnly = await serviceError { try await world.accounts.signIn(["email": "publisher@example.com", "password": "wrong"]) }
        #expect(keysOnly?.code == "invalid_credentials")
    }

    @Test func everyMistakeOfARegistrationIsToldAtOnce() async throws {
        let body: JSONObject = ["email": "ann", "password": "short", "name": " ", "role": "admin"]
        let error = await serviceError { try Accounts.Registration(body) }
        #expect(Set(error?.details.map(\.pointer) ?? []) == ["/email", "/password", "/name", "/role"])
    }

    @Test func neitherPasswordNorTokenIsStored() async throws {
        let world = try await World()
        let account = try await registered(world)
        let (session, principal) = try await signedIn(world)
        let (key, secret) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "k"]), by: principal)
        _ = try await world.notifications.addWebhook(["url": "https://example.com/"], by: principal)
        let texts = try await world.database.read { reader in
            try reader.query("SELECT password_hash || email AS t FROM accounts WHERE email = 'ann@example.com'", []).map { try $0.text("t") }
                + reader.query("SELECT hash || id AS t FROM sessions UNION ALL SELECT hash || prefix FROM api_keys", []).map { try $0.text("t") }
                + reader.query("SELECT before || after || action || subject AS t FROM audit_log", []).map { try $0.text("t") }
        }
        #expect(texts.count > 5)
        for text in texts {
            for hidden in [Self.password, session.token, secret, "whsec_"] { #expect(!text.contains(hidden)) }
        }
        #expect(key.accountID == account.id)
    }

    @Test func aNewPasswordEndsTheOtherSessions() async throws {
        let world = try await World()
        _ = try await registered(world)
        let (old, _) = try await signedIn(world)
        let (new, principal) = try await signedIn(world)
        let wrong: JSONObject = ["current_password": "x", "new_password": "another good one"]
        #expect(await refusal { try await world.accounts.changePassword(wrong, by: principal) } == "wrong_password")
        try await world.accounts.changePassword(["current_password": .string(Self.password), "new_password": "another good one"], by: principal)
        #expect(await refusal { try await world.accounts.authenticate(secret: old.token) } == "invalid_session")
        _ = try await world.accounts.authenticate(secret: new.token)
        #expect(await refusal { try await signedIn(world) } == "invalid_credentials")
    }

    @Test func aKeyByNameAloneReadsAndWrites() async throws {
        let world = try await World()
        let (row, secret) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "laptop"]), by: world.publisher)
        #expect(row.scopes == "read write")
        #expect(try await world.accounts.authenticate(secret: secret).scopes == [.read, .write])
        #expect(try await world.accounts.keys(page: Page(), for: world.publisher).rows.map(\.name) == ["laptop"])
    }

    @Test(arguments: [("publisher", "review"), ("publisher", "admin"), ("reviewer", "admin")])
    func nobodyGivesAKeyMoreThanTheyHave(person: String, scope: String) async throws {
        let world = try await World()
        let asker = person == "publisher" ? world.publisher : Principal(accountID: world.reviewer.accountID, scopes: [.read, .write, .review])
        let wish = try Accounts.KeyRequest(["name": "k", "scopes": ["read", .string(scope)]])
        #expect(await refusal { try await world.accounts.createKey(wish, by: asker) } == "scope_not_yours")
        #expect(try await world.accounts.keys(page: Page(), for: asker).total == 0)
    }

    @Test func aReadOnlyKeyMakesNoKeys() async throws {
        let world = try await World()
        let reader = Principal(accountID: world.publisher.accountID, scopes: [.read])
        #expect(await refusal { try await world.accounts.createKey(Accounts.KeyRequest(["name": "k"]), by: reader) } == "missing_scope")
        #expect(await refusal { try await world.accounts.revokeKey("x", by: reader) } == "missing_scope")
    }

    @Test func aKeyEndsWhenItsTimeIsOverOrItIsRevoked() async throws {
        let world = try await World()
        let wish = try Accounts.KeyRequest(["name": "k", "expires_in_days": 1])
        let (_, ending) = try await world.accounts.createKey(wish, by: world.publisher)
        let (row, revoked) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "l"]), by: world.publisher)
        try await world.accounts.revokeKey(row.id, by: world.publisher)
        #expect(await refusal { try await world.accounts.authenticate(secret: revoked) } == "invalid_api_key")
        #expect(await refusal { try await world.accounts.revokeKey(row.id, by: world.publisher) } == "not_found")
        world.clock.moveOn(by: .seconds(86_399))
        _ = try await world.accounts.authenticate(secret: ending)
        world.clock.moveOn(by: .seconds(1))
        #expect(await refusal { try await world.accounts.authenticate(secret: ending) } == "invalid_api_key")
    }

    /// A key is looked up once a second; what this process changes counts at once, what another one changes a second later.
    @Test func aKeyThatWasSeenIsKnownForAMoment() async throws {
        let world = try await World()
        let (row, secret) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "k"]), by: world.publisher)
        #expect(try await world.accounts.authenticate(secret: secret).credential == .key(id: row.id))
        try await world.database.write { _ = try $0.execute("UPDATE api_keys SET revoked_at = 1", []) }
        #expect(try await world.accounts.authenticate(secret: secret).credential == .key(id: row.id))
        world.clock.moveOn(by: KnownKeys.keptFor)
        #expect(await refusal { try await world.accounts.authenticate(secret: secret) } == "invalid_api_key")
    }

    @Test func aLostRoleTakesItsScopesAtOnce() async throws {
        let world = try await World()
        let secret = try await world.accounts.issueKey(accountID: world.reviewer.accountID, name: "k", scopes: [.read, .review])
        #expect(try await world.accounts.authenticate(secret: secret).scopes == [.read, .review])
        _ = try await world.accounts.setRoles(["roles": []], accountID: world.reviewer.accountID, by: world.administrator)
        #expect(try await world.accounts.authenticate(secret: secret).scopes == [.read])
    }

    /// What was read before a change must not be kept after it.
    @Test func whatWasReadBeforeAChangeIsNotKept() {
        let known = KnownKeys()
        let (now, principal) = (Timestamp(milliseconds: 1000), Principal(accountID: "a", scopes: [.read]))
        let generation = known.generation
        known.forgetAll()
        known.keep(principal, hash: "h", at: now, end: nil, since: generation)
        #expect(known.principal(hash: "h", at: now) == nil)
        known.keep(principal, hash: "h", at: now, end: now + .milliseconds(10), since: known.generation)
        #expect(known.principal(hash: "h", at: now + .milliseconds(9)) == principal)
        #expect(known.principal(hash: "h", at: now + .milliseconds(10)) == nil)
    }

    @Test func nobodyRevokesAnothersKey() async throws {
        let world = try await World()
        let (row, secret) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "k"]), by: world.publisher)
        #expect(await refusal { try await world.accounts.revokeKey(row.id, by: world.consumer) } == "not_found")
        _ = try await world.accounts.authenticate(secret: secret)
    }

    @Test func theLastUseIsNotedToTheMinute() async throws {
        let world = try await World()
        let (row, secret) = try await world.accounts.createKey(Accounts.KeyRequest(["name": "k"]), by: world.publisher)
        #expect(row.lastUsedAt == nil)
        func used() async throws -> Int? { try await world.accounts.keys(page: Page(), for: world.publisher).rows.first?.lastUsedAt }
        _ = try await world.accounts.authenticate(secret: secret)
        #expect(try await used() == World.start)
        world.clock.moveOn(by: .seconds(59))
        _ = try await world.accounts.authenticate(secret: secret)
        #expect(try await used() == World.start)
        world.clock.moveOn(by: .seconds(1))
        _ = try await world.accounts.authenticate(secret: secret)
        #expect(try await used() == World.start + 60_000)
    }

    @Test func aLostRoleTakesTheScopesFromKeysAtOnce() async throws {
        let world = try await World()
        let key = try await world.accounts.issueKey(accountID: world.reviewer.accountID, name: "k", scopes: [.read, .review])
        #expect(try await world.accounts.authenticate(secret: key).scopes == [.read, .review])
        let after = try await world.accounts.setRoles(["roles": []], accountID: world.reviewer.accountID, by: world.administrator)
        #expect(after.roles.isEmpty)
        #expect(try await world.accounts.authenticate(secret: key).scopes == [.read])
    }

    @Test func theLastAdministratorStays() async throws {
        let world = try await World()
        let me = world.administrator.accountID
        #expect(await refusal { try await world.accounts.setRoles(["roles": []], accountID: me, by: world.administrator) } == "last_administrator")
        _ = try await world.accounts.setRoles(["roles": ["admin"]], accountID: world.consumer.accountID, by: world.administrator)
        _ = try await world.accounts.setRoles(["roles": []], accountID: me, by: world.administrator)
    }

    @Test func onlyAdministratorsSeeAccountsAndGiveRoles() async throws {
        let world = try await World()
        for asker in [world.publisher, world.reviewer] {
            #expect(await refusal { try await world.accounts.list(containing: nil, page: Page(), for: asker) } == "missing_scope")
            #expect(
                await refusal { try await world.accounts.setRoles(["roles": ["admin"]], accountID: asker.accountID, by: asker) } == "missing_scope")
        }
        let found = try await world.accounts.list(containing: "PUBL", page: Page(), for: world.administrator)
        #expect(found.rows.map(\.name) == ["publisher"])
        #expect(try await world.accounts.list(containing: "100%_", page: Page(), for: world.administrator).total == 0)
    }
}

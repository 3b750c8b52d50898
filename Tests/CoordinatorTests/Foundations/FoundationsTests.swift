import Domain
import JSON
import Storage
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct FoundationsTests {
    /// Known values: RFC 3339 times and their seconds since 1970, as `date -u -d @N` prints them.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_399_000, "2000-02-28T23:59:59.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_234_567_890_123, "2009-02-13T23:31:30.123Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
        (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00.000Z"), (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func aTimestampIsWrittenInRFC3339(milliseconds: Int, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test(arguments: [(Duration.zero, 0), (.milliseconds(1), 1), (.microseconds(999), 0), (.seconds(61), 61_000), (.nanoseconds(1_999_999), 1)])
    func aDurationHasWholeMilliseconds(duration: Duration, milliseconds: Int) {
        #expect(duration.milliseconds == milliseconds)
        #expect((Timestamp(milliseconds: 5) + duration).milliseconds == 5 + milliseconds)
    }

    @Test func adminHasEveryScopeButIsland() throws {
        for scope in Scope.allCases {
            let admin = Principal(accountID: "a", scopes: [.admin])
            if scope == .island {
                #expect(throws: ServiceError.self) { try admin.require(scope) }
            } else {
                try admin.require(scope)
            }
            try Principal(accountID: "a", scopes: [scope]).require(scope)
            #expect(throws: ServiceError.self) { try Principal(accountID: "a", scopes: []).require(scope) }
        }
    }

    @Test func aKeyAuthenticatesItsAccountAndIsNotStored() async throws {
        let world = try await World()
        let id = try await world.accounts.open(name: "me", email: nil, standing: .community, roles: [.reviewer])
        let key = try await world.accounts.issueKey(accountID: id, name: "laptop", scopes: [.read, .review])
        #expect(key.wholeMatch(of: /ak_[0-9a-f]{40}/) != nil)
        #expect(try await world.accounts.authenticate(secret: key).scopes == [.read, .review])
        #expect(try await world.accounts.authenticate(secret: key).accountID == id)
        let rows = try await world.database.read { try $0.query("SELECT id || account_id || name || hash || scopes AS all_of_it FROM api_keys", []) }
        #expect(rows.count == 1)
        #expect(try rows.allSatisfy { !(try $0.text("all_of_it")).contains(key.dropFirst(3)) })
        for wrong in ["", "ak_", key.uppercased(), key + "0", String(key.dropLast()), " " + key] {
            #expect(await refusal { try await world.accounts.authenticate(secret: wrong) } == "invalid_api_key")
        }
    }

    @Test func aRevokedKeyIsNoKey() async throws {
        let world = try await World()
        let key = try await world.accounts.issueKey(accountID: world.consumer.accountID, name: "k", scopes: [.read])
        try await world.database.write { _ = try $0.execute("UPDATE api_keys SET revoked_at = 1", []) }
        #expect(await refusal { try await world.accounts.authenticate(secret: key) } == "invalid_api_key")
    }

    @Test func anIslandsTokenIsShownOnceAndStoredAsItsHash() async throws {
        let world = try await World()
        let (island, token) = try await world.islands.register(name: "my machine", by: world.publisher)
        #expect(try await world.islands.authenticate(token: token).id == island.id)
        let rows = try await world.database.read { try $0.query("SELECT token_hash FROM islands", []) }
        #expect(try rows.allSatisfy { try $0.text("token_hash") != token })
        #expect(await refusal { try await world.islands.authenticate(token: token + "x") } == "invalid_island_token")
        #expect(await refusal { try await world.islands.authenticate(token: "") } == "invalid_island_token")
    }

    @Test(arguments: [(0, false), (1, true), (100, true), (101, false)])
    func anIslandsNameHas1To100Characters(length: Int, isRight: Bool) async throws {
        let world = try await World()
        let code = await refusal { try await world.islands.register(name: String(repeating: "ä", count: length), by: world.publisher) }
        #expect(code == (isRight ? "no refusal" : "validation_failed"))
    }

    @Test func islandsAreSeenByTheirOwnerAndAdministratorsOnly() async throws {
        let world = try await World()
        let island = try await world.registerIsland("a")
        #expect(await refusal { try await world.islands.island(island.id, for: world.consumer) } == "not_found")
        #expect(await refusal { try await world.islands.setDrained(true, island.id, by: world.consumer) } == "not_found")
        #expect(try await world.islands.list(page: Page(), for: world.consumer).total == 0)
        #expect(try await world.islands.list(page: Page(), for: world.publisher).rows.map(\.id) == [island.id])
        let admin = Principal(accountID: world.reviewer.accountID, scopes: [.admin])
        #expect(try await world.islands.list(page: Page(), for: admin).total == 1)
        #expect(try await world.islands.setDrained(true, island.id, by: world.publisher).drained)
    }
}

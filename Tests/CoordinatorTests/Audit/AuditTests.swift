import Domain
import JSON
import Storage
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct AuditTests {
    private func verify(_ world: World) async throws -> Audit.Verification { try await world.audit.verify(for: world.administrator) }

    @Test func everyStepOfASubmissionStandsInTheLog() async throws {
        let world = try await World()
        let submission = try await world.published("my-cargo")
        let found = try await world.audit.list(
            AuditFilter(subject: "submission/\(submission.row.id)"), page: Page(), for: world.administrator)
        #expect(found.rows.map(\.action).reversed() == ["submission.create", "submission.submit", "submission.approve", "submission.publish"])
        #expect(found.rows.map(\.actorID).reversed() == [world.publisher, world.publisher, world.reviewer, world.publisher].map(\.accountID))
        let approval = try #require(found.rows.first { $0.action == "submission.approve" })
        #expect(try JSONValue(parsing: approval.before)["state"]?.string == "pending_review")
        #expect(try JSONValue(parsing: approval.after)["state"]?.string == "approved")
        #expect(try JSONValue(parsing: approval.after)["trust_level"]?.int == 1)
        #expect(try await verify(world).brokenAt == nil)
    }

    @Test func theChainIsIntactAndItsHeadMovesOn() async throws {
        let world = try await World()
        let before = try await verify(world)
        #expect(before.entries == 4, "the four accounts of the test's world")
        _ = try await world.draft("my-cargo")
        let after = try await verify(world)
        #expect(after.entries == 5)
        #expect(after.head != before.head)
        #expect(after.brokenAt == nil)
    }

    @Test func anEmptyLogIsIntact() {
        #expect(AuditChain.origin.count == 64)
        let row = AuditChain.next(after: nil, at: Timestamp(milliseconds: 1), actorID: "a", action: "b", subject: "c", before: .null, after: .null)
        #expect(AuditChain.fault(of: row, after: nil) == nil)
        #expect(row.number == 1)
    }

    /// Whatever somebody with the database's file changes, the walk finds.
    @Test(arguments: [
        "UPDATE audit_log SET actor_id = 'x' WHERE number = 3", "UPDATE audit_log SET at = at + 1 WHERE number = 3",
        "UPDATE audit_log SET action = 'x' WHERE number = 3", "UPDATE audit_log SET subject = 'x' WHERE number = 3",
        "UPDATE audit_log SET before = '{}' WHERE number = 3", "UPDATE audit_log SET after = '{}' WHERE number = 3",
        "UPDATE audit_log SET previous_hash = hash WHERE number = 3", "UPDATE audit_log SET hash = previous_hash WHERE number = 3",
        "DELETE FROM audit_log WHERE number = 3", "UPDATE audit_log SET number = 99 WHERE number = 3",
    ])
    func aChangedEntryIsFound(statement: String) async throws {
        let world = try await World()
        _ = try await world.submitted("my-cargo")
        try await world.database.write { _ = try $0.execute(statement, []) }
        let found = try await verify(world)
        #expect([3, 4].contains(found.brokenAt), "\(found)")
        #expect(found.entries == 2)
    }

    @Test func aRefusedStepLeavesNoEntry() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let before = try await verify(world).entries
        for _ in 0..<3 {
            _ = await refusal { try await world.review.approve(submission.row.id, World.approval(), by: world.reviewer) }
            _ = await refusal { try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher) }
        }
        #expect(try await verify(world).entries == before)
    }

    @Test func fiftyAtOnceMakeOneChain() async throws {
        let world = try await World()
        let before = try await verify(world).entries
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 { group.addTask { _ = try await world.draft("cargo-\(index)") } }
            try await group.waitForAll()
        }
        let after = try await verify(world)
        #expect(after.entries == before + 50)
        #expect(after.brokenAt == nil)
    }

    @Test func onlyAdministratorsReadIt() async throws {
        let world = try await World()
        for asker in [world.publisher, world.reviewer, world.consumer] {
            #expect(await refusal { try await world.audit.list(AuditFilter(), page: Page(), for: asker) } == "missing_scope")
            #expect(await refusal { try await world.audit.verify(for: asker) } == "missing_scope")
        }
    }

    @Test func theFilterFindsByActorActionAndSubject() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        func count(_ filter: AuditFilter) async throws -> Int {
            try await world.audit.list(filter, page: Page(limit: 1), for: world.administrator).total
        }
        #expect(try await count(AuditFilter(actorID: world.reviewer.accountID)) == 1)
        #expect(try await count(AuditFilter(action: "submission.publish")) == 1)
        #expect(try await count(AuditFilter(actorID: world.reviewer.accountID, action: "submission.publish")) == 0)
        #expect(try await count(AuditFilter()) == 8)
    }
}

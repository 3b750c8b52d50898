import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator
@testable import OCI

@Suite(.timeLimit(.minutes(5))) struct DigestRevocationsTests {
    private func body(_ digest: String?) -> JSONObject { ["digest": .optional(digest), "reason": "the build machine was taken over"] }

    private func revoke(_ submission: Submission, _ world: World) async throws -> DigestRevocationRow {
        try await world.revocations.revoke(body(submission.row.imageDigest), by: world.publisher)
    }

    private func state(_ submission: Submission, _ world: World) async throws -> SubmissionState {
        try await world.database.read { try Submission.find(submission.row.id, in: $0) }.state
    }

    @Test func aRevokedImageIsOutOfUseAndSaysWhy() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let row = try await revoke(published, world)
        #expect(row.digest == published.row.imageDigest && row.accountID == world.publisher.accountID)
        #expect(try await state(published, world) == .suspended)
        #expect(await refusal { try await world.submit("my-cargo") } == "cargo_suspended")
        #expect(await refusal { try await world.moderation.unsuspend([:], slug: "my-cargo", by: world.administrator) } == "digest_revoked")
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows
        #expect(told.contains { $0.kind == "submission.suspended" && $0.submissionID == published.row.id })
        let entries = try await world.audit.list(AuditFilter(action: "digest.revoke"), page: Page(), for: world.administrator)
        #expect(entries.rows.map(\.subject) == ["image/\(row.digest)"])
        #expect(try await world.audit.verify(for: world.administrator).brokenAt == nil)
        #expect(try await world.revocations.list(page: Page(), for: world.publisher).rows == [row])
        #expect(try await world.revocations.list(page: Page(), for: world.consumer).rows.isEmpty)
        #expect(try await world.revocations.listAll(page: Page(), for: world.administrator).rows == [row])
    }

    @Test func noWayLeadsARevokedImageBackIntoUse() async throws {
        let world = try await World()
        let approved = try await world.approved("approved")
        let pending = try await world.submitted("pending")
        while try await world.pipeline.scanNext() {}
        let draft = try await world.draft("draft")
        for submission in [approved, pending] { _ = try await revoke(submission, world) }
        let publisher = world.publisher
        #expect(await refusal { try await world.publishing.transition(approved.row.id, to: .published, by: publisher) } == "digest_revoked")
        #expect(await refusal { try await world.review.approve(pending.row.id, World.approval(), by: world.reviewer) } == "digest_revoked")
        world.images.push("ghcr.io/archipelag-io/draft:v1.0.0", digest: try Digest(try #require(approved.row.imageDigest)))
        #expect(await refusal { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: publisher) } == "digest_revoked")
        #expect(try await state(approved, world) == .approved)
        #expect(try await state(pending, world) == .pendingReview)
        #expect(try await state(draft, world) == .draft)
        // With another image it goes on.
        world.images.push("ghcr.io/archipelag-io/draft:v1.0.0", digest: try Digest("sha256:" + String(repeating: "ab", count: 32)))
        #expect(try await world.publishing.transition(draft.row.id, to: .pendingReview, by: publisher).state == .pendingReview)
    }

    @Test func aPublishersWordConcernsOnlyItsOwnVersions() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let digest = try #require(published.row.imageDigest)
        let other = try await world.person("other")
        let draft = try await world.draft("theirs", by: other)
        world.images.push("ghcr.io/archipelag-io/theirs:v1.0.0", digest: try Digest(digest))
        let theirs = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: other)
        while try await world.pipeline.scanNext() {}
        _ = try await world.review.approve(theirs.row.id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(theirs.row.id, to: .published, by: other)
        _ = try await revoke(published, world)
        #expect(try await state(theirs, world) == .published)
        #expect(try await world.revocations.list(page: Page(), for: other).rows.isEmpty)
        _ = try await world.submit("theirs")
        // An administrator's concerns all, and may follow.
        let row = try await world.revocations.revokeForAll(body(digest), by: world.administrator)
        #expect(row.accountID == nil)
        #expect(try await state(theirs, world) == .suspended)
        #expect(try await world.revocations.list(page: Page(), for: other).rows == [row])
        #expect(await refusal { try await world.revocations.revokeForAll(body(digest), by: world.administrator) } == "already_revoked")
    }

    @Test func anImageCanBeRevokedBeforeAnybodyHandsItIn() async throws {
        let world = try await World()
        let digest = "sha256:" + String(repeating: "cd", count: 32)
        _ = try await world.revocations.revokeForAll(body(digest), by: world.administrator)
        let draft = try await world.draft("my-cargo")
        world.images.push("ghcr.io/archipelag-io/my-cargo:v1.0.0", digest: try Digest(digest))
        #expect(await refusal { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher) } == "digest_revoked")
    }

    @Test func whatRunsAndWhatWaitsEnds() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let digest = try #require(published.row.imageDigest)
        let before = try await world.ledger.wallet(for: world.consumer)
        try await world.dispatching {
            let row = try await world.registerIsland("a")
            let island = try await world.connect(row, capabilities: FakeIsland.capabilities(levels: [.basic], slots: 1)).island
            let running = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            island.say(.started(attempt))
            _ = try await world.job(running.row.id, reaches: .running)
            // No place is left for more than one.
            let waiting = try await world.submit("my-cargo")
            let other = try await world.published("other-cargo")
            #expect(other.row.imageDigest != digest)
            let spared = try await world.submit("other-cargo")
            _ = try await revoke(published, world)
            #expect(try await island.hear() == .revoked([digest]))
            #expect(try await island.hear() == .cancel(attempt))
            for job in [running, waiting] {
                let ended = try await world.job(job.row.id, reaches: .failed)
                #expect(ended.row.failure?.contains("digest_revoked") == true)
                let last = try await world.stored(ended).last
                #expect(last?["type"]?.string == "error")
            }
            // The place is free again.
            #expect(try await island.hearAssignment().attempt.job == spared.row.id)
            // What the Island says of it now is too late.
            island.say(
                .finished(
                    .init(
                        attempt: attempt, frames: 0, done: ["type": "done"], failure: nil, runMilliseconds: 1, cpuMilliseconds: 1, peakMemoryBytes: 1)
                ))
            #expect(try await island.hear() == .settled(attempt))
            #expect(try await world.job(running.row.id).state == .failed)
            #expect(try await world.database.read { try $0.island(id: row.id)?.karma } == 0)
            _ = try await world.dispatcher.cancel(spared.row.id, by: world.consumer)
        }
        #expect(try await world.ledger.wallet(for: world.consumer).held == before.held)
    }

    /// As when the process ended, or its disk was full, once the revocation was on disk and before anything was ended.
    @Test func aRevocationThatWasOnlyWrittenDownEndsJobsToo() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let jobs = try await withThrowingTaskGroup(of: Job.self) { group in
            // More than one transaction ends.
            for _ in 0..<130 { group.addTask { try await world.submit("my-cargo") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let row = DigestRevocationRow(
            digest: try #require(published.row.imageDigest), accountID: nil, revokedBy: world.administrator.accountID, reason: "r", revokedAt: 1)
        try await world.database.write { try $0.insert(row) }
        try await world.dispatching {
            await world.clock.pass(seconds: 4)
            for job in jobs {
                let ended = try await world.job(job.row.id)
                #expect(ended.failure?.code == "digest_revoked")
            }
        }
        #expect(try await world.ledger.wallet(for: world.consumer).held == 0)
    }

    @Test func oneImageRevokedTwiceAtOnceIsRevokedOnce() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let answers = await withTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { await refusal { try await revoke(published, world) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == Array(repeating: "already_revoked", count: 7) + ["no refusal"])
        let entries = try await world.audit.list(AuditFilter(action: "submission.suspend"), page: Page(), for: world.administrator)
        #expect(entries.total == 1)
    }

    @Test func whatWasRevokedStaysInItsPublishersListWhenItIsWithdrawn() async throws {
        let world = try await World()
        let pending = try await world.submitted("my-cargo")
        let row = try await revoke(pending, world)
        _ = try await world.publishing.transition(pending.row.id, to: .draft, by: world.publisher)
        #expect(try await world.revocations.list(page: Page(), for: world.publisher).rows == [row])
    }

    @Test func twoVersionsOfOneImageLoseTheirLevelOnceEach() async throws {
        let world = try await World()
        try await world.registerSigner()
        try world.believeFixtures()
        try await world.raise(try await world.published("my-cargo").row.id, to: .verified)
        var versions: [Submission] = []
        for version in ["v1.1.0", "v1.2.0"] {
            let submission = try await world.pending("my-cargo", version: version, .bundle)
            versions.append(try await world.review.approve(submission.row.id, World.approval(level: .verified), by: world.reviewer))
            if version == "v1.1.0" { _ = try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher) }
        }
        #expect(Set(versions.map(\.row.imageDigest)).count == 1)
        _ = try await revoke(versions[0], world)
        let lost = try await world.audit.list(AuditFilter(action: "submission.decertify"), page: Page(), for: world.administrator)
        #expect(lost.rows.map(\.subject).sorted() == versions.map { "submission/\($0.row.id)" }.sorted())
    }

    @Test func aSignedImageLosesItsSignatureAndItsLevel() async throws {
        let world = try await World()
        try await world.registerSigner()
        try world.believeFixtures()
        try await world.raise(try await world.published("my-cargo").row.id, to: .verified)
        let submission = try await world.pending("my-cargo", version: "v1.1.0", .bundle)
        _ = try await world.review.approve(submission.row.id, World.approval(level: .verified), by: world.reviewer)
        let published = try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher)
        _ = try await revoke(published, world)
        let after = try await world.publishing.submission(published.row.id, for: world.publisher)
        #expect(after.state == .suspended && after.trustLevel == .basic && after.signature?.isVerified == false)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(told.contains("certification.lost") && told.contains("submission.suspended"))
    }

    @Test func aRescanThatFindsNothingDoesNotBringItBack() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        world.scanner.find(.critical)
        try await scan("my-cargo", world)
        #expect(try await state(published, world) == .suspended)
        _ = try await revoke(published, world)
        world.scanner.find(.low)
        try await scan("my-cargo", world)
        #expect(try await state(published, world) == .suspended)
    }

    private func scan(_ slug: String, _ world: World) async throws {
        _ = try await world.rescans.rescanNow(slug: slug, by: world.administrator)
        while try await world.rescans.step() {}
        while try await world.pipeline.scanNext() {}
    }

    @Test(arguments: [
        JSONObject(), ["digest": "sha256:12", "reason": "r"], ["digest": "latest", "reason": "r"], ["digest": 7, "reason": "r"],
        ["digest": .string("sha256:" + String(repeating: "ab", count: 32))],
        ["digest": .string("sha256:" + String(repeating: "ab", count: 32)), "reason": ""],
        ["digest": .string("sha256:" + String(repeating: "ab", count: 32)), "reason": "r", "for_all": true],
        ["digest": .string("sha256:" + String(repeating: "ab", count: 32)), "reason": .string(String(repeating: "r", count: 2001))],
    ])
    func badBodiesAreRefused(body: JSONObject) async throws {
        let world = try await World()
        #expect(await refusal { try await world.revocations.revoke(body, by: world.publisher) } == "validation_failed")
        #expect(await refusal { try await world.revocations.revokeForAll(body, by: world.administrator) } == "validation_failed")
    }

    @Test func whoMayNotRevokeIsRefused() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let digest = published.row.imageDigest
        #expect(await refusal { try await world.revocations.revoke(body(digest), by: world.consumer) } == "not_found")
        #expect(await refusal { try await world.revocations.revokeForAll(body(digest), by: world.publisher) } == "missing_scope")
        #expect(await refusal { try await world.revocations.listAll(page: Page(), for: world.publisher) } == "missing_scope")
        #expect(try await state(published, world) == .published)
        _ = try await revoke(published, world)
        #expect(await refusal { try await revoke(published, world) } == "already_revoked")
    }
}

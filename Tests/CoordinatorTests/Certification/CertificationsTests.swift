import Domain
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct CertificationsTests {
    private static let slug = "my-cargo"

    /// A signed Cargo at level 1 whose publisher is known.
    private func world(_ image: SignedImage = .bundle) async throws -> World {
        let world = try await World()
        try world.believeFixtures()
        try await world.registerSigner()
        let submission = try await world.pending(Self.slug, version: "v1.0.0", image)
        _ = try await world.review.approve(submission.row.id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher)
        _ = try await world.identities.verify(["evidence": "e"], accountID: world.publisher.accountID, by: world.administrator)
        return world
    }

    /// Lets jobs of the Cargo end well.
    private func succeed(_ count: Int, _ world: World) async throws {
        for _ in 0..<count { _ = try await world.submit(Self.slug) }
        let now = world.now
        try await world.database.write { writer in
            _ = try writer.execute(
                """
                INSERT INTO job_outcomes (job_id, workload_id, submission_id, attempt, succeeded, run_ms, at)
                SELECT id, workload_id, submission_id, 1, 1, 10, ? FROM jobs WHERE id NOT IN (SELECT job_id FROM job_outcomes)
                """, [.integer(now)])
        }
    }

    private func unmet(_ world: World) async throws -> [String] {
        try await world.certifications.standing(slug: Self.slug, for: world.publisher).checks.filter { !$0.isMet }.map(\.condition.rawValue)
    }

    private func level(_ world: World) async throws -> TrustLevel? {
        try await world.registry.cargo(slug: Self.slug, for: world.consumer).submission.trustLevel
    }

    /// Whatever signatures it has.
    @Test func aRevokedImageIsNotASignedOne() async throws {
        let world = try await world()
        #expect(try await !unmet(world).contains("signed_image"))
        let submission = try await world.registry.cargo(slug: Self.slug, for: world.consumer).submission
        let digest = try #require(submission.row.imageDigest)
        _ = try await world.revocations.revoke(["digest": .string(digest), "reason": "bad"], by: world.publisher)
        #expect(try await unmet(world).contains("signed_image"))
        let check = try await world.certifications.standing(slug: Self.slug, for: world.publisher).checks.first { $0.condition == .signedImage }
        #expect(check?.message.contains("revoked") == true)
    }

    @Test func theWholeWayToLevel2() async throws {
        let world = try await world()
        #expect(try await unmet(world) == ["successful_jobs", "reputation"])
        let early = await serviceError { try await world.certifications.request(slug: Self.slug, by: world.publisher) }
        #expect(early?.code == "certification_conditions_unmet")
        #expect(early?.details.map(\.pointer) == ["/conditions/successful_jobs", "/conditions/reputation"])
        try await succeed(100, world)
        let standing = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        #expect(standing.isEligible && standing.newest?.state == "requested")
        #expect(await refusal { try await world.certifications.request(slug: Self.slug, by: world.publisher) } == "certification_pending")
        #expect(try await world.certifications.queue(page: Page(), for: world.reviewer).rows.map(\.submission.slug) == [Self.slug])
        world.clock.moveOn(by: .seconds(1))
        let after = try await world.certifications.approve(["note": "well done"], slug: Self.slug, by: world.reviewer)
        #expect(after.newest?.state == "granted" && after.newest?.note == "well done")
        let cargo = try await world.registry.cargo(slug: Self.slug, for: world.consumer)
        #expect(cargo.submission.trustLevel == .verified && cargo.entry.verified && cargo.entry.tier == "certified")
        #expect(cargo.submission.signature?.isVerified == true)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(told.contains("certification.granted"))
        #expect(await refusal { try await world.certifications.request(slug: Self.slug, by: world.publisher) } == "already_certified")
        #expect(await refusal { try await world.certifications.approve([:], slug: Self.slug, by: world.reviewer) } == "no_certification_request")
        world.clock.moveOn(by: .seconds(1))
        try await succeed(5, world)
        let workload = cargo.workload.id
        #expect(try await world.database.read { try $0.countCommunitySuccesses(workloadID: workload) } == 100, "jobs at level 2 do not count")
    }

    @Test func whoMayDoWhat() async throws {
        let world = try await world()
        try await succeed(100, world)
        #expect(await refusal { try await world.certifications.standing(slug: Self.slug, for: world.consumer) } == "not_owner")
        _ = try await world.certifications.standing(slug: Self.slug, for: world.reviewer)
        #expect(await refusal { try await world.certifications.request(slug: Self.slug, by: world.consumer) } == "not_owner")
        #expect(await refusal { try await world.certifications.request(slug: Self.slug, by: world.administrator) } == "not_owner")
        #expect(await refusal { try await world.certifications.standing(slug: "nothing", for: world.publisher) } == "not_found")
        #expect(await refusal { try await world.certifications.approve([:], slug: Self.slug, by: world.reviewer) } == "no_certification_request")
        _ = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        #expect(await refusal { try await world.certifications.approve([:], slug: Self.slug, by: world.publisher) } == "missing_scope")
        let own = Principal(accountID: world.publisher.accountID, scopes: [.read, .review, .admin])
        #expect(await refusal { try await world.certifications.approve([:], slug: Self.slug, by: own) } == "own_submission")
        #expect(await refusal { try await world.certifications.makeOfficial(["report": "r"], slug: Self.slug, by: own) } == "own_submission")
    }

    @Test func aRefusalHasAReasonAndTheNextWishIsTaken() async throws {
        let world = try await world()
        try await succeed(100, world)
        _ = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        #expect(await refusal { try await world.certifications.reject([:], slug: Self.slug, by: world.reviewer) } == "validation_failed")
        let refused = try await world.certifications.reject(["reason": "docs"], slug: Self.slug, by: world.reviewer)
        #expect(refused.newest?.state == "rejected" && refused.newest?.note == "docs")
        #expect(try await level(world) == .basic)
        #expect(try await world.certifications.request(slug: Self.slug, by: world.publisher).newest?.state == "requested")
    }

    @Test func whatIsLostBeforeTheDecisionStopsIt() async throws {
        let world = try await world()
        try await succeed(100, world)
        _ = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        _ = try await world.identities.revoke(["reason": "sold"], accountID: world.publisher.accountID, by: world.administrator)
        world.signatures.store(.unsigned)
        let error = await serviceError { try await world.certifications.approve([:], slug: Self.slug, by: world.reviewer) }
        #expect(error?.code == "certification_conditions_unmet")
        #expect(try await level(world) == .basic)
    }

    @Test func aVersionThatIsNotSignedEndsTheCertification() async throws {
        let world = try await world()
        try await succeed(100, world)
        _ = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        _ = try await world.certifications.approve([:], slug: Self.slug, by: world.reviewer)
        try await world.published(Self.slug, version: "v1.1.0")
        #expect(try await level(world) == .basic)
        let standing = try await world.certifications.standing(slug: Self.slug, for: world.publisher)
        #expect(standing.newest?.state == "ended" && standing.newest?.endedBecause == "version v1.1.0 was published at level 1")
        #expect(!standing.isEligible)
    }

    @Test func aRevokedSignerEndsIt() async throws {
        let world = try await world()
        try await succeed(100, world)
        _ = try await world.certifications.request(slug: Self.slug, by: world.publisher)
        _ = try await world.certifications.approve([:], slug: Self.slug, by: world.reviewer)
        let signer = try await world.signingIdentities.list(page: Page(), for: world.publisher).rows[0]
        _ = try await world.signingIdentities.revoke(signer.row.id, by: world.publisher)
        #expect(try await level(world) == .basic)
        #expect(try await unmet(world) == ["signed_image"])
        #expect(try await world.certifications.standing(slug: Self.slug, for: world.publisher).newest?.state == "ended")
    }

    @Test func anAuditRaisesToLevel3() async throws {
        let world = try await world()
        #expect(
            await refusal { try await world.certifications.makeOfficial(["report": "r"], slug: Self.slug, by: world.reviewer) } == "missing_scope")
        #expect(
            await refusal { try await world.certifications.makeOfficial(["report": " "], slug: Self.slug, by: world.administrator) }
                == "validation_failed")
        world.trust.believe(nil)
        #expect(
            await refusal { try await world.certifications.makeOfficial(["report": "r"], slug: Self.slug, by: world.administrator) }
                == "trusted_root_unavailable")
        try world.believeFixtures()
        let cargo = try await world.certifications.makeOfficial(["report": "all read"], slug: Self.slug, by: world.administrator)
        #expect(cargo.submission.trustLevel == .official && cargo.entry.tier == "official")
        let entries = try await world.audit.list(AuditFilter(action: "certification.audit"), page: Page(), for: world.administrator)
        #expect(entries.rows.map(\.after) == [#"{"report":"all read"}"#])
        #expect(
            await refusal { try await world.certifications.makeOfficial(["report": "r"], slug: Self.slug, by: world.administrator) }
                == "already_official")
    }

    @Test func withoutASignatureNoAuditHelps() async throws {
        let world = try await world(.unsigned)
        #expect(try await unmet(world) == ["signed_image", "successful_jobs", "reputation"])
        #expect(
            await refusal { try await world.certifications.makeOfficial(["report": "r"], slug: Self.slug, by: world.administrator) }
                == "signature_required")
        #expect(try await level(world) == .basic)
    }
}

import Domain
import IslandLink
import JSON
import Storage
import TestSupport
import Testing

@testable import Coordinator
@testable import OCI

@Suite(.timeLimit(.minutes(5))) struct SignatureGateTests {
    /// A Cargo that is certified, and a new version of it that waits for review.
    private func certified(_ image: SignedImage, _ world: World) async throws -> Submission {
        try world.believeFixtures()
        try await world.raise(try await world.published("my-cargo").row.id, to: .verified)
        return try await world.pending("my-cargo", version: "v1.1.0", image)
    }

    private func approve(_ submission: Submission, level: TrustLevel = .verified, _ world: World) async throws -> Submission {
        try await world.review.approve(submission.row.id, World.approval(level: level), by: world.reviewer)
    }

    private func publish(_ submission: Submission, _ world: World) async throws -> Submission {
        try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher)
    }

    /// A job of the Cargo that runs on an Island which takes one level.
    private func running(at level: TrustLevel, _ world: World) async throws -> (island: FakeIsland, job: Job, attempt: AttemptID) {
        let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(levels: [level]))
        let job = try await world.submit("my-cargo")
        let attempt = try await island.hearAssignment().attempt
        island.say(.started(attempt))
        return (island, try await world.job(job.row.id, reaches: .running), attempt)
    }

    private func cargo(_ world: World) async throws -> PublishedCargo { try await world.registry.cargo(slug: "my-cargo", for: world.consumer) }

    @Test(arguments: [SignedImage.bundle, .bundleOfVersion2, .legacy, .keyed])
    func aSignedVersionOfACertifiedCargoStaysCertified(image: SignedImage) async throws {
        let world = try await World()
        let identity = try await world.registerSigner(key: image.layout == SignedImage.keyed.layout ? image.layout : nil)
        let submission = try await certified(image, world)
        let approved = try await approve(submission, world)
        #expect(approved.trustLevel == .verified)
        #expect(approved.signature?.isVerified == true)
        _ = try await publish(approved, world)
        let cargo = try await cargo(world)
        #expect(cargo.submission.row.version == "v1.1.0")
        #expect(cargo.entry.trustLevel == 2 && cargo.entry.verified && cargo.entry.tier == "certified")
        let summary = try #require(cargo.submission.signature)
        #expect(summary.isVerified && summary.logIndex >= 0 && summary.logID.count == 64)
        #expect(summary.signedAt != nil)
        let (_, stored) = try await world.registry.signature(slug: "my-cargo", for: world.consumer)
        #expect(stored.digest == image.digest)
        #expect(stored.signingIdentityID == identity.id)
        #expect(stored.layout == (image.layout == SignedImage.legacy.layout ? "legacy" : "bundle"))
        #expect(stored.signer == (identity.identity ?? identity.claim))
        #expect(try JSONValue(parsing: stored.content).object != nil)
        #expect(try JSONValue(parsing: stored.annotations)["dev.cosignproject.cosign/signature"] == nil || stored.layout == "legacy")
    }

    @Test(arguments: [
        (SignedImage.unsigned, "signature_required", "unsigned"), (.otherSubject, "signature_invalid", "subject_mismatch"),
        (.otherManifest, "signature_invalid", "referrer_other_image"), (.replayed, "signature_invalid", "payload_other_image"),
        (.emptySignature, "signature_invalid", "signature_invalid"), (.unlogged, "signature_invalid", "key_not_expected"),
    ])
    func withoutAValidSignatureNothingIsApprovedAboveLevel1(image: SignedImage, code: String, refusal: String) async throws {
        let world = try await World()
        try await world.registerSigner()
        let submission = try await certified(image, world)
        let error = await serviceError { try await approve(submission, world) }
        #expect(error?.code == code)
        #expect(error?.kind == .conflict)
        #expect(error?.context["refusal"]?.string == refusal)
        #expect(try await approve(submission, level: .basic, world).signature == nil)
        _ = try await publish(submission, world)
        #expect(try await cargo(world).entry.trustLevel == 1)
        let unsigned = await CoordinatorTests.refusal { try await world.registry.signature(slug: "my-cargo", for: world.consumer) }
        #expect(unsigned == "not_signed")
    }

    @Test func aSignatureInNoLogDoesNotCount() async throws {
        let world = try await World()
        try await world.registerSigner(key: SignedImage.unlogged.layout)
        let submission = try await certified(.unlogged, world)
        let error = await serviceError { try await approve(submission, world) }
        #expect(error?.context["refusal"] == "log_entry_missing")
    }

    @Test func onlyThePublishersOwnIdentitiesCount() async throws {
        let world = try await World()
        let submission = try await certified(.bundle, world)
        #expect(await refusal { try await approve(submission, world) } == "signature_required")
        try await world.registerSigner(name: "dev@example.org")
        let error = await serviceError { try await approve(submission, world) }
        #expect(error?.code == "signature_invalid")
        #expect(error?.context["refusal"] == "identity_mismatch")
        let right = try await world.registerSigner()
        _ = try await world.signingIdentities.revoke(right.id, by: world.publisher)
        #expect(await refusal { try await approve(submission, world) } == "signature_invalid")
    }

    @Test func whatDoesNotAnswerIsNoWrongSignature() async throws {
        let world = try await World()
        try await world.registerSigner()
        let submission = try await certified(.bundle, world)
        let down = OCIError(.registryUnavailable, "down")
        world.signatures.fail(down)
        #expect(await refusal { try await approve(submission, world) } == "registry_unavailable")
        world.signatures.fail(nil)
        world.signatures.failBlobs(down)
        #expect(await refusal { try await approve(submission, world) } == "registry_unavailable")
        world.signatures.failBlobs(nil)
        world.trust.believe(nil)
        #expect(await refusal { try await approve(submission, world) } == "trusted_root_unavailable")
        try world.believeFixtures()
        #expect(try await approve(submission, world).trustLevel == .verified)
    }

    @Test(arguments: [(TrustLevel.untrusted, 2), (.basic, 2), (.basic, 3), (.verified, 3), (.official, 3)])
    func aReviewerGivesNoLevelThatTheCargoHasNotEarned(published: TrustLevel, wanted: Int) async throws {
        let world = try await World()
        try await world.registerSigner()
        let submission = try await certified(.bundle, world)
        try await world.raise(try await cargo(world).submission.row.id, to: published)
        let level = try #require(TrustLevel(rawValue: wanted))
        let error = await serviceError { try await approve(submission, level: level, world) }
        #expect(error?.details.map(\.pointer) == ["/trust_level"])
    }

    @Test func theSignatureMustStillBeThereWhenItIsPublished() async throws {
        let world = try await World()
        try await world.registerSigner()
        let approved = try await approve(try await certified(.bundle, world), world)
        world.signatures.fail(OCIError(.registryUnavailable, "down"))
        #expect(await refusal { try await publish(approved, world) } == "registry_unavailable")
        world.signatures.fail(nil)
        world.trust.believe(try SigstoreFixture.root("production"))
        #expect(await refusal { try await publish(approved, world) } == "signature_invalid")
        try world.believeFixtures()
        #expect(try await publish(approved, world).state == .published)
    }

    @Test func revokingTheSignerTakesTheLevelAway() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        let next = try await approve(try await world.pending("my-cargo", version: "v1.2.0", .legacy), world)
        _ = try await world.signingIdentities.revoke(identity.id, by: world.publisher)
        let cargo = try await cargo(world)
        #expect(cargo.entry.trustLevel == 1 && !cargo.entry.verified)
        #expect(cargo.submission.trustLevel == .basic)
        #expect(cargo.submission.signature?.isVerified == false)
        let waiting = try await world.publishing.submission(next.row.id, for: world.publisher)
        #expect(waiting.trustLevel == .basic && waiting.state == .approved)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows
        #expect(told.filter { $0.kind == "certification.lost" }.map(\.submissionID).contains(published.row.id))
        let entries = try await world.audit.list(AuditFilter(action: "submission.decertify"), page: Page(), for: world.administrator)
        #expect(entries.total == 2)
        #expect(try await world.audit.verify(for: world.administrator).brokenAt == nil)
        #expect(try await publish(next, world).trustLevel == .basic)
    }

    @Test func anIslandIsToldWhoMayHaveSignedAndWhenItIsTakenBack() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        let digest = try #require(published.row.imageDigest)
        try await world.dispatching {
            let island = try await world.connectIsland("a", capabilities: FakeIsland.capabilities(levels: [.verified]))
            let job = try await world.submit("my-cargo")
            let assignment = try await island.hearAssignment()
            #expect(assignment.level == .verified)
            #expect(assignment.signers == [.identity(identity.identity ?? "", issuer: identity.issuer ?? "")])
            island.say(.started(assignment.attempt))
            _ = try await world.job(job.row.id, reaches: .running)
            _ = try await world.signingIdentities.revoke(identity.id, by: world.publisher)
            #expect(try await island.hear() == .revoked([digest]))
            #expect(try await island.hear() == .cancel(assignment.attempt))
            let ended = try await world.job(job.row.id, reaches: .failed)
            #expect(ended.row.failure?.contains("signature_revoked") == true)
        }
    }

    @Test func whatAnOlderVersionStillRunsEndsToo() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        _ = try await publish(try await approve(try await certified(.bundle, world), world), world)
        try await world.dispatching {
            let (_, job, _) = try await running(at: .verified, world)
            _ = try await publish(try await approve(try await world.pending("my-cargo", version: "v1.2.0", .legacy), world), world)
            _ = try await world.signingIdentities.revoke(identity.id, by: world.publisher)
            #expect(try await world.job(job.row.id, reaches: .failed).row.failure?.contains("signature_revoked") == true)
        }
        #expect(try await world.ledger.verify(for: world.administrator).held == 0)
    }

    /// As when a process dies between the two.
    @Test func aRevocationThatWasOnlyWrittenDownIsCarriedOut() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        _ = try await publish(try await approve(try await certified(.bundle, world), world), world)
        try await world.dispatching {
            let (island, job, attempt) = try await running(at: .verified, world)
            let now = world.now
            try await world.database.write { try $0.revokeSigningIdentity(id: identity.id, at: now) }
            await world.clock.pass(seconds: 4)
            #expect(try await island.hear() == .cancel(attempt))
            #expect(try await world.job(job.row.id).row.failure?.contains("signature_revoked") == true)
        }
    }

    /// What runs at a level that needs no signature goes on.
    @Test func jobsBelowTheSignaturesLevelGoOn() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        try await world.raise(published.row.id, to: .basic)
        try await world.dispatching {
            let (_, job, _) = try await running(at: .basic, world)
            _ = try await world.signingIdentities.revoke(identity.id, by: world.publisher)
            await world.clock.pass(seconds: 4)
            #expect(try await world.job(job.row.id).state == .running)
        }
    }

    @Test func revokingDoesNotWaitForARegistryThatDoesNotAnswer() async throws {
        let world = try await World()
        let identity = try await world.registerSigner()
        try await world.registerSigner(key: SignedImage.keyed.layout)
        _ = try await publish(try await approve(try await certified(.bundle, world), world), world)
        world.signatures.fallSilent()
        async let revoked = world.signingIdentities.revoke(identity.id, by: world.publisher)
        await world.clock.untilSomebodySleeps()
        world.clock.moveOn(by: .seconds(2))
        #expect(try await revoked.row.revokedAt == world.now)
        #expect(try await cargo(world).entry.trustLevel == 1)
    }

    @Test(arguments: [("signature_missing", "security.signature_refused"), ("digest_mismatch", "security.image_refused")])
    func anIslandThatRefusesIsHeardAndLosesNothing(code: String, action: String) async throws {
        let world = try await World()
        try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        try await world.dispatching {
            let row = try await world.registerIsland("a")
            let island = try await world.connect(row, capabilities: FakeIsland.capabilities(levels: [.verified])).island
            _ = try await world.submit("my-cargo")
            let attempt = try await island.hearAssignment().attempt
            let failure = JobFailure(fault: .island, code: code, message: "It is not what it should be.")
            island.say(
                .finished(
                    .init(attempt: attempt, frames: 0, done: nil, failure: failure, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0)))
            #expect(try await island.hear() == .settled(attempt))
            let entries = try await world.audit.list(AuditFilter(action: action), page: Page(), for: world.administrator)
            #expect(entries.rows.map(\.subject) == ["submission/\(published.row.id)"])
            #expect(entries.rows.first?.actorID == "island/\(row.id)")
            #expect(try await world.database.read { try $0.island(id: row.id)?.karma } == 0)
        }
    }

    @Test func aRescanThatFindsWhatBlocksTakesTheLevelAway() async throws {
        let world = try await World()
        try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        world.scanner.find(.high)
        _ = try await world.rescans.rescanNow(slug: "my-cargo", by: world.administrator)
        while try await world.rescans.step() {}
        while try await world.pipeline.scanNext() {}
        let after = try await world.publishing.submission(published.row.id, for: world.publisher)
        #expect(after.state == .published && after.trustLevel == .basic)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(told.contains("certification.lost") && told.contains("submission.flagged"))
    }

    /// Once a week; a registry that does not answer is no word against a signature.
    @Test(arguments: [(SignedImage.bundle, nil, true), (.emptySignature, nil, false), (.bundle, OCIError.Code.registryUnavailable, true)])
    func aRescanLooksForTheSignatureToo(image: SignedImage, failure: OCIError.Code?, isKept: Bool) async throws {
        let world = try await World()
        try await world.registerSigner()
        let published = try await publish(try await approve(try await certified(.bundle, world), world), world)
        while try await world.rescans.step() {}
        world.signatures.store(image)
        world.signatures.fail(failure.map { OCIError($0, "not now") })
        _ = try await world.rescans.rescanNow(slug: "my-cargo", by: world.administrator)
        while try await world.rescans.step() {}
        let after = try await world.publishing.submission(published.row.id, for: world.publisher)
        #expect(after.state == .published && after.trustLevel == (isKept ? .verified : .basic))
        #expect(after.signature?.isVerified == isKept)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(told.contains("certification.lost") == !isKept)
    }

    @Test func jobsGoByTheLevelOfTheMoment() async throws {
        let world = try await World()
        let published = try await world.published("my-cargo")
        let long: JSONObject = ["workload": "my-cargo", "input": [:], "timeout_seconds": 600]
        #expect(await refusal { try await world.jobs.submit(Jobs.Request(long), by: world.consumer) } == "validation_failed")
        try await world.raise(published.row.id, to: .official)
        _ = try await world.jobs.submit(Jobs.Request(long), by: world.consumer)
        try await world.raise(published.row.id, to: .basic)
        #expect(await refusal { try await world.jobs.submit(Jobs.Request(long), by: world.consumer) } == "validation_failed")
    }
}

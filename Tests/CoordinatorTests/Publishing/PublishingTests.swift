import Domain
import JSON
import OCI
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct PublishingTests {
    // MARK: Drafts

    @Test func aNewSubmissionIsADraftWithItsDefaultsFilledIn() async throws {
        let world = try await World()
        let draft = try await world.draft("my-text-processor")
        #expect(draft.state == .draft)
        #expect(draft.slug == "my-text-processor")
        #expect(draft.row.version == "v1.0.0")
        #expect(draft.row.imageDigest == nil)
        #expect(draft.trustLevel == nil)
        #expect(draft.fields.requiredVRAMMegabytes == 0)
        #expect(draft.fields.requiredCPUCores == 1)
        #expect(draft.fields.requiredRAMMegabytes == 256)
        #expect(draft.fields.revenueShare == 70)
        #expect(try await world.publishing.submission(draft.row.id, for: world.publisher) == draft)
    }

    @Test func everythingWrongWithADraftIsSaidAtOnce() async throws {
        let world = try await World()
        var fields = SubmissionFields()
        fields.containerImage = "quay.io/x/y:latest"
        fields.imageDigest = "sha256:short"
        fields.runtimeType = "jar"
        let error = await serviceError {
            try await world.publishing.create(
                fields, problems: [Problem("/price_per_job", "must be a whole number, not string")], by: world.publisher)
        }
        #expect(error?.kind == .invalid)
        #expect(error?.code == "validation_failed")
        let pointers = (error?.details ?? []).map(\.pointer)
        let expected = [
            "/price_per_job", "/name", "/description", "/slug", "/runtime_type", "/input_schema", "/output_schema", "/container_image",
            "/container_image", "/image_digest",
        ]
        #expect(pointers.sorted() == expected.sorted())
    }

    @Test(arguments: [
        ("ghcr.io/archipelag-io/x:v1.0.0", true), ("docker.io/archipelag/x:1.2.3", true), ("ghcr.io/archipelag-io/x:v1.0.0-rc.1", true),
        ("ghcr.io/archipelag-io/x:latest", false), ("ghcr.io/archipelag-io/x", false), ("ghcr.io/archipelag-io/x:v1", false),
        ("ghcr.io/archipelag-io-evil/x:v1.0.0", false), ("ghcr.io/archipelag-io/../evil/x:v1.0.0", false), ("quay.io/x/y:v1.0.0", false),
        ("x:v1.0.0", false), ("archipelag/x:v1.0.0", false), ("", false), ("https://ghcr.io/archipelag-io/x:v1.0.0", false),
        ("ghcr.io/archipelag-io/x:v1.0.0@sha256:" + String(repeating: "a", count: 64), false), ("ghcr.io/archipelag-io/x:v1.0.0 ", false),
    ])
    func anImageNeedsAnApprovedRegistryAndASemanticVersionAsItsTag(image: String, isRight: Bool) async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.containerImage = image
        let error = await serviceError { try await world.publishing.create(fields, problems: [], by: world.publisher) }
        #expect((error == nil) == isRight)
        if !isRight { #expect(Set((error?.details ?? []).map(\.pointer)) == ["/container_image"]) }
    }

    @Test func aSlugBelongsToItsFirstPublisher() async throws {
        let world = try await World()
        _ = try await world.draft("my-cargo")
        #expect(await refusal { try await world.draft("my-cargo", by: world.consumer) } == "slug_taken")
        #expect(try await world.draft("my-cargo", version: "v1.1.0").slug == "my-cargo")
    }

    @Test func aSlugIsFreeAgainOnceItsOnlyDraftIsDeleted() async throws {
        let world = try await World()
        let draft = try await world.draft("my-cargo")
        try await world.publishing.delete(draft.row.id, by: world.publisher)
        #expect(await refusal { try await world.publishing.submission(draft.row.id, for: world.publisher) } == "not_found")
        #expect(try await world.draft("my-cargo", by: world.consumer).slug == "my-cargo")
    }

    @Test func fiftyPublishersRaceForOneSlugAndOneGetsIt() async throws {
        let world = try await World()
        let fields = world.fields("gold")
        let codes = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<50 {
                let account = try await world.accounts.open(name: "p\(index)", email: nil, standing: .community, roles: [])
                group.addTask {
                    await refusal { try await world.publishing.create(fields, problems: [], by: Principal(accountID: account, scopes: [.write])) }
                }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(codes.filter { $0 == "no refusal" }.count == 1)
        #expect(codes.filter { $0 == "slug_taken" }.count == 49)
    }

    @Test func onlyADraftCanBeEditedAndDeleted() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let id = submission.row.id
        var patch = SubmissionFields()
        patch.name = "Another name"
        let wish = patch
        let error = await serviceError { try await world.publishing.edit(id, wish, problems: [], by: world.publisher) }
        #expect(error?.kind == .conflict)
        #expect(error?.code == "state_conflict")
        #expect(error?.context["state"] == "pending_review")
        #expect(error?.context["allowed_actions"] == ["withdraw", "approve", "reject"])
        #expect(await refusal { try await world.publishing.delete(id, by: world.publisher) } == "state_conflict")
    }

    @Test func anEditChangesWhatItNamesAndNothingElse() async throws {
        let world = try await World()
        let draft = try await world.draft("my-cargo")
        var patch = SubmissionFields()
        patch.name = "Another name"
        patch.tags = ["a", "b"]
        let edited = try await world.publishing.edit(draft.row.id, patch, problems: [], by: world.publisher)
        var expected = draft.fields
        expected.name = "Another name"
        expected.tags = ["a", "b"]
        #expect(edited.fields == expected)
        #expect(edited.state == .draft)
    }

    @Test func anEditCannotMakeADraftWrongNorMoveItToAnotherSlug() async throws {
        let world = try await World()
        let id = try await world.draft("my-cargo").row.id
        var patch = SubmissionFields()
        patch.slug = "other-cargo"
        let otherSlug = patch
        let error = await serviceError { try await world.publishing.edit(id, otherSlug, problems: [], by: world.publisher) }
        #expect(error?.details.map(\.pointer) == ["/slug"])
        patch = SubmissionFields()
        patch.pricePerJob = -1
        let badPrice = patch
        #expect(await refusal { try await world.publishing.edit(id, badPrice, problems: [], by: world.publisher) } == "validation_failed")
    }

    /// DESIGN §4.6: "`version` (default: the tag)".
    @Test func theDefaultVersionFollowsTheTagWhenTheImageIsEdited() async throws {
        let world = try await World()
        let id = try await world.draft("my-cargo").row.id
        var patch = SubmissionFields()
        patch.containerImage = "ghcr.io/archipelag-io/my-cargo:v1.1.0"
        #expect(try await world.publishing.edit(id, patch, problems: [], by: world.publisher).row.version == "v1.1.0")
    }

    @Test func strangersDoNotLearnThatASubmissionExistsAndInsidersMayNotChangeIt() async throws {
        let world = try await World()
        let id = try await world.draft("my-cargo").row.id
        #expect(await refusal { try await world.publishing.submission(id, for: world.consumer) } == "not_found")
        #expect(await refusal { try await world.publishing.delete(id, by: world.consumer) } == "not_found")
        #expect(try await world.publishing.submission(id, for: world.reviewer).row.id == id)
        let admin = Principal(accountID: world.reviewer.accountID, scopes: [.admin])
        #expect(await refusal { try await world.publishing.delete(id, by: admin) } == "not_owner")
        #expect(await refusal { try await world.publishing.submission(id + 1, for: admin) } == "not_found")
    }

    @Test func aKeyWithoutTheScopeMayNothing() async throws {
        let world = try await World()
        let fields = world.fields("my-cargo")
        let reader = Principal(accountID: world.publisher.accountID, scopes: [.read])
        let nobody = Principal(accountID: world.publisher.accountID, scopes: [])
        let island = Principal(accountID: world.publisher.accountID, scopes: [.island])
        #expect(await refusal { try await world.publishing.create(fields, problems: [], by: reader) } == "missing_scope")
        #expect(await refusal { try await world.publishing.transition(1, to: .pendingReview, by: reader) } == "missing_scope")
        #expect(await refusal { try await world.publishing.submission(1, for: nobody) } == "missing_scope")
        #expect(await refusal { try await world.publishing.submission(1, for: island) } == "missing_scope")
        #expect(await refusal { try await world.review.queue(page: Page(), for: world.publisher) } == "missing_scope")
    }

    // MARK: Handing in

    @Test func submittingPinsTheDigestOfTheTag() async throws {
        let world = try await World()
        let draft = try await world.draft("my-cargo")
        world.clock.moveOn(by: .seconds(5))
        let submitted = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
        let digest = FakeImages.digest(of: "ghcr.io/archipelag-io/my-cargo:v1.0.0")
        #expect(submitted.state == .pendingReview)
        #expect(submitted.row.imageDigest == digest.description)
        #expect(submitted.row.submittedAt == World.start + 5000)
        let scan = try await world.publishing.scan(of: draft.row.id, for: world.publisher)
        #expect(scan?.state == .queued)
        #expect(scan?.digest == digest.description)
        world.images.push("ghcr.io/archipelag-io/my-cargo:v1.0.0", content: "moved")
        #expect(try await world.publishing.submission(draft.row.id, for: world.publisher).row.imageDigest == digest.description)
    }

    @Test func aSuppliedDigestMustBeTheTags() async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.imageDigest = FakeImages.digest(of: "something else").description
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        let error = await serviceError { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher) }
        #expect(error?.kind == .invalid)
        #expect(error?.code == "digest_mismatch")
        #expect(error?.details.map(\.pointer) == ["/image_digest"])
        var patch = SubmissionFields()
        patch.imageDigest = FakeImages.digest(of: "ghcr.io/archipelag-io/my-cargo:v1.0.0").description
        _ = try await world.publishing.edit(draft.row.id, patch, problems: [], by: world.publisher)
        #expect(try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher).state == .pendingReview)
    }

    @Test(arguments: [
        (OCIError.Code.notFound, ServiceError.Kind.invalid, "image_not_found"), (.unauthorized, .invalid, "image_not_readable"),
        (.forbidden, .invalid, "image_not_readable"), (.registryUnavailable, .unavailable, "registry_unavailable"),
        (.rateLimited, .unavailable, "registry_unavailable"), (.malformedDocument, .invalid, "image_refused"),
    ])
    func aRegistrysRefusalHasItsOwnCode(code: OCIError.Code, kind: ServiceError.Kind, expected: String) async throws {
        let world = try await World()
        let draft = try await world.draft("my-cargo")
        world.images.fail(OCIError(code, "said so"))
        let error = await serviceError { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher) }
        #expect(error?.kind == kind)
        #expect(error?.code == expected)
        #expect(try await world.publishing.submission(draft.row.id, for: world.publisher).state == .draft)
        world.images.fail(nil)
        #expect(try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher).state == .pendingReview)
    }

    @Test func aRegistryThatIsNoLongerApprovedIsRefusedWhenSubmitting() async throws {
        let world = try await World()
        let wide = Publishing(
            moves: world.moves, images: world.images, approved: ApprovedRegistries(adding: ["127.0.0.1:5000"]), gate: world.gate, bus: world.bus,
            surroundings: world.surroundings)
        var fields = world.fields("my-cargo")
        fields.containerImage = "127.0.0.1:5000/my-cargo:v1.0.0"
        world.images.push("127.0.0.1:5000/my-cargo:v1.0.0")
        let draft = try await wide.create(fields, problems: [], by: world.publisher)
        #expect(
            await refusal { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher) } == "registry_not_approved")
    }

    @Test func aDraftThatIsEditedWhileItsImageIsLookedUpIsNotSubmitted() async throws {
        let world = try await World()
        let draft = try await world.draft("my-cargo")
        let publishing = world.publishing
        let publisher = world.publisher
        world.images.beforeResolving {
            var patch = SubmissionFields()
            patch.name = "Changed"
            _ = try await publishing.edit(draft.row.id, patch, problems: [], by: publisher)
        }
        #expect(await refusal { try await publishing.transition(draft.row.id, to: .pendingReview, by: publisher) } == "edited_meanwhile")
        world.images.beforeResolving(nil)
        #expect(try await publishing.submission(draft.row.id, for: publisher).state == .draft)
    }

    @Test func withdrawingMakesADraftAgainWithoutADigest() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let draft = try await world.publishing.transition(submission.row.id, to: .draft, by: world.publisher)
        #expect(draft.state == .draft)
        #expect(draft.row.imageDigest == nil)
        #expect(draft.row.submittedAt == nil)
        #expect(try await world.pipeline.scanNext() == false)
        let again = try await world.publishing.transition(submission.row.id, to: .pendingReview, by: world.publisher)
        #expect(again.state == .pendingReview)
        #expect(try await world.pipeline.scanNext())
        #expect(try await world.publishing.scan(of: submission.row.id, for: world.publisher)?.verdict == .clean)
    }

    @Test(arguments: [SubmissionState.approved, .rejected, .superseded, .suspended])
    func aPublisherCannotAskForEveryState(state: SubmissionState) async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        let error = await serviceError { try await world.publishing.transition(id, to: state, by: world.publisher) }
        #expect(error?.kind == .invalid)
        #expect(error?.details.map(\.pointer) == ["/to"])
    }

    @Test func transitionsFollowTheStates() async throws {
        let world = try await World()
        let id = try await world.draft("my-cargo").row.id
        let move = { @Sendable (state: SubmissionState) in
            await refusal { try await world.publishing.transition(id, to: state, by: world.publisher) }
        }
        #expect(await move(.draft) == "state_conflict")
        #expect(await move(.published) == "state_conflict")
        #expect(await move(.pendingReview) == "no refusal")
        #expect(await move(.pendingReview) == "state_conflict")
        #expect(await move(.published) == "state_conflict")
        #expect(try await world.pipeline.scanNext())
        _ = try await world.review.approve(id, World.approval(), by: world.reviewer)
        #expect(await move(.draft) == "state_conflict")
        #expect(await move(.published) == "no refusal")
        #expect(await move(.published) == "state_conflict")
        #expect(await move(.draft) == "state_conflict")
    }

    @Test func whatHappenedIsKeptInOrder() async throws {
        let world = try await World()
        let id = try await world.published("my-cargo").row.id
        let events = try await world.publishing.events(of: id, for: world.publisher)
        #expect(events.map(\.action) == ["create", "submit", "approve", "publish"])
        #expect(events.map(\.toState) == ["draft", "pending_review", "approved", "published"])
        let (publisher, reviewer) = (world.publisher.accountID, world.reviewer.accountID)
        #expect(events.map(\.actorID) == [publisher, publisher, reviewer, publisher])
    }

    // MARK: The limit of active Cargos

    @Test func aCommunityPublisherHasAtMostThreeActiveCargos() async throws {
        let world = try await World()
        for slug in ["one", "two", "three"] { _ = try await world.submitted(slug) }
        let fourth = try await world.draft("four")
        let error = await serviceError { try await world.publishing.transition(fourth.row.id, to: .pendingReview, by: world.publisher) }
        #expect(error?.kind == .conflict)
        #expect(error?.code == "active_cargo_limit")
        let first = try await world.publishing.list(state: .pendingReview, page: Page(), for: world.publisher).rows[0]
        _ = try await world.publishing.transition(first.row.id, to: .draft, by: world.publisher)
        #expect(try await world.publishing.transition(fourth.row.id, to: .pendingReview, by: world.publisher).state == .pendingReview)
    }

    @Test func aNewVersionOfAnActiveCargoTakesNoFurtherPlace() async throws {
        let world = try await World()
        for slug in ["one", "two", "three"] { try await world.published(slug) }
        #expect(try await world.submitted("two", version: "v1.1.0").state == .pendingReview)
        #expect(await refusal { try await world.submitted("four") } == "active_cargo_limit")
    }

    @Test(arguments: [(PublisherStanding.community, 3), (.verified, 10), (.firstParty, 50)])
    func fiftyParallelSubmitsNeverExceedTheLimit(standing: PublisherStanding, most: Int) async throws {
        let world = try await World()
        let account = try await world.accounts.open(name: "busy", email: nil, standing: standing, roles: [])
        let publisher = Principal(accountID: account, scopes: [.read, .write])
        var ids: [Int] = []
        for index in 0..<50 { ids.append(try await world.draft("cargo-\(index)", by: publisher).row.id) }
        let codes = await withTaskGroup(of: String.self) { group in
            for id in ids { group.addTask { await refusal { try await world.publishing.transition(id, to: .pendingReview, by: publisher) } } }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(codes.filter { $0 == "no refusal" }.count == most)
        #expect(codes.filter { $0 == "active_cargo_limit" }.count == 50 - most)
        #expect(try await world.publishing.list(state: .pendingReview, page: Page(), for: publisher).total == most)
    }

    // MARK: Publishing

    @Test func aPublishedCargoStandsInTheRegistry() async throws {
        let world = try await World()
        #expect(await refusal { try await world.registry.cargo(slug: "my-cargo", for: world.consumer) } == "not_found")
        let approved = try await world.approved("my-cargo", level: .untrusted)
        #expect(await refusal { try await world.registry.cargo(slug: "my-cargo", for: world.consumer) } == "not_found")
        _ = try await world.publishing.transition(approved.row.id, to: .published, by: world.publisher)
        let cargo = try await world.registry.cargo(slug: "my-cargo", for: world.consumer)
        #expect(cargo.submission.trustLevel == .untrusted)
        #expect(cargo.submission.row.version == "v1.0.0")
        #expect([cargo.entry.jobsCompleted, cargo.entry.jobsFailed] == [0, 0])
    }

    @Test func aNewVersionSupersedesTheOldOne() async throws {
        let world = try await World()
        let old = try await world.published("my-cargo", version: "v1.9.0")
        let new = try await world.published("my-cargo", version: "v1.10.0")
        #expect(try await world.publishing.submission(old.row.id, for: world.publisher).state == .superseded)
        #expect(try await world.registry.cargo(slug: "my-cargo", for: world.consumer).submission.row.id == new.row.id)
        #expect(try await world.found().total == 1)
        #expect(try await world.publishing.events(of: old.row.id, for: world.publisher).last?.action == "supersede")
    }

    @Test(arguments: ["v1.1.0", "1.1.0", "v1.0.9", "v1.1.0-rc.1", "v0.9.0"])
    func aVersionThatIsNotGreaterThanThePublishedOneIsRefused(version: String) async throws {
        let world = try await World()
        try await world.published("my-cargo", version: "v1.1.0")
        let draft = try await world.draft("my-cargo", version: version)
        let error = await serviceError { try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher) }
        #expect(error?.kind == .invalid)
        #expect(error?.details.map(\.pointer) == ["/version"])
    }

    @Test func anApprovedVersionThatWasOvertakenCannotBePublished() async throws {
        let world = try await World()
        let slow = try await world.approved("my-cargo", version: "v1.1.0")
        try await world.published("my-cargo", version: "v1.2.0")
        #expect(await refusal { try await world.publishing.transition(slow.row.id, to: .published, by: world.publisher) } == "validation_failed")
    }

    @Test func aHigherLevelIsNotPublishedWithoutItsSignature() async throws {
        let world = try await World()
        let approved = try await world.approved("my-cargo")
        let id = approved.row.id
        try await world.database.write { writer in
            var row = try writer.submission(id: id)!
            row.trustLevel = 2
            try writer.update(row)
        }
        #expect(await refusal { try await world.publishing.transition(id, to: .published, by: world.publisher) } == "signature_required")
    }

    @Test func listsAreFilledWhereAnEarlierVersionKeptNone() async throws {
        let world = try await World()
        try await world.published("text-tool")
        try await world.published("image-tool")
        _ = try await world.moderation.suspend(["reason": "r"], slug: "image-tool", by: world.administrator)
        try await world.database.write { writer in
            for table in ["registry_entries", "registry_tags", "registry_search"] { try writer.execute("DELETE FROM \(table)", []) }
        }
        #expect(try await world.registry.fillIfEmpty() == 1)
        #expect(try await world.found(RegistryFilter(query: "text")).rows.map(\.entry.slug) == ["text-tool"])
        #expect(try await world.found().total == 1)
        #expect(try await world.registry.fillIfEmpty() == 0)
    }

    @Test func searchFindsWordsInSlugsAndFieldsAndTakesWildcardsAsLetters() async throws {
        let world = try await World()
        try await world.published("text-tool")
        try await world.published("image-tool")
        let find = { @Sendable (text: String?) in
            try await world.found(RegistryFilter(query: text)).rows.map(\.entry.slug).sorted()
        }
        #expect(try await find(nil) == ["image-tool", "text-tool"])
        #expect(try await find("text-t") == ["text-tool"])
        #expect(try await find("TEXT-T") == ["text-tool"])
        #expect(try await find("does what image-tool does") == ["image-tool"])
        #expect(try await find("nothing") == [])
        #expect(try await find("%") == [])
        #expect(try await find("text%") == ["text-tool"], "no character has a meaning of its own")
        #expect(try await find("'; DROP TABLE workloads; --") == [])
    }

    @Test(arguments: [(0, 0, 1, 0), (1, 0, 1, 0), (100, 5, 100, 5), (101, -1, 100, 0), (Int.max, Int.min, 100, 0)])
    func aPageStaysWithinItsBounds(limit: Int, offset: Int, expectedLimit: Int, expectedOffset: Int) {
        let page = Page(limit: limit, offset: offset)
        #expect([page.limit, page.offset] == [expectedLimit, expectedOffset])
    }
}

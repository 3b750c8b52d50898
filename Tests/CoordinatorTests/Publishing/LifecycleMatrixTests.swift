import Domain
import JSON
import OCI
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// Every state × every action × every asker, through the use cases.
@Suite(.timeLimit(.minutes(5))) struct LifecycleMatrixTests {
    enum Asker: String, CaseIterable, Sendable { case owner, stranger, reviewer, administrator }

    static let pairs: [(SubmissionState, SubmissionAction)] = SubmissionState.allCases.flatMap { state in
        SubmissionAction.allCases.filter { $0 != .supersede }.map { (state, $0) }
    }

    /// A submission in a state, reached by the use cases alone.
    private func submission(in state: SubmissionState, _ world: World) async throws -> Int {
        switch state {
        case .draft: return try await world.draft("my-cargo").row.id
        case .pendingReview:
            let id = try await world.submitted("my-cargo").row.id
            while try await world.pipeline.scanNext() {}
            return id
        case .approved: return try await world.approved("my-cargo").row.id
        case .rejected:
            let id = try await world.submitted("my-cargo").row.id
            _ = try await world.review.reject(id, reason: "r", rule: "policy", by: world.reviewer)
            return id
        case .published: return try await world.published("my-cargo").row.id
        case .superseded:
            let id = try await world.published("my-cargo").row.id
            try await world.published("my-cargo", version: "v1.0.1")
            return id
        case .suspended:
            let id = try await world.published("my-cargo").row.id
            _ = try await world.moderation.suspend(["reason": "r"], slug: "my-cargo", by: world.administrator)
            return id
        }
    }

    private func attempt(_ action: SubmissionAction, on id: Int, by asker: Principal, _ world: World) async throws {
        switch action {
        case .edit:
            var patch = SubmissionFields()
            patch.name = "Renamed"
            _ = try await world.publishing.edit(id, patch, problems: [], by: asker)
        case .delete: try await world.publishing.delete(id, by: asker)
        case .submit: _ = try await world.publishing.transition(id, to: .pendingReview, by: asker)
        case .withdraw: _ = try await world.publishing.transition(id, to: .draft, by: asker)
        case .publish: _ = try await world.publishing.transition(id, to: .published, by: asker)
        case .resubmit: _ = try await world.publishing.resubmit(id, by: asker)
        case .approve: _ = try await world.review.approve(id, World.approval(), by: asker)
        case .reject: _ = try await world.review.reject(id, reason: "r", rule: "policy", by: asker)
        case .suspend: _ = try await world.moderation.suspend(["reason": "r"], slug: "my-cargo", by: asker)
        case .unsuspend: _ = try await world.moderation.unsuspend([:], slug: "my-cargo", by: asker)
        case .supersede: preconditionFailure("nobody asks for it")
        }
    }

    /// Who may not is told so whatever the state; who may is told by the state.
    private func expected(_ state: SubmissionState, _ action: SubmissionAction, _ asker: Asker) -> String {
        switch (action.doer, asker) {
        case (.publisher, .owner), (.reviewer, .reviewer), (.reviewer, .administrator):
            return state.allows(action) ? "no refusal" : "state_conflict"
        case (.publisher, .stranger): return "not_found"
        case (.publisher, .reviewer): return "missing_scope"
        case (.publisher, .administrator): return "not_owner"
        case (.reviewer, _), (.administrator, .owner), (.administrator, .stranger), (.administrator, .reviewer): return "missing_scope"
        case (.administrator, .administrator): return administrators(state, action)
        case (.network, _): return "impossible"
        }
    }

    /// Suspending goes by the Cargo's slug, so it meets the version that is in the registry.
    private func administrators(_ state: SubmissionState, _ action: SubmissionAction) -> String {
        switch state {
        case .draft, .pendingReview, .approved, .rejected: "not_found"
        case .published, .suspended: state.allows(action) ? "no refusal" : "state_conflict"
        case .superseded: SubmissionState.published.allows(action) ? "no refusal" : "state_conflict"
        }
    }

    @Test(arguments: pairs) func everyAskerGetsTheAnswerOfTheTable(state: SubmissionState, action: SubmissionAction) async throws {
        for asker in Asker.allCases {
            let world = try await World()
            let id = try await submission(in: state, world)
            let principals: [Asker: Principal] = [
                .owner: world.publisher, .stranger: world.consumer, .reviewer: world.reviewer, .administrator: world.administrator,
            ]
            let principal = try #require(principals[asker])
            let before = try await world.audit.verify(for: world.administrator).entries
            let answer = await refusal {
                try await attempt(action, on: id, by: principal, world)
                return true
            }
            #expect(answer == expected(state, action, asker), "\(asker) tries to \(action) what is \(state)")
            let entries = try await world.audit.verify(for: world.administrator).entries
            #expect((answer == "no refusal") == (entries > before), "an entry for every change, none for a refusal")
        }
    }

    @Test(arguments: SubmissionState.allCases) func aConflictNamesTheStateAndWhatIsAllowed(state: SubmissionState) async throws {
        let world = try await World()
        let id = try await submission(in: state, world)
        let error = await serviceError {
            try await world.publishing.transition(id, to: state == .draft ? .published : .pendingReview, by: world.publisher)
        }
        guard state != .draft || error != nil else { return }
        #expect(error?.code == "state_conflict")
        #expect(error?.context["state"]?.string == state.rawValue)
        #expect(error?.context["allowed_actions"]?.array?.compactMap(\.string) == state.allowedActions.map(\.rawValue))
    }

    @Test func aResubmissionCopiesTheFieldsAndNamesItsAncestor() async throws {
        let world = try await World()
        let id = try await submission(in: .rejected, world)
        let draft = try await world.publishing.resubmit(id, by: world.publisher)
        let rejected = try await world.publishing.submission(id, for: world.publisher)
        #expect(draft.state == .draft)
        #expect(draft.fields == rejected.fields)
        #expect(draft.row.resubmittedFrom == id)
        #expect(draft.row.rejectionReason == nil)
        #expect(rejected.state == .rejected)
        _ = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
    }

    @Test func aMovedTagIsNoticedOnceAndChangesNothing() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        while try await world.pipeline.scanNext() {}
        world.images.push("ghcr.io/archipelag-io/my-cargo:v1.0.0", content: "something else")
        for _ in 0..<2 {
            let dossier = try await world.review.dossier(of: submission.row.id, for: world.reviewer)
            #expect(dossier.submission.row.tagMovedTo == FakeImages.digest(of: "something else").description)
            #expect(dossier.submission.row.imageDigest == submission.row.imageDigest)
        }
        _ = try await world.review.approve(submission.row.id, World.approval(), by: world.reviewer)
        let published = try await world.publishing.transition(submission.row.id, to: .published, by: world.publisher)
        #expect(published.row.imageDigest == submission.row.imageDigest)
        let kinds = try await world.notifications.inbox(unreadOnly: false, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(kinds.filter { $0 == "submission.tag_moved" }.count == 1)
        let events = try await world.publishing.events(of: submission.row.id, for: world.publisher)
        #expect(events.filter { $0.action == "tag_moved" }.count == 1)
    }

    @Test func aSuspendedCargoIsShownButTakesNoJobs() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let running = try await world.submit("my-cargo")
        _ = try await world.moderation.suspend(["reason": "it lies"], slug: "my-cargo", by: world.administrator)
        #expect(await refusal { try await world.submit("my-cargo") } == "cargo_suspended")
        #expect(try await world.found().total == 0)
        #expect(try await world.registry.cargo(slug: "my-cargo", for: world.consumer).submission.state == .suspended)
        #expect(try await world.job(running.row.id).state == .pending)
        _ = try await world.moderation.unsuspend([:], slug: "my-cargo", by: world.administrator)
        _ = try await world.submit("my-cargo")
        #expect(try await world.found().total == 1)
        let told = try await world.notifications.inbox(unreadOnly: false, page: Page(limit: 2), for: world.publisher).listing.rows
        #expect(told.map(\.kind) == ["submission.unsuspended", "submission.suspended"])
        #expect(told.last?.message == "it lies")
    }

    @Test func theDossierHasEverything() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        world.scanner.find(.medium)
        var fields = world.fields("my-cargo", version: "v2.0.0")
        fields.pricePerJob = 9
        fields.requiredRAMMegabytes = 512
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        _ = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
        while try await world.pipeline.scanNext() {}
        world.clock.moveOn(by: .seconds(90))
        let dossier = try await world.review.dossier(of: draft.row.id, for: world.reviewer)
        #expect(dossier.waitingSeconds == 90)
        #expect(dossier.previous?.row.version == "v1.0.0")
        #expect(dossier.difference?.fields.map(\.name).sorted() == ["container_image", "price_per_job", "required_ram_mb"])
        #expect(dossier.difference?.addedFindings.count == 1)
        #expect(dossier.scan?.verdict == .flagged)
        #expect(dossier.activeCargos == 1)
        #expect(dossier.schemaProblems.isEmpty)
        let memory = ResourceReview.all(of: dossier.submission.fields).first { $0.name == "required_ram_mb" }
        #expect(memory == ResourceReview.all(of: fields).first)
        #expect(await refusal { try await world.review.dossier(of: draft.row.id, for: world.publisher) } == "missing_scope")
        #expect(await refusal { try await world.review.dossier(of: 999, for: world.reviewer) } == "not_found")
    }

    @Test func theQueueTellsHowLongItWaits() async throws {
        let world = try await World()
        for index in 1...3 {
            _ = try await world.submitted("cargo-\(index)")
            world.clock.moveOn(by: .seconds(10))
        }
        let queue = try await world.review.queue(page: Page(), for: world.reviewer)
        #expect(queue.listing.rows.map(\.waitingSeconds) == [30, 20, 10])
        #expect([queue.waiting.median, queue.waiting.ninetieth, queue.waiting.longest] == [20, 30, 30])
    }

    // MARK: Schemas

    @Test(arguments: [
        (#"{"type":"strin"}"#, "/input_schema/type"), (#"{"properties":{"a":{"minimum":"x"}}}"#, "/input_schema/properties/a/minimum"),
        (##"{"$ref":"#/nowhere"}"##, "/input_schema/$ref"), (#"{"pattern":"("}"#, "/input_schema/pattern"),
        (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "/input_schema/$schema"),
    ])
    func aSchemaThatCannotBeUsedIsRefusedWithItsPlace(text: String, pointer: String) async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.inputSchema = text
        let wrong = fields
        let error = await serviceError { try await world.publishing.create(wrong, problems: [], by: world.publisher) }
        #expect(error?.details.map(\.pointer) == [pointer])
    }

    @Test func anInputThatDoesNotFitIsRefusedBeforeAnythingIsStored() async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.inputSchema = #"{"type":"object","required":["prompt"],"properties":{"prompt":{"type":"string"},"n":{"maximum":3}}}"#
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        _ = try await world.publishing.transition(draft.row.id, to: .pendingReview, by: world.publisher)
        while try await world.pipeline.scanNext() {}
        _ = try await world.review.approve(draft.row.id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(draft.row.id, to: .published, by: world.publisher)
        let error = await serviceError { try await world.submit("my-cargo", input: ["n": 4]) }
        #expect(error?.details.map(\.pointer) == ["/input/prompt", "/input/n"])
        let late = try Jobs.Request(["workload": "my-cargo", "input": ["n": 4], "timeout_seconds": 301])
        let more = await serviceError { try await world.jobs.submit(late, by: world.consumer) }
        #expect(more?.details.map(\.pointer) == ["/input/prompt", "/input/n", "/timeout_seconds"])
        #expect(try await world.jobs.list(state: nil, page: Page(), for: world.consumer).total == 0)
        _ = try await world.submit("my-cargo", input: ["prompt": "x", "n": 3])
    }
}

import Domain
import JSON
import Scanning
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct ReviewTests {
    @Test func aCleanScanAndACompleteChecklistLeadToApproval() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        #expect(try await world.pipeline.scanNext())
        world.clock.moveOn(by: .seconds(60))
        let approved = try await world.review.approve(submission.row.id, World.approval(level: .untrusted, note: "fine"), by: world.reviewer)
        #expect(approved.state == .approved)
        #expect(approved.trustLevel == .untrusted)
        #expect(approved.row.reviewerID == world.reviewer.accountID)
        #expect(approved.row.reviewNote == "fine")
        #expect(approved.row.reviewedAt == World.start + 60_000)
    }

    @Test func theQueueHoldsWhatWaitsOldestFirstWithItsScan() async throws {
        let world = try await World()
        _ = try await world.draft("draft")
        let first = try await world.submitted("first")
        world.clock.moveOn(by: .seconds(1))
        let second = try await world.submitted("second")
        #expect(try await world.pipeline.scanNext())
        let queue = try await world.review.queue(page: Page(), for: world.reviewer).listing
        #expect(queue.total == 2)
        #expect(queue.rows.map(\.submission.row.id) == [first.row.id, second.row.id])
        #expect(queue.rows.map(\.scan?.state) == [.finished, .queued])
        let page = try await world.review.queue(page: Page(limit: 1, offset: 1), for: world.reviewer).listing
        #expect(page.rows.map(\.submission.row.id) == [second.row.id])
    }

    @Test func nobodyReviewsTheirOwnSubmission() async throws {
        let world = try await World()
        let own = try await world.submitted("my-cargo", by: Principal(accountID: world.reviewer.accountID, scopes: [.read, .write, .review]))
        #expect(try await world.pipeline.scanNext())
        for scopes in [[Scope.review], [.admin]] as [Set<Scope>] {
            let self1 = Principal(accountID: world.reviewer.accountID, scopes: scopes)
            #expect(await refusal { try await world.review.approve(own.row.id, World.approval(), by: self1) } == "own_submission")
            #expect(await refusal { try await world.review.reject(own.row.id, reason: "no", rule: "scan", by: self1) } == "own_submission")
        }
        #expect(try await world.publishing.submission(own.row.id, for: world.reviewer).state == .pendingReview)
    }

    @Test func anIncompleteChecklistAndAHigherLevelAreRefusedWithTheirPlaces() async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        let wish = World.approval(level: .verified, checked: [.scan, .schemas, .resources], acceptsMedium: true)
        let error = await serviceError { try await world.review.approve(id, wish, by: world.reviewer) }
        #expect(error?.code == "validation_failed")
        #expect(Set((error?.details ?? []).map(\.pointer)) == ["/checklist/metadata", "/checklist/policy", "/trust_level", "/note"])
        #expect(try await world.publishing.submission(id, for: world.publisher).state == .pendingReview)
    }

    @Test func beforeTheScanHasFinishedNothingIsApproved() async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        #expect(
            await refusal { try await world.review.approve(id, World.approval(acceptsMedium: true, note: "x"), by: world.reviewer) } == "scan_pending"
        )
    }

    @Test(arguments: [Severity.critical, .high])
    func criticalAndHighFindingsBlockAndAreListed(severity: Severity) async throws {
        let world = try await World()
        world.scanner.find(.low, severity, .medium)
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        let wish = World.approval(acceptsMedium: true, note: "I accept it")
        let error = await serviceError { try await world.review.approve(id, wish, by: world.reviewer) }
        #expect(error?.kind == .conflict)
        #expect(error?.code == "scan_blocked")
        let listed = error?.context["findings"]?.array?.compactMap { $0["severity"]?.string }
        #expect(listed == [severity.rawValue, "medium"])
        #expect(error?.details.count == 2)
    }

    @Test func mediumFindingsNeedAcceptanceWithANote() async throws {
        let world = try await World()
        world.scanner.find(.medium, .low)
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        let approve = { @Sendable (accepts: Bool, note: String) in
            await refusal { try await world.review.approve(id, World.approval(acceptsMedium: accepts, note: note), by: world.reviewer) }
        }
        #expect(await approve(false, "looked at") == "scan_flagged")
        #expect(await approve(true, "  ") == "validation_failed")
        #expect(await approve(true, "not reachable from the input") == "no refusal")
    }

    @Test(arguments: [Severity.low, .unknown])
    func lowAndUnknownFindingsDoNotBlock(severity: Severity) async throws {
        let world = try await World()
        world.scanner.find(severity)
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        #expect(try await world.review.approve(id, World.approval(), by: world.reviewer).state == .approved)
    }

    @Test func whatCouldNotBeScannedIsNeverApproved() async throws {
        let world = try await World()
        world.scanner.fail(.databaseMissing)
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        let error = await serviceError { try await world.review.approve(id, World.approval(acceptsMedium: true, note: "please"), by: world.reviewer) }
        #expect(error?.code == "could_not_scan")
        #expect(error?.message.contains("It failed.") == true)
    }

    @Test(arguments: ["wasm", "onnx", "coreml"])
    func whatNoScannerReadsIsNeverApproved(runtime: String) async throws {
        let world = try await World()
        var fields = world.fields("my-cargo")
        fields.runtimeType = runtime
        let draft = try await world.publishing.create(fields, problems: [], by: world.publisher)
        let id = draft.row.id
        _ = try await world.publishing.transition(id, to: .pendingReview, by: world.publisher)
        #expect(try await world.pipeline.scanNext())
        #expect(
            await refusal { try await world.review.approve(id, World.approval(acceptsMedium: true, note: "x"), by: world.reviewer) }
                == "not_scannable")
    }

    /// Withdrawn, pointed to another image and submitted again: the old digest's clean scan says nothing of the new one.
    @Test func aScanOfAnotherDigestDoesNotCount() async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        _ = try await world.publishing.transition(id, to: .draft, by: world.publisher)
        world.images.push("ghcr.io/archipelag-io/my-cargo:v1.0.0", content: "evil")
        _ = try await world.publishing.transition(id, to: .pendingReview, by: world.publisher)
        #expect(await refusal { try await world.review.approve(id, World.approval(), by: world.reviewer) } == "scan_pending")
    }

    @Test func aRejectionKeepsItsReasonAndRule() async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        let rejected = try await world.review.reject(id, reason: "The schema is empty.", rule: "schemas", by: world.reviewer)
        #expect(rejected.state == .rejected)
        #expect(rejected.row.rejectionReason == "The schema is empty.")
        #expect(rejected.row.rejectionRule == "schemas")
        #expect(try await world.publishing.events(of: id, for: world.publisher).last?.note == "The schema is empty.")
        #expect(try await world.pipeline.scanNext() == false)
        #expect(await refusal { try await world.publishing.transition(id, to: .pendingReview, by: world.publisher) } == "state_conflict")
    }

    @Test func onlyWhatWaitsIsReviewed() async throws {
        let world = try await World()
        let draft = try await world.draft("a-draft").row.id
        let approved = try await world.approved("approved").row.id
        let published = try await world.published("published").row.id
        for id in [draft, approved, published] {
            #expect(await refusal { try await world.review.approve(id, World.approval(), by: world.reviewer) } == "state_conflict")
            #expect(await refusal { try await world.review.reject(id, reason: "r", rule: "scan", by: world.reviewer) } == "state_conflict")
        }
        #expect(await refusal { try await world.review.approve(9999, World.approval(), by: world.reviewer) } == "not_found")
    }

    @Test func ofTwoReviewersAtOnceOneDecides() async throws {
        let world = try await World()
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        let other = try await world.reviewing("other")
        async let approval = refusal { try await world.review.approve(id, World.approval(), by: world.reviewer) }
        async let rejection = refusal { try await world.review.reject(id, reason: "r", rule: "scan", by: other) }
        #expect(Set([await approval, await rejection]) == ["no refusal", "state_conflict"])
    }
}

import Domain
import JSON
import Scanning
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// What publishers say of medium findings, and what counts of it.
@Suite(.timeLimit(.minutes(5))) struct JustificationsTests {
    private static func request(_ finding: String = "CVE-2026-0", package: String? = nil, days: Int = 180) -> JustificationRequest {
        JustificationRequest(
            finding: finding, package: package, status: .notAffected, reason: .vulnerableCodeNotInExecutePath, statement: "Nothing calls it.",
            validDays: days)
    }

    /// A submission with two medium findings and one low.
    private static func submitted(_ world: World) async throws -> Int {
        world.scanner.find(.medium, .medium, .low)
        let id = try await world.submitted("my-cargo").row.id
        #expect(try await world.pipeline.scanNext())
        return id
    }

    private static func approve(_ world: World, _ id: Int) async -> String {
        await refusal { try await world.review.approve(id, World.approval(), by: world.reviewer) }
    }

    @Test func anApprovalNeedsAWordOnEveryMediumFinding() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        #expect(await Self.approve(world, id) == "scan_flagged")
        _ = try await world.justifications.add(Self.request("CVE-2026-0"), to: id, by: world.publisher)
        let error = await serviceError { try await world.review.approve(id, World.approval(), by: world.reviewer) }
        #expect(error?.code == "scan_flagged")
        #expect(error?.context["findings"]?.array?.compactMap { $0["id"]?.string } == ["CVE-2026-1"])
        _ = try await world.justifications.add(Self.request("CVE-2026-1"), to: id, by: world.publisher)
        #expect(await Self.approve(world, id) == "no refusal")
        let rows = try await world.justifications.list(of: id, for: world.publisher)
        #expect(rows.map(\.countersignedBy) == [world.reviewer.accountID, world.reviewer.accountID], "to approve is to countersign")
    }

    /// A publisher who changes the words after the reviewer has read them gains nothing.
    @Test func aReviewerCanAgreeToWhatWasReadAndNothingElse() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        let rows = [
            try await world.justifications.add(Self.request("CVE-2026-0"), to: id, by: world.publisher),
            try await world.justifications.add(Self.request("CVE-2026-1"), to: id, by: world.publisher),
        ]
        #expect(try await world.review.dossier(of: id, for: world.reviewer).justifications.map(\.id) == rows.map(\.id))
        let read = Set(rows.map(\.id))
        let other = try await world.justifications.add(Self.request("CVE-2026-1"), to: id, by: world.publisher)
        let approve = { @Sendable (seen: Set<Int>) in
            await refusal { try await world.review.approve(id, World.approval(justifications: seen), by: world.reviewer) }
        }
        #expect(await approve(read) == "justifications_changed")
        #expect(await approve([rows[0].id]) == "justifications_changed")
        #expect(await approve([rows[0].id, other.id]) == "no refusal")
    }

    @Test func aChangedDocumentHasANewVersion() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        var versions: [Int] = []
        for _ in 0..<2 {
            let row = try await world.justifications.add(Self.request(), to: id, by: world.publisher)
            _ = try await world.justifications.countersign(row.id, of: id, by: world.reviewer)
            versions.append(try await world.justifications.openVEX(of: id, for: world.publisher)["version"]?.int ?? 0)
        }
        #expect(versions[0] < versions[1])
    }

    @Test func itIsExportedAsOpenVEXOnceCountersigned() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        let row = try await world.justifications.add(Self.request(), to: id, by: world.publisher)
        #expect(await refusal { try await world.justifications.openVEX(of: id, for: world.publisher) } == "no_statements")
        _ = try await world.justifications.countersign(row.id, of: id, by: world.reviewer)
        let document = try await world.justifications.openVEX(of: id, for: world.publisher)
        #expect(document["@context"] == "https://openvex.dev/ns/v0.2.0")
        let statement = try #require(document["statements"]?.array?.first)
        #expect(document["statements"]?.array?.count == 1)
        #expect(statement["vulnerability"]?["name"] == "CVE-2026-0")
        #expect(statement["status"] == "not_affected")
        #expect(statement["justification"] == "vulnerable_code_not_in_execute_path")
        #expect(statement["impact_statement"] == "Nothing calls it.")
        let product = statement["products"]?.array?.first?["@id"]?.string ?? ""
        #expect(product.hasPrefix("pkg:oci/my-cargo@sha256%3A") && product.hasSuffix("?repository_url=ghcr.io/archipelag-io/my-cargo"), "\(product)")
    }

    @Test func aMitigationIsAnActionStatement() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        let request = JustificationRequest(finding: "CVE-2026-0", package: nil, status: .affected, reason: nil, statement: "Input is bounded.")
        let row = try await world.justifications.add(request, to: id, by: world.publisher)
        _ = try await world.justifications.countersign(row.id, of: id, by: world.reviewer)
        let statement = try await world.justifications.openVEX(of: id, for: world.reviewer)["statements"]?.array?.first
        #expect(statement?["action_statement"] == "Input is bounded.")
        #expect(statement?["justification"] == nil)
    }

    @Test func itIsOverWhenItsTimeIs() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        for finding in ["CVE-2026-0", "CVE-2026-1"] {
            _ = try await world.justifications.add(Self.request(finding, days: 1), to: id, by: world.publisher)
        }
        world.clock.moveOn(by: .seconds(86_400))
        #expect(await Self.approve(world, id) == "scan_flagged")
    }

    /// Bound to one digest: another image under the same name starts with nothing said.
    @Test func itSpeaksOfOneDigestOnly() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        for finding in ["CVE-2026-0", "CVE-2026-1"] { _ = try await world.justifications.add(Self.request(finding), to: id, by: world.publisher) }
        _ = try await world.publishing.transition(id, to: .draft, by: world.publisher)
        world.images.push("ghcr.io/archipelag-io/my-cargo:v1.0.0", content: "another")
        _ = try await world.publishing.transition(id, to: .pendingReview, by: world.publisher)
        #expect(try await world.pipeline.scanNext())
        #expect(await Self.approve(world, id) == "scan_flagged")
    }

    @Test func itIsReopenedWhenTheSeverityRises() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        for finding in ["CVE-2026-0", "CVE-2026-1"] { _ = try await world.justifications.add(Self.request(finding), to: id, by: world.publisher) }
        _ = try await world.review.approve(id, World.approval(), by: world.reviewer)
        _ = try await world.publishing.transition(id, to: .published, by: world.publisher)
        world.scanner.find(.high, .medium, .low)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        while try await world.rescans.step() {}
        while try await world.pipeline.scanNext() {}
        let rows = try await world.justifications.list(of: id, for: world.publisher)
        #expect(rows.map(\.endedBecause) == ["severity_rose", nil])
        let kinds = try await world.notifications.inbox(unreadOnly: false, page: Page(), for: world.publisher).listing.rows.map(\.kind)
        #expect(kinds.contains("submission.justification_reopened"))
        #expect(try await world.justifications.openVEX(of: id, for: world.publisher)["statements"]?.array?.count == 1)
    }

    @Test func aNewOneReplacesTheOldAndOneCanBeTakenBack() async throws {
        let world = try await World()
        let id = try await Self.submitted(world)
        _ = try await world.justifications.add(Self.request(), to: id, by: world.publisher)
        let second = try await world.justifications.add(Self.request(), to: id, by: world.publisher)
        _ = try await world.justifications.withdraw(second.id, of: id, by: world.publisher)
        #expect(try await world.justifications.list(of: id, for: world.publisher).map(\.endedBecause) == ["replaced", "withdrawn"])
        #expect(await refusal { try await world.justifications.withdraw(second.id, of: id, by: world.publisher) } == "already_ended")
        #expect(await refusal { try await world.justifications.countersign(second.id, of: id, by: world.reviewer) } == "already_ended")
    }

    @Test func whatCannotBeJustifiedIsRefusedWithItsPlace() async throws {
        let world = try await World()
        world.scanner.answer { _ in
            .success(
                [("CVE-1", "a", Severity.high), ("CVE-2", "b", .medium), ("CVE-2", "c", .medium)].map {
                    Finding(id: $0.0, package: $0.1, version: "1", fixedVersion: nil, severity: $0.2, packageURL: nil, scanners: ["trivy"])
                })
        }
        let draft = try await world.draft("my-cargo").row.id
        let add = { @Sendable (request: JustificationRequest, principal: Principal) in
            await serviceError { try await world.justifications.add(request, to: draft, by: principal) }
        }
        #expect(await add(Self.request("CVE-2"), world.publisher)?.code == "not_scanned")
        _ = try await world.publishing.transition(draft, to: .pendingReview, by: world.publisher)
        #expect(try await world.pipeline.scanNext())
        #expect(await add(Self.request("CVE-9"), world.publisher)?.details.map(\.pointer) == ["/finding"])
        #expect(await add(Self.request("CVE-1"), world.publisher)?.details.map(\.pointer) == ["/finding"], "a high finding must be fixed")
        #expect(await add(Self.request("CVE-2"), world.publisher)?.details.map(\.pointer) == ["/package"], "two packages have it")
        #expect(await add(Self.request("CVE-2", package: "d"), world.publisher)?.details.map(\.pointer) == ["/package"])
        #expect(await add(Self.request("CVE-2", package: "b", days: 366), world.publisher)?.details.map(\.pointer) == ["/valid_days"])
        #expect(await add(Self.request("CVE-2", package: "b"), try await world.person("stranger"))?.code == "not_found")
        #expect(await add(Self.request("CVE-2", package: "b"), world.publisher) == nil)
    }

    @Test func nobodyCountersignsTheirOwn() async throws {
        let world = try await World()
        let both = Principal(accountID: world.reviewer.accountID, scopes: [.read, .write, .review])
        world.scanner.find(.medium)
        let id = try await world.submitted("my-cargo", by: both).row.id
        #expect(try await world.pipeline.scanNext())
        let row = try await world.justifications.add(Self.request(), to: id, by: both)
        #expect(await refusal { try await world.justifications.countersign(row.id, of: id, by: both) } == "own_submission")
        #expect(await refusal { try await world.justifications.countersign(row.id, of: id, by: world.publisher) } == "missing_scope")
        #expect(await refusal { try await world.justifications.countersign(99, of: id, by: world.reviewer) } == "own_submission")
    }
}

import Domain
import JSON
import OCI
import Scanning
import Storage
import TestSupport
import Testing

@testable import Coordinator

/// What a verdict takes into account beside the findings: the age of databases, what scanners saw, what they disagree on.
@Suite(.timeLimit(.minutes(5))) struct ImageJudgeTests {
    private static func finding(_ severity: Severity, by scanner: String, id: String = "CVE-1") -> Finding {
        Finding(
            id: id, package: "zlib", version: "1", fixedVersion: nil, severity: severity, packageURL: "pkg:deb/debian/zlib@1", scanners: [scanner])
    }

    private static func scan(_ world: World, _ pipeline: ScanPipeline) async throws -> Scan {
        let submission = try await world.submitted("my-cargo")
        #expect(try await pipeline.scanNext())
        return try await ScanPipelineTests.scan(world, submission)
    }

    @Test func twoScannersAreMergedAndTheirDisagreementIsListed() async throws {
        let world = try await World()
        let (trivy, grype) = (FakeScanner(), FakeScanner(name: "grype"))
        trivy.answer { _ in .success([Self.finding(.medium, by: "trivy"), Self.finding(.low, by: "trivy", id: "CVE-2")]) }
        grype.answer { _ in .success([Self.finding(.high, by: "grype"), Self.finding(.low, by: "grype", id: "CVE-2")]) }
        let scan = try await Self.scan(world, world.pipeline(trivy, grype))
        #expect(scan.verdict == .blocked)
        #expect(scan.findings.map(\.id) == ["CVE-1", "CVE-2"])
        #expect(scan.findings[0].ratings == ["trivy": .medium, "grype": .high])
        #expect(scan.disputed.map(\.id) == ["CVE-1"])
        #expect(scan.scanners == ["grype", "trivy"])
    }

    /// Both look at the database's date, whichever scanner it is that has an old one.
    @Test(arguments: [
        ("2025-12-28T00:00:00Z", nil), ("2025-12-27T00:00:00Z", "warn"), ("2025-12-18T00:00:01Z", "warn"), ("2025-12-18T00:00:00Z", "refuse"),
    ])
    func anOldDatabaseWarnsAndThenRefuses(builtAt: String, what: String?) async throws {
        let world = try await World()
        let scan = try await Self.scan(
            world, world.pipeline(FakeScanner(builtAt: "2026-01-01T00:00:00Z"), FakeScanner(name: "grype", builtAt: builtAt)))
        switch what {
        case "refuse":
            #expect(scan.state == .couldNotScan)
            #expect(scan.failure?["code"] == "database_stale")
            #expect(scan.failure?["message"]?.string?.contains("grype is 14 days old") == true, "\(scan.failure?.text ?? "")")
        case "warn": #expect(scan.warnings.contains { $0.contains("grype is") })
        default: #expect(scan.state == .finished && scan.warnings.isEmpty, "\(scan.warnings)")
        }
    }

    @Test func aDatabaseWithoutAReadableDateIsNotTrusted() async throws {
        let world = try await World()
        let scan = try await Self.scan(world, world.pipeline(FakeScanner(builtAt: "recently")))
        #expect(scan.state == .couldNotScan)
        #expect(scan.failure?["code"] == "unreadable_report")
    }

    /// A program that says "clean" to everything names no package, or too few.
    @Test(arguments: [(0, 0, "var/lib/rpm/Packages"), (0, 8, "var/lib/dpkg/status"), (7, 8, "var/lib/dpkg/status")])
    func aScannerThatSawLessThanTheImagesOwnListHasNotScanned(seen: Int, listed: Int, list: String) async throws {
        let world = try await World()
        world.layouts.leave { ($0.systemPackages, $0.list) = (listed, list) }
        let scan = try await Self.scan(world, world.pipeline(FakeScanner(packages: seen)))
        #expect(scan.state == .couldNotScan)
        #expect(scan.failure?["code"] == "blind_report")
    }

    @Test func asManyAsTheListHasAreEnough() async throws {
        let world = try await World()
        world.layouts.leave { ($0.systemPackages, $0.list) = (8, "var/lib/dpkg/status") }
        #expect(try await Self.scan(world, world.pipeline(FakeScanner(packages: 8))).verdict == .clean)
    }

    @Test func aListBehindALinkIsNoList() async throws {
        let world = try await World()
        world.layouts.leave { $0.hidden = "var/lib/dpkg" }
        let scan = try await Self.scan(world, world.pipeline(FakeScanner(packages: 8)))
        #expect(scan.failure?["code"] == "blind_report")
        #expect(scan.failure?["message"]?.string?.contains("var/lib/dpkg") == true)
    }

    @Test func withoutAnyListItIsAWarningToTheReviewer() async throws {
        let world = try await World()
        let scan = try await Self.scan(world, world.pipeline(FakeScanner(packages: 0)))
        #expect(scan.verdict == .clean)
        #expect(scan.warnings.count == 1 && scan.warnings[0].contains("No package was found"), "\(scan.warnings)")
    }

    @Test func aBillThatCannotBeMadeIsNoScan() async throws {
        let world = try await World()
        world.billing.fail(.scannerMissing)
        #expect(try await Self.scan(world, world.pipeline).failure?["code"] == "scanner_missing")
    }

    @Test func aScannersOwnWordsAreKeptForWhoeverMendsIt() async throws {
        let world = try await World()
        world.scanner.answer { _ in .failure(ScanFailure(.unknownFailure, message: "It failed.", remedy: "See.", detail: "panic: x")) }
        #expect(try await Self.scan(world, world.pipeline).failure?["detail"] == "panic: x")
    }

    @Test func reportsAndBillsAreKeptAndAttachedToTheImage() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        #expect(try await world.pipeline.scanNext())
        let id = submission.row.id
        for (kind, type) in [(DocumentKind.cyclonedx, "application/vnd.cyclonedx+json"), (.spdx, "application/spdx+json")] {
            let content = try await world.scanDocuments.document(kind, of: id, platform: nil, for: world.publisher)
            #expect(content.mediaType == type)
            #expect(String(decoding: content.bytes, as: UTF8.self) == "{\"format\":\"\(kind.rawValue)\",\"of\":\"linux/amd64\"}")
        }
        let report = try await world.scanDocuments.document(.report, of: id, source: "trivy", platform: "linux/amd64", for: world.reviewer)
        #expect(String(decoding: report.bytes, as: UTF8.self) == "{\"scanner\":\"trivy\"}")
        #expect(report.fileName == "my-cargo-v1.0.0-linux-amd64.trivy.report.json")
        #expect(world.images.attached.count == 2)
        let scan = try await ScanPipelineTests.scan(world, submission)
        #expect(scan.billReferrers?["attached"]?.array?.count == 2)
        #expect(scan.billReferrers?["refused"] == .null)
    }

    /// What somebody else has attached is never taken for ours.
    @Test func onlyWhatEarlierScansAttachedIsOurOwn() async throws {
        let world = try await World()
        let submission = try await world.published("my-cargo")
        #expect(world.images.ownAtAttaching == [[], []])
        let scan = try await ScanPipelineTests.scan(world, submission)
        let own = Set(try (scan.billReferrers?["attached"]?.array ?? []).compactMap { try $0["digest"]?.string.map(Digest.init) })
        #expect(own.count == 2)
        _ = try await world.rescans.rescanNow(slug: nil, by: world.administrator)
        while try await world.rescans.step() {}
        #expect(try await world.pipeline.scanNext())
        #expect(world.images.ownAtAttaching.suffix(2) == [own, own])
    }

    @Test func aRegistryThatTakesNoBillsChangesNothing() async throws {
        let world = try await World()
        world.images.refuseAttaching(OCIError(.forbidden, "read only"))
        let scan = try await Self.scan(world, world.pipeline)
        #expect(scan.verdict == .clean)
        #expect(scan.billReferrers?["refused"] == "read only")
    }

    @Test func whoMayNotSeeTheSubmissionSeesNoDocument() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let read = { @Sendable (principal: Principal, kind: DocumentKind, source: String?, platform: String?) in
            await refusal { try await world.scanDocuments.document(kind, of: submission.row.id, source: source, platform: platform, for: principal) }
        }
        #expect(await read(world.publisher, .spdx, nil, nil) == "no_document")
        world.images.offer([.linuxAMD64, .linuxARM64])
        #expect(try await world.pipeline.scanNext())
        #expect(await read(try await world.person("stranger"), .spdx, nil, nil) == "not_found")
        #expect(await read(world.publisher, .spdx, nil, nil) == "validation_failed", "two platforms: one must be named")
        #expect(await read(world.publisher, .spdx, nil, "linux/arm64/v8") == "no refusal")
        #expect(await read(world.publisher, .spdx, nil, "linux/riscv64") == "no_document")
        #expect(await read(world.publisher, .report, "grype", "linux/amd64") == "no_document")
    }
}

import Domain
import Fabric
import JSON
import OCI
import Scanning
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct ScanPipelineTests {
    static func scan(_ world: World, _ submission: Submission) async throws -> Scan {
        guard let scan = try await world.publishing.scan(of: submission.row.id, for: world.publisher) else { throw ServiceError.notFound("scan") }
        return scan
    }

    @Test(arguments: [
        ([Severity](), "clean"), ([.low, .unknown], "clean"), ([.medium], "flagged"), ([.high], "blocked"), ([.medium, .critical], "blocked"),
    ])
    func aFinishedScanHasTheVerdictOfItsFindings(severities: [Severity], verdict: String) async throws {
        let world = try await World()
        let findings = severities.enumerated().map { index, severity in
            Finding(id: "CVE-\(index)", package: "p", version: "1", fixedVersion: nil, severity: severity, packageURL: nil, scanners: ["trivy"])
        }
        world.scanner.answer { _ in .success(findings) }
        let submission = try await world.submitted("my-cargo")
        #expect(try await world.pipeline.scanNext())
        let scan = try await Self.scan(world, submission)
        #expect(scan.state == .finished)
        #expect(scan.verdict?.rawValue == verdict)
        #expect(scan.findings.map(\.severity) == severities.sorted(by: >))
        #expect(scan.reports.map { $0["scanner"]?.string } == ["trivy"])
        #expect(world.layouts.kept == [])
        #expect(try await world.pipeline.scanNext() == false)
    }

    @Test func everyPlatformOfAnIndexIsScannedAndTheWorstCounts() async throws {
        let world = try await World()
        world.images.offer([.linuxAMD64, .linuxARM64])
        world.scanner.answer { subject in
            let severity = subject.platform.contains("arm64") ? Severity.high : .low
            return .success([
                Finding(id: "CVE-1", package: "p", version: "1", fixedVersion: nil, severity: severity, packageURL: nil, scanners: ["trivy"])
            ])
        }
        let submission = try await world.submitted("my-cargo")
        #expect(try await world.pipeline.scanNext())
        #expect(world.scanner.subjects.map(\.platform) == ["linux/amd64", "linux/arm64/v8"])
        let scan = try await Self.scan(world, submission)
        #expect(scan.verdict == .blocked)
        #expect(scan.findings.count == 1)
        #expect(try await world.publishing.submission(submission.row.id, for: world.publisher).row.platforms == "linux/amd64 linux/arm64/v8")
        #expect(world.layouts.made == 2)
    }

    @Test func everyScannerMustHaveRun() async throws {
        let world = try await World()
        let second = FakeScanner()
        second.fail(.scannerMissing)
        let pipeline = world.pipeline(world.scanner, second)
        let submission = try await world.submitted("my-cargo")
        #expect(try await pipeline.scanNext())
        let scan = try await Self.scan(world, submission)
        #expect(scan.state == .couldNotScan)
        #expect(scan.verdict == nil)
        #expect(scan.failure?["code"] == "scanner_missing")
        #expect(scan.failure?["remedy"] == "Mend it.")
        #expect(world.layouts.kept == [])
    }

    /// 15 s, 1 min, 5 min, then every hour; success ends it.
    @Test func whatCouldNotBeScannedIsTriedAgainLaterAndLater() async throws {
        let world = try await World()
        world.scanner.fail(.databaseUnreachable)
        let submission = try await world.submitted("my-cargo")
        for delay in [15, 60, 300, 3600, 3600] {
            #expect(try await world.pipeline.scanNext())
            let scan = try await Self.scan(world, submission)
            #expect(scan.state == .couldNotScan)
            #expect(scan.nextTryAt?.milliseconds == world.now + delay * 1000)
            world.clock.moveOn(by: .milliseconds(delay * 1000 - 1))
            #expect(try await world.pipeline.scanNext() == false)
            world.clock.moveOn(by: .milliseconds(1))
        }
        world.scanner.find()
        #expect(try await world.pipeline.scanNext())
        #expect(try await Self.scan(world, submission).verdict == .clean)
        world.clock.moveOn(by: .seconds(100_000))
        #expect(try await world.pipeline.scanNext() == false)
    }

    @Test(arguments: [
        (OCIError.Code.registryUnavailable, true), (.rateLimited, true), (.storageFailure, true), (.notFound, false), (.digestMismatch, false),
        (.diffIDMismatch, false), (.hostileLayer, false), (.limitExceeded, false), (.malformedDocument, false),
    ])
    func anImageThatCannotBeFetchedIsNotScannedAndOnlyTriedAgainWhereThatMayHelp(code: OCIError.Code, isTriedAgain: Bool) async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        world.images.failFetching(OCIError(code, "said so"))
        #expect(try await world.pipeline.scanNext())
        let scan = try await Self.scan(world, submission)
        #expect(scan.state == .couldNotScan)
        #expect(scan.failure?["code"]?.string == code.rawValue)
        #expect((scan.nextTryAt != nil) == isTriedAgain)
        #expect(world.scanner.subjects == [])
    }

    @Test func anArtifactThatIsNoImageIsNotScannableAndNeverTriedAgain() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        world.images.failFetching(OCIError(.unsupportedMediaType, "an artifact"))
        #expect(try await world.pipeline.scanNext())
        #expect(try await Self.scan(world, submission).state == .notScannable)
        world.clock.moveOn(by: .seconds(100_000))
        #expect(try await world.pipeline.scanNext() == false)
    }

    @Test func anIndexWithoutImagesIsNotScannable() async throws {
        let world = try await World()
        world.images.offer([])
        let submission = try await world.submitted("my-cargo")
        #expect(try await world.pipeline.scanNext())
        let scan = try await Self.scan(world, submission)
        #expect(scan.state == .notScannable)
        #expect(scan.verdict == nil)
    }

    @Test func theResultOfASubmissionThatWasWithdrawnMeanwhileCountsForNothing() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let (id, publishing, publisher) = (submission.row.id, world.publishing, world.publisher)
        world.scanner.answer { _ in
            _ = try? await publishing.transition(id, to: .draft, by: publisher)
            return .failure(ScanFailure(.timedOut, message: "late", remedy: ""))
        }
        #expect(try await world.pipeline.scanNext())
        #expect(try await Self.scan(world, submission).nextTryAt == nil)
        world.clock.moveOn(by: .seconds(100_000))
        #expect(try await world.pipeline.scanNext() == false)
        let draft = try await publishing.submission(id, for: publisher)
        #expect(draft.state == .draft)
        #expect(draft.row.platforms == "")
    }

    @Test func theResultOfASubmissionThatWasDeletedMeanwhileHarmsNothing() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let (id, publishing, publisher) = (submission.row.id, world.publishing, world.publisher)
        world.scanner.answer { _ in
            _ = try? await publishing.transition(id, to: .draft, by: publisher)
            try? await publishing.delete(id, by: publisher)
            return .success([])
        }
        #expect(try await world.pipeline.scanNext())
        #expect(await refusal { try await publishing.submission(id, for: publisher) } == "not_found")
    }

    @Test func theScanThatWaitsLongestIsTakenFirst() async throws {
        let world = try await World()
        for slug in ["one", "two", "three"] {
            _ = try await world.submitted(slug)
            world.clock.moveOn(by: .seconds(1))
        }
        while try await world.pipeline.scanNext() {}
        let expected = ["one", "two", "three"].map { "config \(FakeImages.digest(of: "ghcr.io/archipelag-io/\($0):v1.0.0")) linux/amd64" }
        #expect(world.scanner.subjects.map(\.imageID) == expected.map { FakeImages.digest(of: $0).description })
    }

    @Test func aScanThatAStoppedProcessLeftRunningIsTakenUpAgain() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        let now = world.now
        #expect(try await world.database.write { try $0.takeDueScan(at: now) } != nil)
        #expect(try await Self.scan(world, submission).state == .running)
        #expect(try await world.pipeline.scanNext() == false)
        let (calls, called) = AsyncStream.makeStream(of: Void.self)
        world.scanner.answer { _ in
            called.yield()
            return .failure(ScanFailure(.timedOut, message: "", remedy: ""))
        }
        try await world.beside({ try await world.pipeline.run() }) {
            for await _ in calls { break }
            await world.clock.untilSomebodySleeps()
        }
        #expect(try await Self.scan(world, submission).state == .couldNotScan)
    }

    @Test func aRunningPipelineScansWhatIsSubmittedAndRetriesOnTime() async throws {
        let world = try await World()
        let (calls, called) = AsyncStream.makeStream(of: Void.self)
        world.scanner.answer { _ in
            called.yield()
            return .failure(ScanFailure(.databaseUnreachable, message: "", remedy: ""))
        }
        try await world.beside({ try await world.pipeline.run() }) {
            _ = try await world.submitted("my-cargo")
            var calls = calls.makeAsyncIterator()
            _ = await calls.next()
            await world.clock.untilSomebodySleeps()
            #expect(world.clock.nextWakeUp == .seconds(15))
            world.clock.moveOn(by: .seconds(15))
            _ = await calls.next()
            await world.clock.untilSomebodySleeps()
            #expect(world.scanner.subjects.count == 2)
        }
    }

    /// An AsyncStream ends for good when a task that waits on it is cancelled. A pipeline that forgets this spins after
    /// its first retry: it waits on a stream that is over.
    @Test func aPipelineStillListensAfterARetryWasDue() async throws {
        let world = try await World()
        let (calls, called) = AsyncStream.makeStream(of: Void.self)
        world.scanner.answer { _ in
            called.yield()
            return .failure(ScanFailure(.databaseUnreachable, message: "", remedy: ""))
        }
        try await world.beside({ try await world.pipeline.run() }) {
            _ = try await world.submitted("my-cargo")
            var calls = calls.makeAsyncIterator()
            for delay in [15, 60] {
                _ = await calls.next()
                await world.clock.untilSomebodySleeps()
                world.clock.moveOn(by: .seconds(delay))
            }
            _ = await calls.next()
            await world.clock.untilSomebodySleeps()
            #expect(world.bus.listenerCount == 1)
        }
        #expect(world.bus.listenerCount == 0)
    }
}

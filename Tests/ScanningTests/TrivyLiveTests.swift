import Domain
import Foundation
import Testing

@testable import Scanning

/// The real Trivy over real images, offline.
@Suite(.enabled(if: ScanFixtures.trivy != nil, "skipped: no Trivy on PATH or in .tools/bin; run scripts/setup.sh"))
struct TrivyLiveTests {
    /// Variables of this process that would hide findings if they reached Trivy; set for every test here.
    private static let hostileEnvironment: Void = {
        for (name, value) in [
            "TRIVY_SEVERITY": "LOW", "TRIVY_IGNORE_UNFIXED": "true", "TRIVY_PKG_TYPES": "library", "TRIVY_SKIP_DIRS": "**",
            "TRIVY_FORMAT": "table", "TRIVY_CACHE_DIR": "/nothing", "TRIVY_SERVER": "http://127.0.0.1:1",
        ] { setenv(name, value, 1) }
    }()

    private func scanner(_ folder: TemporaryFolder, cache: String = ScanFixtures.cache) throws -> TrivyScanner {
        Self.hostileEnvironment
        return TrivyScanner(
            configuration: TrivyConfiguration(executable: try #require(ScanFixtures.trivy), cacheFolder: cache),
            cage: PlainCage(folder: folder))
    }

    @Test(arguments: TrivyReportParserTests.images)
    func findsWhatIsExpected(name: String) async throws {
        let folder = try TemporaryFolder()
        let expected = try #require(ScanFixtures.expected.images[name])
        let subject = try folder.subject(name)
        let report = try await scanner(folder).scan(subject)
        #expect(report.imageID == subject.imageID)
        #expect(report.databaseUpdatedAt == "2026-11-01T00:00:00Z")
        #expect(report.rows == Set(expected.findings))
        #expect(counts(report.findings) == expected.counts)
        #expect(report.packageCount == expected.packages)
        #expect(report.operatingSystem?.family == expected.os?.Family)
        #expect(report.operatingSystem?.name == expected.os?.Name)
    }

    @Test func filesLyingAroundAreNotObeyed() async throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("vulnerable")
        for place in ["", "vulnerable"] {
            try folder.write("CVE-2020-14343\nCVE-2023-38545\n", to: "\(place)/.trivyignore")
            try folder.write("severity: [LOW]\nexit-code: 0\nvulnerability:\n  ignore-unfixed: true\n", to: "\(place)/trivy.yaml")
        }
        let report = try await scanner(folder).scan(subject)
        #expect(report.findings.count == 19)
    }

    @Test func aFolderWithAColonAndAnAtSignIsNotTakenForATag() async throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("vulnerable")
        let odd = folder.path("it's odd:tag@sha256:0")
        try FileManager.default.moveItem(atPath: subject.layoutFolder, toPath: odd)
        let report = try await scanner(folder).scan(
            ScanSubject(layoutFolder: odd, imageID: subject.imageID, platform: subject.platform))
        #expect(report.findings.count == 19)
    }

    @Test func theCacheMayBeReadOnlyAndStaysAsItIs() async throws {
        let folder = try TemporaryFolder()
        let cache = try folder.cache()
        let before = try FileManager.default.subpathsOfDirectory(atPath: cache).sorted()
        for path in before + [""] {
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: cache + "/" + path)
        }
        _ = try await scanner(folder, cache: cache).scan(try folder.subject("vulnerable"))
        #expect(try FileManager.default.subpathsOfDirectory(atPath: cache).sorted() == before)
    }

    @Test func anotherPlatformIsAnotherImage() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder)
        let subject = try folder.subject("clean", platform: "linux/arm64")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .wrongImage)
    }

    @Test func anotherImageIDIsAnotherImage() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder)
        let layout = try folder.image("clean")
        let subject = ScanSubject(layoutFolder: layout, imageID: "sha256:" + String(repeating: "a", count: 64), platform: "linux/amd64")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .wrongImage)
    }

    @Test(arguments: [
        ("bad/missing-layer", ScanFailure.Code.imageDamaged), ("bad/truncated-layer", .imageDamaged), ("bad/two-images", .imageAmbiguous),
        ("bad/multi-platform", .imageAmbiguous),
    ])
    func badImagesAreRefused(name: String, code: ScanFailure.Code) async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder)
        let subject = try folder.subject(name)
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == code)
    }

    /// Trivy does not check digests and diff ids. This test says so, lest anybody relies on the scan for that: the content
    /// store has to refuse such images before.
    @Test(arguments: ["bad/altered-layer", "bad/lying-diff-ids"])
    func wrongDigestsAreNotNoticedHere(name: String) async throws {
        let folder = try TemporaryFolder()
        let report = try await scanner(folder).scan(try folder.subject(name))
        #expect(report.findings.count < 19)
    }

    @Test(arguments: [
        ("hello", "db/trivy.db", ScanFailure.Code.databaseDamaged), ("", "db/trivy.db", .databaseDamaged),
        ("", "db/metadata.json", .databaseDamaged), ("hello", "java-db/trivy-java.db", .databaseDamaged),
    ])
    func damagedDatabasesAreRefused(content: String, file: String, code: ScanFailure.Code) async throws {
        let folder = try TemporaryFolder()
        let cache = try folder.cache()
        try folder.write(content, to: "cache/" + file)
        let scanner = try scanner(folder, cache: cache)
        let subject = try folder.subject("vulnerable")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == code)
    }

    @Test func aDatabaseCutShortIsRefused() async throws {
        let folder = try TemporaryFolder()
        let cache = try folder.cache()
        let file = URL(filePath: cache + "/db/trivy.db")
        try Data(contentsOf: file).prefix(30_000).write(to: file)
        let scanner = try scanner(folder, cache: cache)
        let subject = try folder.subject("vulnerable")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .databaseDamaged)
    }

    @Test func onlyAnImageWithAJarNeedsTheJavaDatabase() async throws {
        let folder = try TemporaryFolder()
        let cache = try folder.cache()
        try FileManager.default.removeItem(atPath: cache + "/java-db")
        let scanner = try scanner(folder, cache: cache)
        let java = try folder.subject("java")
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(java) }
        #expect(failure.code == .javaDatabaseMissing)
        #expect(failure.remedy.hasPrefix("trivy image --download-java-db-only"))
        #expect(try await scanner.scan(try folder.subject("vulnerable")).findings.count == 19)
    }

    @Test func manyScansAtOnceDoNotDisturbEachOther() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder)
        let subjects = try ["clean", "vulnerable", "medium-low", "alpine-eol"].map { try folder.subject($0) }
        try await withThrowingTaskGroup(of: (String, Int).self) { group in
            for subject in subjects { group.addTask { (subject.layoutFolder, try await scanner.scan(subject).findings.count) } }
            for try await (layout, count) in group {
                #expect(count == ScanFixtures.expected.images[(layout as NSString).lastPathComponent]?.findings.count)
            }
        }
    }
}

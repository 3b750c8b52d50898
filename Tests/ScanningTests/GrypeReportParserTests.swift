import Domain
import Foundation
import Testing

@testable import Scanning

@Suite struct GrypeReportParserTests {
    private func parse(_ path: String) throws -> GrypeReportParser.Content {
        try GrypeReportParser().parse(try ScanFixtures.bytes("golden/grype/\(path).json"))
    }

    /// Reports of real runs, of Grype's own tests, and of the stand-in: how many findings, and when the database was built.
    @Test(
        arguments: [
            ("real/grype-0.28.0-debian", 6, "2021-12-24T08:14:02Z"), ("real/grype-0.7.0-busybox-clean", 0, nil),
            ("real/grype-0.94.0-busybox", 15, "2025-06-19T04:12:38Z"), ("real/grype-0.96.0-redhat-java", 35, "2024-02-22T01:23:26Z"),
            ("snapshot/directory", 2, nil), ("snapshot/empty", 0, nil), ("snapshot/image", 2, nil),
            ("standin/alpine-eol", 6, "2026-11-01T00:00:00Z"), ("standin/clean", 0, "2026-11-01T00:00:00Z"),
            ("standin/debian-patched", 0, "2026-11-01T00:00:00Z"), ("standin/java", 1, "2026-11-01T00:00:00Z"),
            ("standin/medium-low", 4, "2026-11-01T00:00:00Z"), ("standin/unknown-only", 1, "2026-11-01T00:00:00Z"),
            ("standin/vulnerable", 19, "2026-11-01T00:00:00Z"), ("standin/vulnerable.by-cve", 19, "2026-11-01T00:00:00Z"),
        ] as [(String, Int, String?)])
    func everyGoldenReportIsRead(path: String, count: Int, builtAt: String?) throws {
        let content = try parse(path)
        #expect(content.findings.count == count)
        #expect(content.databaseBuiltAt == builtAt)
        #expect(content.findings.allSatisfy { $0.scanners == ["grype"] && !$0.id.isEmpty })
    }

    @Test func aSeverityThatIsAbsentIsUnknown() throws {
        let content = try parse("real/grype-0.96.0-redhat-java")
        #expect(content.findings.filter { $0.severity == .unknown }.count == 1)
    }

    @Test(
        arguments: [
            ("Critical", .critical), ("HIGH", .high), ("medium", .medium), ("Low", .low), ("Negligible", .low), ("Unknown", .unknown), ("", .unknown),
            (nil, .unknown),
        ] as [(String?, Severity)])
    func severitiesAreMapped(word: String?, severity: Severity) throws { #expect(try GrypeReportParser.severity(word) == severity) }

    @Test(arguments: ["Important", "crítical", "critical ", "9.8"]) func aSeverityThatIsNotGrypesCouldMeanTheWorst(word: String) {
        #expect { try GrypeReportParser.severity(word) } throws: { ($0 as? ScanFailure)?.code == .unreadableReport }
    }

    @Test func aLanguageFindingIsNamedByItsCVE() throws {
        let log4j = try #require(try parse("standin/java").findings.first)
        #expect(log4j.id == "CVE-2021-44228")
        #expect(log4j.aliases == ["GHSA-jfh8-c2jp-5v3q"])
        // With and without --by-cve the same advisories are named.
        func names(_ content: GrypeReportParser.Content) -> [String] { content.findings.map { "\($0.id) \($0.package)" }.sorted() }
        #expect(try names(parse("standin/vulnerable")) == names(parse("standin/vulnerable.by-cve")))
    }

    /// What both scanners say of one image is one finding each; they differ in what Debian calls unimportant alone.
    @Test func findingsOfBothScannersMeet() throws {
        let grype = try parse("standin/vulnerable").findings
        let trivy = try TrivyReportParser().parse(
            try ScanFixtures.bytes("golden/trivy/vulnerable.json"), databaseUpdatedAt: "2026-11-01T00:00:00Z"
        ).findings
        let merged = FindingMerge.merged(grype + trivy)
        #expect(merged.count == 19)
        #expect(merged.allSatisfy { $0.scanners == ["grype", "trivy"] })
        #expect(counts(merged) == ScanFixtures.expected.images["vulnerable"]?.counts)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "{\"matches\":[]}", "{\"matches\":[],\"descriptor\":{\"name\":\"trivy\"}}",
        "{\"matches\":{},\"descriptor\":{\"name\":\"grype\"}}", "{\"matches\":[{}],\"descriptor\":{\"name\":\"grype\"}}",
        "{\"matches\":[{\"vulnerability\":{\"id\":\"\"},\"artifact\":{\"name\":\"x\"}}],\"descriptor\":{\"name\":\"grype\"}}",
        "{\"matches\":[{\"vulnerability\":{\"id\":\"CVE-1\"},\"artifact\":{\"name\":\"\"}}],\"descriptor\":{\"name\":\"grype\"}}",
        "{\"matches\":[],\"descriptor\":{\"name\":\"grype\",\"db\":{\"status\":{\"valid\":false}}}}",
    ])
    func whatIsNoReportIsRefused(text: String) {
        #expect { try GrypeReportParser().parse(Array(text.utf8)) } throws: { ($0 as? ScanFailure)?.code == .unreadableReport }
    }

    @Test func aReportBeyondABoundIsRefusedWhole() throws {
        let bytes = try ScanFixtures.bytes("golden/grype/standin/vulnerable.json")
        for parser in [GrypeReportParser(reportBytesMax: bytes.count - 1), GrypeReportParser(findingsMax: 18)] {
            #expect { try parser.parse(bytes) } throws: { ($0 as? ScanFailure)?.code == .unreadableReport }
        }
        #expect(try GrypeReportParser(reportBytesMax: bytes.count, findingsMax: 19).parse(bytes).findings.count == 19)
    }
}

/// The scanner around prepared answers.
@Suite struct GrypeScannerTests {
    private func scanner(_ end: ScannerEnd) -> GrypeScanner {
        GrypeScanner(configuration: GrypeConfiguration(executable: "/bin/sh", databaseFolder: nil), cage: ScriptedCage { _ in end })
    }

    private func printing(_ golden: String) throws -> GrypeScanner {
        scanner(.exited(code: 0, output: try ScanFixtures.bytes("golden/grype/\(golden).json"), error: ""))
    }

    @Test(arguments: ["vulnerable", "clean", "medium-low", "java", "unknown-only", "alpine-eol", "debian-patched"])
    func aReportOnTheRightImageIsTaken(name: String) async throws {
        let folder = try TemporaryFolder()
        let report = try await printing("standin/" + name).scan(try folder.subject(name))
        #expect(report.scanner == "grype")
        #expect(report.findings.count == ScanFixtures.expected.images[name]?.findings.count)
        #expect(report.databaseUpdatedAt == "2026-11-01T00:00:00Z")
        #expect(report.packageCount == nil)
    }

    @Test(arguments: [
        ("standin/clean", ScanFailure.Code.wrongImage), ("real/grype-0.94.0-busybox", .wrongImage), ("snapshot/directory", .unreadableReport),
        ("snapshot/empty", .unreadableReport), ("real/grype-0.7.0-busybox-clean", .unreadableReport),
    ])
    func aReportOnSomethingElseIsRefused(golden: String, code: ScanFailure.Code) async throws {
        let folder = try TemporaryFolder()
        let (scanner, subject) = (try printing(golden), try folder.subject("vulnerable"))
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == code)
    }

    @Test(arguments: [
        ("failed to load vulnerability db: database does not exist", ScanFailure.Code.databaseMissing, "grype db update"),
        ("the vulnerability database was built 2 weeks ago (max allowed age is 5 days)", .databaseStale, "grype db update"),
        ("bad db checksum", .databaseDamaged, "grype db delete"), ("failed to load vulnerability db: x", .databaseDamaged, "grype db status"),
        ("failed to catalog: unable to load image", .imageDamaged, "Push"), ("unknown flag: --by-cve", .scannerUnusable, "Install Grype"),
        ("write: no space left on device", .workFolderUnusable, "memory"), ("anything else", .unknownFailure, "log"), ("", .unknownFailure, "log"),
    ])
    func everyErrorNamesItsRemedy(text: String, code: ScanFailure.Code, remedy: String) async throws {
        let folder = try TemporaryFolder()
        let (scanner, subject) = (scanner(.exited(code: 1, output: [], error: text)), try folder.subject("clean"))
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
        #expect(failure.code == code)
        #expect(failure.remedy.contains(remedy))
    }

    @Test func itSeesNothingButWhatItNeeds() async throws {
        let folder = try TemporaryFolder()
        let golden = try ScanFixtures.bytes("golden/grype/standin/clean.json")
        let places = ScannerProgram.Places(image: "/image", databases: "/databases", home: "/tmp")
        let subject = try folder.subject("clean")
        let cage = ScriptedCage { program in
            #expect(program.arguments(places) == ["oci-dir:/image", "-o", "json", "--by-cve", "-q"])
            let environment = program.environment(places)
            #expect(environment["GRYPE_DB_AUTO_UPDATE"] == "false" && environment["GRYPE_CHECK_FOR_APP_UPDATE"] == "false")
            #expect(environment["GRYPE_DB_CACHE_DIR"] == "/databases")
            #expect(program.image == subject.layoutFolder && program.databases == "/var/lib/grype")
            return .exited(code: 0, output: golden, error: "")
        }
        let scanner = GrypeScanner(configuration: GrypeConfiguration(executable: "/bin/sh", databaseFolder: "/var/lib/grype"), cage: cage)
        #expect(try await scanner.scan(subject).findings.isEmpty)
    }
}

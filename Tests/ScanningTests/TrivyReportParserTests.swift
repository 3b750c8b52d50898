import Domain
import Foundation
import TestSupport
import Testing

@testable import Scanning

@Suite struct TrivyReportParserTests {
    private let date = "2026-11-01T00:00:00Z"
    static let images = ["clean", "debian-patched", "vulnerable", "medium-low", "unknown-only", "alpine-eol", "java"]

    @Test(arguments: images + ["vulnerable.from-registry"])
    func readsTheGoldenReport(name: String) throws {
        let expected = try #require(ScanFixtures.expected.images[String(name.prefix { $0 != "." })])
        let bytes = try ScanFixtures.bytes("golden/trivy/\(name).json")
        let report = try TrivyReportParser().parse(bytes, databaseUpdatedAt: date)
        #expect(report.scanner == "trivy")
        #expect(report.scannerVersion == "0.76.0")
        #expect(report.databaseUpdatedAt == date)
        #expect(report.platform == "linux/amd64")
        #expect(report.packageCount == expected.packages)
        #expect(report.findings.count == expected.findings.count)
        #expect(report.rows == Set(expected.findings))
        #expect(counts(report.findings) == expected.counts)
        #expect((ScanVerdict(findings: report.findings) == .blocked) == expected.blocks)
        #expect(report.operatingSystem?.family == expected.os?.Family)
        #expect(report.operatingSystem?.name == expected.os?.Name)
        #expect(report.operatingSystem?.isEndOfLife == expected.os?.EOSL)
        #expect(report.raw == bytes)
        #expect(report.findings.allSatisfy { $0.scanners == ["trivy"] && $0.packageURL?.hasPrefix("pkg:") == true })
    }

    @Test(
        arguments: [
            ("CRITICAL", Severity.critical), ("HIGH", .high), ("MEDIUM", .medium), ("LOW", .low), ("UNKNOWN", .unknown),
            ("low", .low), ("", .unknown), (nil, .unknown),
        ] as [(String?, Severity)])
    func severitiesAreThoseOfTrivy(word: String?, severity: Severity) throws {
        #expect(try TrivyReportParser.severity(word) == severity)
    }

    @Test(arguments: ["NEGLIGIBLE", "IMPORTANT", "CRITICAL ", "10"]) func anotherWordMakesTheReportUnreadable(word: String) {
        #expect { try TrivyReportParser.severity(word) } throws: { ($0 as? ScanFailure)?.code == .unreadableReport }
    }

    private static let identity = #""ImageID":"sha256:\#(String(repeating: "a", count: 64))""#
    private static func report(
        schema: String = "2", type: String = "container_image", trivy: String = #"{"Version":"0.76.0"}"#, metadata: String = identity,
        results: String = "null"
    ) -> [UInt8] {
        Array(
            #"{"SchemaVersion":\#(schema),"Trivy":\#(trivy),"ArtifactType":"\#(type)","Metadata":{\#(metadata)},"Results":\#(results)}"#.utf8)
    }

    @Test(arguments: [
        report(), report(results: "[]"), report(results: "[{}]"), report(results: #"[{"Vulnerabilities":null,"Packages":null}]"#),
    ])
    func whatTrivyLeavesOutIsNormal(bytes: [UInt8]) throws {
        let report = try TrivyReportParser().parse(bytes, databaseUpdatedAt: date)
        #expect(report.findings.isEmpty && report.packageCount == 0 && report.operatingSystem == nil && report.platform == nil)
    }

    @Test(
        arguments: [
            [], Array("null".utf8), Array("[]".utf8), Array("{}".utf8), Array("not json".utf8), [0xFF, 0xFE, 0x00],
            report() + Array("x".utf8),
            report(schema: "1"), report(schema: "3"), report(schema: #""2""#), report(type: "filesystem"), report(trivy: "{}"),
            report(metadata: ""), report(metadata: #""ImageID":"sha256:abc""#), report(metadata: #""ImageID":null"#),
            report(results: "{}"), report(results: "[1]"), report(results: #"[{"Vulnerabilities":{}}]"#),
            report(results: #"[{"Vulnerabilities":[{}]}]"#), report(results: #"[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1"}]}]"#),
            report(results: #"[{"Vulnerabilities":[{"VulnerabilityID":"","PkgName":"p"}]}]"#),
            report(results: #"[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":""}]}]"#),
            report(results: #"[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"p","Severity":4}]}]"#),
            report(results: String(repeating: "[", count: 100_000)),
        ] as [[UInt8]])
    func anythingElseIsUnreadable(bytes: [UInt8]) async throws {
        let failure = try await failure { () throws(ScanFailure) in try TrivyReportParser().parse(bytes, databaseUpdatedAt: date) }
        #expect(failure.code == .unreadableReport)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func theReportIsBoundedInBytes(difference: Int, isRead: Bool) throws {
        let bytes = try ScanFixtures.bytes("golden/trivy/vulnerable.json")
        let parser = TrivyReportParser(reportBytesMax: bytes.count + difference)
        let report = try? parser.parse(bytes, databaseUpdatedAt: date)
        #expect((report != nil) == isRead)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func theReportIsBoundedInFindings(difference: Int, isRead: Bool) throws {
        let bytes = try ScanFixtures.bytes("golden/trivy/vulnerable.json")
        let report = try? TrivyReportParser(findingsMax: 19 + difference).parse(bytes, databaseUpdatedAt: date)
        #expect((report != nil) == isRead)
    }

    @Test func aReportCutAnywhereIsUnreadable() throws {
        let bytes = try ScanFixtures.bytes("golden/trivy/java.json")
        let whole = bytes.lastIndex(of: 0x7D) ?? 0
        for length in stride(from: 0, through: whole, by: 13) {
            #expect(throws: ScanFailure.self, "cut after \(length) bytes") {
                try TrivyReportParser().parse(Array(bytes[..<length]), databaseUpdatedAt: date)
            }
        }
    }

    @Test func changedBytesNeverAddAnotherImage() throws {
        let original = try ScanFixtures.bytes("golden/trivy/java.json")
        let seed: UInt64 = 0x5CA1_AB1E
        var generator = SplitMix64(state: seed)
        for round in 0..<300 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do {
                let report = try TrivyReportParser().parse(bytes, databaseUpdatedAt: date)
                #expect(report.findings.allSatisfy { !$0.id.isEmpty && !$0.package.isEmpty }, "seed \(seed), round \(round)")
            } catch {
                #expect(error.code == .unreadableReport, "seed \(seed), round \(round)")
            }
        }
    }
}

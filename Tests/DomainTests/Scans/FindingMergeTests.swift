import Domain
import TestSupport
import Testing

@Suite struct FindingMergeTests {
    static func finding(
        _ id: String, _ package: String = "zlib", _ version: String = "1.0", _ severity: Severity = .low, fixed: String? = nil, url: String? = nil,
        by scanners: [String] = ["trivy"]
    ) -> Finding {
        Finding(id: id, package: package, version: version, fixedVersion: fixed, severity: severity, packageURL: url, scanners: scanners)
    }

    @Test func nothingGivesNothing() {
        #expect(FindingMerge.merged([]) == [])
    }

    @Test func theSameAdvisoryOfTwoScannersIsOneFindingWithTheHigherSeverity() {
        let merged = FindingMerge.merged([
            Self.finding("CVE-1", severityOrder: .medium, by: ["grype"]), Self.finding("CVE-1", severityOrder: .high, by: ["trivy"]),
        ])
        #expect(merged.map(\.severity) == [.high])
        #expect(merged.first?.ratings == ["grype": .medium, "trivy": .high])
    }

    static func finding(_ id: String, severityOrder: Severity, by scanners: [String]) -> Finding {
        finding(id, "zlib", "1.0", severityOrder, by: scanners)
    }

    @Test func theSameScannerIsNamedOnce() {
        let merged = FindingMerge.merged([Self.finding("CVE-1"), Self.finding("CVE-1"), Self.finding("CVE-1")])
        #expect(merged == [Self.finding("CVE-1")])
    }

    @Test func whatOneScannerKnowsFillsWhatTheOtherDoesNot() {
        let merged = FindingMerge.merged([
            Self.finding("CVE-1", by: ["a"]), Self.finding("CVE-1", fixed: "1.1", url: "pkg:deb/zlib@1.0", by: ["b"]),
        ])
        #expect(merged == [Self.finding("CVE-1", fixed: "1.1", url: "pkg:deb/zlib@1.0", by: ["a", "b"])])
    }

    @Test func otherPackagesAndVersionsStayFindingsOfTheirOwn() {
        let merged = FindingMerge.merged([
            Self.finding("CVE-1", "zlib", "1.0"), Self.finding("CVE-1", "zlib", "1.1"), Self.finding("CVE-1", "libz", "1.0"),
            Self.finding("CVE-2", "zlib", "1.0"),
        ])
        #expect(merged.count == 4)
    }

    @Test func theWorstComesFirstThenByName() {
        let merged = FindingMerge.merged([
            Self.finding("CVE-3", "b", "1", .low), Self.finding("CVE-9", "a", "1", .critical), Self.finding("CVE-1", "a", "1", .unknown),
            Self.finding("CVE-3", "a", "1", .low), Self.finding("CVE-2", "a", "1", .critical), Self.finding("CVE-5", "a", "1", .medium),
        ])
        #expect(merged.map { "\($0.id) \($0.package)" } == ["CVE-2 a", "CVE-9 a", "CVE-5 a", "CVE-3 a", "CVE-3 b", "CVE-1 a"])
    }

    @Test func mergingTwiceChangesNothingAndTheOrderDoesNotMatter() {
        var random = SplitMix64(state: 7)
        let findings = (0..<200).map { _ in
            Self.finding(
                "CVE-\(Int.random(in: 0..<20, using: &random))", "p\(Int.random(in: 0..<3, using: &random))", "1",
                Severity.allCases.randomElement(using: &random) ?? .low, by: [["grype", "trivy"].randomElement(using: &random) ?? ""])
        }
        let merged = FindingMerge.merged(findings)
        #expect(FindingMerge.merged(merged) == merged)
        #expect(FindingMerge.merged(findings.shuffled(using: &random)) == merged)
    }
}

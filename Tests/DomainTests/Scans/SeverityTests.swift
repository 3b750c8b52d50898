import Domain
import Testing

@Suite struct SeverityTests {
    /// The product documentation, "Automated Scanning".
    @Test(arguments: [
        ("critical", Severity.Impact.blocks), ("high", .blocks), ("medium", .needsJustification), ("low", .informs), ("unknown", .informs),
    ])
    func hasTheDocumentedImpact(name: String, impact: Severity.Impact) throws {
        #expect(try #require(Severity(rawValue: name)).impact == impact)
    }

    @Test func aWorseSeverityIsGreater() {
        #expect(Severity.allCases.sorted().map(\.rawValue) == ["unknown", "low", "medium", "high", "critical"])
    }

    static func finding(_ severity: Severity) -> Finding {
        Finding(id: "CVE-2024-1", package: "zlib", version: "1", fixedVersion: nil, severity: severity, packageURL: nil, scanners: ["trivy"])
    }

    @Test(
        arguments: [
            ([], "clean"), ([.low], "clean"), ([.unknown], "clean"), ([.low, .unknown, .low], "clean"), ([.medium], "flagged"),
            ([.low, .medium], "flagged"),
            ([.high], "blocked"), ([.critical], "blocked"), ([.medium, .high], "blocked"), ([.critical, .low], "blocked"),
            ([.low, .medium, .critical], "blocked"),
        ] as [([Severity], String)])
    func theVerdictIsThatOfTheWorstFinding(severities: [Severity], verdict: String) {
        #expect(ScanVerdict(findings: severities.map(Self.finding)).rawValue == verdict)
        #expect(ScanVerdict(findings: severities.reversed().map(Self.finding)).rawValue == verdict)
    }

    @Test(arguments: [("queued", true), ("running", true), ("finished", false), ("could_not_scan", false), ("not_scannable", false)])
    func onlyQueuedAndRunningScansArePending(name: String, isPending: Bool) throws {
        #expect(try #require(ScanState(rawValue: name)).isPending == isPending)
    }

    @Test func countsAreOfEachSeverity() {
        let counts = SeverityCounts(of: [.high, .low, .high, .unknown].map(Self.finding))
        #expect(Severity.allCases.map { counts[$0] } == [0, 2, 0, 1, 1])
    }
}

import Domain
import Foundation
import Testing

@testable import Scanning

@Suite(.timeLimit(.minutes(5))) struct SBOMTests {
    @Test(arguments: [
        (SBOMFormat.cyclonedx, #"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#, true), (.spdx, #"{"spdxVersion":"SPDX-2.3"}"#, true),
        (.cyclonedx, #"{"spdxVersion":"SPDX-2.3"}"#, false), (.spdx, #"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#, false),
        (.cyclonedx, #"{"bomFormat":"CycloneDX"}"#, false), (.spdx, #"{"spdxVersion":"2.3"}"#, false), (.spdx, "", false), (.cyclonedx, "[]", false),
    ])
    func aDocumentMustSayThatItIsOne(format: SBOMFormat, text: String, isOne: Bool) {
        let document = try? SBOMDocument(Array(text.utf8), format: format, generator: "x")
        #expect((document != nil) == isOne)
    }

    @Test(arguments: SBOMFormat.allCases) func trivyListsThePackagesOfAnImage(format: SBOMFormat) async throws {
        guard let trivy = ScanFixtures.trivy else { return print("skipped: no Trivy; run scripts/setup.sh") }
        let folder = try TemporaryFolder()
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(executable: trivy, cacheFolder: ScanFixtures.cache), cage: PlainCage(folder: folder))
        let document = try await scanner.makeSBOM(of: try folder.subject("vulnerable"), format: format)
        let text = String(decoding: document.bytes, as: UTF8.self)
        for package in ["libssl3", "Flask", "zlib1g"] { #expect(text.contains(package)) }
    }

    @Test func syftsRefusalsAreFailures() async throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("clean")
        func generator(_ script: String) throws -> SyftGenerator {
            try folder.write("#!/bin/sh\n\(script)\n", to: "syft", executable: true)
            return SyftGenerator(executable: folder.path("syft"), cage: PlainCage(folder: folder))
        }
        let good = try generator(#"[ "$3" = oci-dir:../image ] && [ "$5" = spdx-json ] && echo '{"spdxVersion":"SPDX-2.3"}'"#)
        #expect(try await good.makeSBOM(of: subject, format: .spdx).generator == "syft")
        let failing = try generator("echo 'ERROR no' >&2; exit 1")
        #expect(try await failure { () throws(ScanFailure) in try await failing.makeSBOM(of: subject, format: .spdx) }.code == .unknownFailure)
        let lying = try generator("echo '{}'")
        #expect(try await failure { () throws(ScanFailure) in try await lying.makeSBOM(of: subject, format: .spdx) }.code == .unreadableReport)
        let missing = SyftGenerator(executable: folder.path("none"), cage: PlainCage(folder: folder))
        #expect(try await failure { () throws(ScanFailure) in try await missing.makeSBOM(of: subject, format: .spdx) }.code == .scannerMissing)
    }
}

@Suite struct ScannerTimeTests {
    /// Checked with GNU date: `date -u -d TEXT +%s`.
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-01T00:00:00Z", 1_793_491_200), ("2024-02-29T23:59:59.999999999Z", 1_709_251_199),
        ("2000-03-01T00:00:00+02:00", 951_861_600), ("1999-12-31T23:30:00-00:30", 946_684_800), ("0001-01-01T00:00:00Z", -62_135_596_800),
    ])
    func aTimeIsSecondsSince1970(text: String, seconds: Int) { #expect(RFC3339.seconds(text) == seconds) }

    @Test(arguments: ["", "2026-11-01", "2026-11-01 00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-01T00:00:00", "built yesterday"])
    func anythingElseIsNone(text: String) { #expect(RFC3339.seconds(text) == nil) }
}

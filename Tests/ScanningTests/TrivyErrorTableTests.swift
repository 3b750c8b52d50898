import Foundation
import Testing

@testable import Scanning

@Suite struct TrivyErrorTableTests {
    struct Golden: Decodable {
        let cases: [Case]
        struct Case: Decodable, Sendable, CustomTestStringConvertible {
            let `case`: String
            let exit: Int32
            let stderr: String

            var testDescription: String { `case` }
        }
    }

    /// What each case of the real program means; `nil` where it ended with 0.
    static let meanings: [String: ScanFailure.Code?] = [
        "ok": nil, "findings-exit-code": .unknownFailure, "eol-exit-code": .unknownFailure,
        "no-db": .databaseMissing, "no-db-no-network": .databaseUnreachable, "db-metadata-missing": .databaseMissing,
        "db-schema-old": .databaseOutdated, "db-schema-new": .scannerTooOld, "db-garbage": .databaseDamaged,
        "db-truncated": .databaseDamaged, "db-empty-file": .databaseDamaged, "no-java-db": .javaDatabaseMissing, "db-stale": nil,
        "image-missing": .imageDamaged, "image-oci-archive": .imageDamaged, "image-empty-dir": .imageDamaged,
        "image-garbage": .imageDamaged, "image-layer-missing": .imageDamaged, "image-layer-truncated": .imageDamaged,
        "image-layer-altered": nil, "image-manifest-missing": .imageDamaged, "image-config-missing": .imageDamaged,
        "image-index-broken": .imageDamaged, "timeout": .timedOut, "max-image-size": .imageTooLarge, "bad-flag": .scannerUnusable,
        "registry-tag-unknown": .registryImageUnknown, "registry-repo-unknown": .registryImageUnknown,
        "registry-refused": .registryUnreachable, "registry-host-unknown": .registryUnreachable,
        "registry-no-credentials": .registryUnauthorized, "registry-bad-credentials": .registryUnauthorized,
        "registry-good-credentials": nil, "bad-reference": .referenceMalformed, "cache-locked": .cacheBusy, "server-ok": nil,
        "server-bad-token": .serverUnavailable, "server-down": .serverUnavailable,
    ]

    // swift-format-ignore: NeverUseForceTry
    static let cases: [Golden.Case] = try! JSONDecoder().decode(
        Golden.self, from: Data(contentsOf: ScanFixtures.root.appending(path: "golden/trivy-errors.json"))
    ).cases

    @Test func everyCaseHasAMeaning() {
        #expect(Set(Self.cases.map(\.case)) == Set(Self.meanings.keys))
        #expect(Self.cases.count == 38)
    }

    @Test(arguments: cases)
    func readsTheRealProgramsErrors(golden: Golden.Case) throws {
        let failure = TrivyErrorTable().failure(exitCode: golden.exit, standardError: golden.stderr)
        #expect(failure?.code == (try #require(Self.meanings[golden.case])))
        #expect((failure == nil) == (golden.exit == 0))
        guard let failure else { return }
        #expect(!failure.message.isEmpty && !failure.remedy.isEmpty)
        #expect(!failure.message.contains("/") && !failure.message.contains("\n"))
        #expect((failure.detail ?? "").unicodeScalars.allSatisfy { $0.value >= 0x20 })
        #expect((failure.detail ?? "").unicodeScalars.count <= 401)
    }

    @Test(arguments: [
        ("no-db", "trivy image --download-db-only"), ("no-java-db", "trivy image --download-java-db-only"),
        ("db-garbage", "trivy clean --vuln-db && trivy image --download-db-only"), ("db-schema-old", "trivy image --download-db-only"),
    ])
    func theRemedyIsTheCommandThatMendsIt(name: String, remedy: String) throws {
        let golden = try #require(Self.cases.first { $0.case == name })
        #expect(TrivyErrorTable().failure(exitCode: golden.exit, standardError: golden.stderr)?.remedy == remedy)
    }

    @Test func theRemedyNamesTheConfiguredCache() {
        let failure = TrivyErrorTable(cacheFolder: "/it's here").failure(
            exitCode: 1, standardError: "t\tFATAL\tFatal error\t--skip-db-update cannot be specified on the first run")
        #expect(failure?.remedy == #"trivy image --download-db-only --cache-dir '/it'\''s here'"#)
    }

    @Test(arguments: ["", "help\nhelp", "\tFATAL\t", "t\tFATAL\tsomething new", "panic: of another kind\n\ngoroutine 1"])
    func whatNobodyKnowsIsAFailureAllTheSame(text: String) {
        for code: Int32 in [1, 2, 10, 255] {
            #expect(TrivyErrorTable().failure(exitCode: code, standardError: text)?.code == .unknownFailure)
        }
    }

    @Test func aFullDiskIsNotADamagedImage() {
        let text = "t\tFATAL\tFatal error\tfailed to analyze layer (sha256:1): write /tmp/x: no space left on device"
        let failure = TrivyErrorTable().failure(exitCode: 1, standardError: text)
        #expect(failure?.code == .workFolderUnusable)
        #expect(failure?.retryable == true)
    }

    @Test func linesBeforeTheFatalOneDoNotDecide() {
        let text = "t\tWARN\tpackage \"old DB schema\"\nt\tFATAL\tFatal error\tcontext deadline exceeded"
        #expect(TrivyErrorTable().failure(exitCode: 1, standardError: text)?.code == .timedOut)
    }

    @Test func aHelpTextIsCutFromWhatIsStored() {
        let help = String(repeating: "  --flag   what it does\n", count: 2000)
        let failure = TrivyErrorTable().failure(exitCode: 1, standardError: help + "\nt\tFATAL\tFatal error\tunknown flag: --x")
        #expect(failure?.detail == "Fatal error unknown flag: --x")
        let alone = TrivyErrorTable().failure(exitCode: 1, standardError: help)
        #expect((alone?.detail?.count ?? 0) <= 401)
    }
}

import Foundation
import Synchronization
import Testing

@testable import Scanning

/// The scanner around a stand-in for Trivy: a script that does what a real program might.
@Suite struct TrivyScannerTests {
    private static let version = #"[ "$1" = version ] && { echo '{"Version":"0.76.0"}'; exit 0; }"#

    private func scanner(_ folder: TemporaryFolder, _ script: String, reportBytesMax: Int = 1_000_000) throws -> TrivyScanner {
        try folder.write("#!/bin/sh\n\(script)\n", to: "trivy", executable: true)
        return TrivyScanner(
            configuration: TrivyConfiguration(
                executable: folder.path("trivy"), cacheFolder: ScanFixtures.cache, timeout: .seconds(20), reportBytesMax: reportBytesMax),
            cage: PlainCage(folder: folder))
    }

    private func scanner(_ end: ScannerEnd) -> TrivyScanner {
        TrivyScanner(
            configuration: TrivyConfiguration(executable: "/bin/sh", cacheFolder: ScanFixtures.cache),
            cage: ScriptedCage { program in
                program.image == nil ? .exited(code: 0, output: Array(#"{"Version":"0.76.0"}"#.utf8), error: "") : end
            })
    }

    private func golden(_ name: String) -> String { ScanFixtures.root.appending(path: "golden/trivy/\(name).json").path }

    @Test func startsWithAnEmptyFolderAndItsOwnEnvironment() async throws {
        let folder = try TemporaryFolder()
        setenv("TRIVY_SEVERITY", "LOW", 1)
        let scanner = try scanner(
            folder,
            """
            \(Self.version)
            { echo "$@"; } > \(folder.path("arguments")); /usr/bin/env > \(folder.path("environment"))
            /bin/ls -A > \(folder.path("files")); /bin/cat \(golden("vulnerable"))
            """)
        let report = try await scanner.scan(try folder.subject("vulnerable"))
        #expect(report.findings.count == 19)
        #expect(try String(contentsOfFile: folder.path("files"), encoding: .utf8).isEmpty)
        let names = try String(contentsOfFile: folder.path("environment"), encoding: .utf8).split(separator: "\n")
            .map { $0.prefix { $0 != "=" } }
        #expect(Set(names).subtracting(["PWD", "_", "SHLVL", "OLDPWD"]) == ["HOME", "TMPDIR", "LC_ALL"])
        #expect(
            try String(contentsOfFile: folder.path("arguments"), encoding: .utf8)
                == "image --cache-dir \(ScanFixtures.cache) --cache-backend memory --skip-db-update --skip-java-db-update --offline-scan"
                + " --skip-version-check --disable-telemetry --config  --ignorefile  --quiet --timeout 20000ms"
                + " --scanners vuln --format json --input ../image\n")
    }

    @Test func aReportAboutAnotherImageIsRefused() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n/bin/cat \(golden("clean"))")
        let subject = try folder.subject("vulnerable")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .wrongImage)
    }

    @Test(arguments: ["0.75.0", "0.69.4", "dev"])
    func aRefusedVersionNeverSeesTheImage(version: String) async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(
            folder, #"[ "$1" = version ] && { echo '{"Version":"\#(version)"}'; exit 0; }; : > \#(folder.path("seen"))"#)
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .scannerRefusedVersion)
        #expect(!FileManager.default.fileExists(atPath: folder.path("seen")))
    }

    @Test(arguments: [
        ("exit 0", ScanFailure.Code.unreadableReport),  // no report
        ("echo '{}'", .unreadableReport), ("/bin/cat /etc/passwd", .unreadableReport),
        ("/usr/bin/head -c 1000001 /dev/zero", .unreadableReport),  // floods standard output
        ("/usr/bin/head -c 3000000 /dev/zero >&2; exit 1", .unknownFailure),  // floods standard error
        ("kill -9 $$", .unknownFailure), ("exit 1", .unknownFailure), ("exit 3", .unknownFailure),
    ])
    func whateverElseHappensIsAFailure(script: String, code: ScanFailure.Code) async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n\(script)")
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == code)
    }

    @Test func aGoodReportWithABadExitCodeIsAFailure() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n/bin/cat \(golden("clean")); exit 1")
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .unknownFailure)
    }

    @Test(arguments: [
        (ScannerEnd.timedOut, ScanFailure.Code.timedOut, true), (.cancelled, .cancelled, true), (.outOfMemory, .scannerOutOfMemory, true),
        (.forbiddenCall(name: "ptrace"), .unknownFailure, false), (.signalled(11, error: ""), .unknownFailure, true),
        (.outputTooLarge, .unreadableReport, false), (.notStarted("no such file"), .scannerUnusable, false),
        (.noCage(problem: "no runc.", remedy: "apt-get install runc"), .cageUnavailable, false), (.lost("?"), .unknownFailure, true),
    ])
    func everyWayToEndInTheCageIsAFailure(end: ScannerEnd, code: ScanFailure.Code, retryable: Bool) async throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("clean")
        let scanner = scanner(end)
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
        #expect(failure.code == code)
        #expect(failure.retryable == retryable)
        #expect(!failure.remedy.isEmpty)
    }

    @Test func theVersionIsAskedAgainOnlyWhenTheProgramChanges() async throws {
        let folder = try TemporaryFolder()
        let counting = #"[ "$1" = version ] && { echo x >> \#(folder.path("asked")); echo '{"Version":"0.76.0"}'; exit 0; }"#
        let scanner = try scanner(folder, "\(counting)\n/bin/cat \(golden("clean"))")
        let subject = try folder.subject("clean")
        for _ in 0..<3 { _ = try await scanner.scan(subject) }
        #expect(try String(contentsOfFile: folder.path("asked"), encoding: .utf8) == "x\n")
        try folder.write("#!/bin/sh\n\(counting)\n/bin/cat \(golden("clean")) #\n", to: "trivy", executable: true)
        _ = try await scanner.scan(subject)
        #expect(try String(contentsOfFile: folder.path("asked"), encoding: .utf8) == "x\nx\n")
    }

    @Test(arguments: ["trivy", "", "/nothing/trivy", "/etc/passwd", "/tmp"])
    func aMissingProgramIsNamed(executable: String) async throws {
        let folder = try TemporaryFolder()
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(executable: executable, cacheFolder: ScanFixtures.cache), cage: PlainCage(folder: folder))
        let subject = try folder.subject("clean")
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
        #expect(failure.code == .scannerMissing)
        #expect(failure.remedy.contains("trivy image --download-db-only"))
    }

    @Test func aMissingDatabaseIsFoundBeforeTheProgramIsStarted() async throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\n: > \(folder.path("seen"))\n", to: "trivy", executable: true)
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(
                executable: folder.path("trivy"), cacheFolder: folder.path("none")), cage: PlainCage(folder: folder))
        let subject = try folder.subject("clean")
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
        #expect(failure.code == .databaseMissing)
        #expect(failure.remedy == "trivy image --download-db-only --cache-dir '\(folder.path("none"))'")
        #expect(!FileManager.default.fileExists(atPath: folder.path("seen")))
    }

    @Test func aProgramForAnotherMachineCannotBeStarted() async throws {
        let folder = try TemporaryFolder()
        try folder.write("\u{7F}ELF nothing", to: "trivy", executable: true)
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(
                executable: folder.path("trivy"), cacheFolder: ScanFixtures.cache), cage: PlainCage(folder: folder))
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .scannerUnusable)
    }
}

/// Asking a program for its version, by several at once.
@Suite(.timeLimit(.minutes(5))) struct AcceptedVersionsTests {
    private final class Count: Sendable {
        private let value = Mutex(0)

        func next() -> Int {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }

    @Test func ofManyAtOnceOneAsks() async throws {
        let versions = AcceptedVersions()
        let asked = Count()
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await versions.version(of: "/bin/sh") { () async throws(ScanFailure) -> String in
                        for _ in 0..<50 { await Task.yield() }
                        return "1.\(asked.next())"
                    }
                }
            }
            for try await version in group { #expect(version == "1.1") }
        }
        #expect(asked.next() == 2)
    }

    @Test func afterAFailureTheNextAsks() async throws {
        let versions = AcceptedVersions()
        let failing = try await failure { () throws(ScanFailure) in
            try await versions.version(of: "/bin/sh") { () async throws(ScanFailure) -> String in throw .scanCancelled }
        }
        #expect(failing.code == .cancelled)
        #expect(try await versions.version(of: "/bin/sh") { () async throws(ScanFailure) -> String in "2" } == "2")
    }

    @Test func aProgramThatIsNotThereIsNotRemembered() async throws {
        let versions = AcceptedVersions()
        for version in ["1", "2"] {
            #expect(try await versions.version(of: "/nothing") { () async throws(ScanFailure) -> String in version } == version)
        }
    }
}

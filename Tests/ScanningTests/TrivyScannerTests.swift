import Foundation
import Testing

@testable import Scanning

/// The scanner around a stand-in for Trivy: a script that does what a real program might.
@Suite struct TrivyScannerTests {
    private static let version = #"[ "$1" = version ] && { echo '{"Version":"0.76.0"}'; exit 0; }"#

    private func scanner(_ folder: TemporaryFolder, _ script: String, timeout: Duration = .seconds(20), reportBytesMax: Int = 1_000_000) throws
        -> TrivyScanner
    {
        try folder.write("#!/bin/sh\n\(script)\n", to: "trivy", executable: true)
        return TrivyScanner(
            configuration: TrivyConfiguration(
                executable: folder.path("trivy"), cacheFolder: ScanFixtures.cache, workFolder: folder.path("work"), timeout: timeout,
                reportBytesMax: reportBytesMax))
    }

    private func leftovers(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path("work"))
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
            /bin/ls -A > \(folder.path("files")); /bin/cp \(golden("vulnerable")) ../report
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
                + " --skip-version-check --disable-telemetry --config  --ignorefile  --scanners vuln --quiet --timeout 20000ms"
                + " --format json --output ../report --input ../image\n")
        #expect(try leftovers(folder).isEmpty)
    }

    @Test func aReportAboutAnotherImageIsRefused() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n/bin/cp \(golden("clean")) ../report")
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
        (": > ../report", .unreadableReport), ("echo '{}' > ../report", .unreadableReport),
        ("/bin/ln -s /etc/passwd ../report", .unreadableReport), ("/bin/mkdir ../report", .unreadableReport),
        ("/usr/bin/head -c 1000001 /dev/zero > ../report", .unreadableReport),
        ("/usr/bin/head -c 100000 /dev/zero", .unreadableReport),  // floods standard output
        ("/usr/bin/head -c 3000000 /dev/zero >&2; exit 1", .unknownFailure),  // floods standard error
        ("kill -9 $$", .unknownFailure), ("exit 1", .unknownFailure), ("exit 3", .unknownFailure),
    ])
    func whateverElseHappensIsAFailure(script: String, code: ScanFailure.Code) async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n\(script)")
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == code)
        #expect(try leftovers(folder).isEmpty)
    }

    @Test func aGoodReportWithABadExitCodeIsAFailure() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, "\(Self.version)\n/bin/cp \(golden("clean")) ../report; exit 1")
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .unknownFailure)
    }

    /// Starts a child that outlives the script, notes both numbers, and goes on as told.
    private func withChild(_ folder: TemporaryFolder, then: String) -> String {
        let (new, pids) = (folder.path("pids.new"), folder.path("pids"))
        return "\(Self.version)\n/bin/sleep 300 & echo $! $$ > \(new); /bin/mv \(new) \(pids); \(then)"
    }

    private func running(_ folder: TemporaryFolder) throws -> [String] {
        try String(contentsOfFile: folder.path("pids"), encoding: .utf8).split(whereSeparator: \.isWhitespace).map(String.init).filter {
            // An ended process that nobody has collected yet stays in /proc in state Z.
            guard let stat = try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8) else { return false }
            return !stat.contains(") Z ")
        }
    }

    private func hasChild(_ folder: TemporaryFolder) -> Bool { FileManager.default.fileExists(atPath: folder.path("pids")) }

    /// Whether all are gone. SIGKILL was sent before; the kernel may need a moment to end them.
    private func allEnd(_ folder: TemporaryFolder) async -> Bool { await eventually { (try? running(folder).isEmpty) == true } }

    @Test func theWholeProcessGroupIsKilledWhenTheTimeIsUp() async throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("clean")
        var timeout = Duration.milliseconds(250)
        // A busy machine may not come to starting the child in that time: then twice as much.
        while !hasChild(folder), timeout < .seconds(300) {
            timeout = timeout * 2
            let scanner = try scanner(folder, withChild(folder, then: "wait"), timeout: timeout)
            let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
            #expect(failure.code == .timedOut && failure.retryable)
        }
        #expect(await allEnd(folder))
        #expect(try leftovers(folder).isEmpty)
    }

    @Test func theWholeProcessGroupIsKilledWhenTheTaskIsCancelled() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, withChild(folder, then: "wait"), timeout: .seconds(60))
        let subject = try folder.subject("clean")
        try await withThrowingTaskGroup(of: ScanFailure.Code?.self) { group in
            group.addTask {
                do throws(ScanFailure) {
                    _ = try await scanner.scan(subject)
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(await eventually { hasChild(folder) })
            group.cancelAll()
            let code = try await group.next()
            #expect(code == .cancelled)
        }
        #expect(await allEnd(folder))
        #expect(try leftovers(folder).isEmpty)
    }

    @Test func whatAScannerLeavesRunningIsKilled() async throws {
        let folder = try TemporaryFolder()
        let scanner = try scanner(folder, withChild(folder, then: "/bin/cp \(golden("clean")) ../report"))
        let report = try await scanner.scan(try folder.subject("clean"))
        #expect(report.findings.isEmpty)
        #expect(await allEnd(folder))
    }

    @Test func whatAScannerLeavesRunningIsKilledAlsoWhenCancelledJustThen() async throws {
        for turns in [0, 1, 10, 100, 1000, 3000, 10_000, 30_000, 100_000] {
            let folder = try TemporaryFolder()
            let scanner = try scanner(folder, withChild(folder, then: "exit 0"))
            let subject = try folder.subject("clean")
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await scanner.scan(subject) }
                #expect(await eventually { hasChild(folder) })
                // Sooner or later, on this side and that of the script's end: what is asked holds at any moment.
                for _ in 0..<turns { await Task.yield() }
                group.cancelAll()
            }
            #expect(await allEnd(folder), "cancelled after \(turns) turns")
        }
    }

    @Test(arguments: ["trivy", "", "/nothing/trivy", "/etc/passwd", "/tmp"])
    func aMissingProgramIsNamed(executable: String) async throws {
        let folder = try TemporaryFolder()
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(executable: executable, cacheFolder: ScanFixtures.cache, workFolder: folder.path("work")))
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
                executable: folder.path("trivy"), cacheFolder: folder.path("none"), workFolder: folder.path("work")))
        let subject = try folder.subject("clean")
        let failure = try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }
        #expect(failure.code == .databaseMissing)
        #expect(failure.remedy == "trivy image --download-db-only --cache-dir '\(folder.path("none"))'")
        #expect(!FileManager.default.fileExists(atPath: folder.path("seen")))
    }

    @Test func aWorkFolderThatCannotBeMadeIsNamed() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a file", to: "file")
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(executable: "/bin/sh", cacheFolder: ScanFixtures.cache, workFolder: folder.path("file/work")))
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .workFolderUnusable)
    }

    @Test func aProgramForAnotherMachineCannotBeStarted() async throws {
        let folder = try TemporaryFolder()
        try folder.write("\u{7F}ELF nothing", to: "trivy", executable: true)
        let scanner = TrivyScanner(
            configuration: TrivyConfiguration(
                executable: folder.path("trivy"), cacheFolder: ScanFixtures.cache, workFolder: folder.path("work")))
        let subject = try folder.subject("clean")
        #expect(try await failure { () throws(ScanFailure) in try await scanner.scan(subject) }.code == .scannerUnusable)
    }
}

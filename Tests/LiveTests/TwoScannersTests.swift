import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The real Trivy beside a stand-in for Grype, end to end.
    @Suite struct TwoScannersTests {
        /// A folder that only its owner may enter, as many keep their tools and databases.
        private static func closed(_ path: String, files: Int) throws -> String {
            let folder = try Machine.makeFolder("closed")
            try FileManager.default.copyItem(atPath: path, toPath: folder + "/inner")
            for name in [""] + (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []) {
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
                let mode = isFolder.boolValue || name.hasSuffix("grype") ? 0o700 : files
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder)/\(name)")
            }
            return folder + "/inner"
        }

        /// Trivy calls two findings medium; Grype calls one of them high, and has one of its own.
        private static func disagreeing(_ image: String, _ report: String) -> String {
            guard image == "medium-low", let first = report.range(of: "\"severity\": \"Medium\"") ?? report.range(of: "\"severity\":\"Medium\"")
            else {
                return report
            }
            return report.replacingCharacters(in: first, with: "\"severity\": \"High\"")
        }

        @Test func bothAreHeardAndTheHigherSeverityCounts() async throws {
            let environment = StandIns.path(try StandIns.grype(Self.disagreeing))
            try await DevNetwork.withOwn("two-scanners", environment: environment) { network in
                let image = try await network.push(Machine.scanFixtures + "/images/medium-low.tar", "medium-low:v1.0.0")
                let id = try await network.submit(slug: "medium-low", image: image)
                let scan = try await network.scan(of: id)
                #expect(scan["verdict"]?.string == "blocked", "Trivy alone would have flagged it: \(scan.text)")
                #expect((scan["reports"]?.array ?? []).compactMap { $0["scanner"]?.string } == ["trivy", "grype"])
                #expect(scan["missing_scanners"]?.array == [])
                let disputed = scan["disputed"]?.array ?? []
                #expect(disputed.count == 1)
                #expect(disputed.first?["ratings"]?["trivy"]?.string == "medium")
                #expect(disputed.first?["ratings"]?["grype"]?.string == "high")
                let dossier = try await network.reviewer.data(.GET, "/review/submissions/\(id)")
                #expect((dossier["scanners"]?.array ?? []).map { $0["counts"]?["high"]?.int } == [0, 1], "side by side")
                #expect(try await network.approve(id, acceptMedium: true, note: "please").errorCode == "scan_blocked")
                for scanner in ["trivy", "grype"] {
                    let raw = try await network.publisher.call(.GET, "/submissions/\(id)/reports/\(scanner)")
                    #expect(raw.status == 200)
                    #expect(raw.json["matches"] != nil || raw.json["Results"] != nil, "the scanner's own words")
                }
            }
        }

        @Test(arguments: ["vulnerable", "clean", "alpine-eol"])
        func whereBothAgreeNothingIsDisputed(image: String) async throws {
            var environment = StandIns.path(try Self.closed(try StandIns.grype(), files: 0o644))
            environment["ARCHIPELAGO_TRIVY_CACHE"] = try Self.closed(Machine.scanFixtures + "/trivy-cache", files: 0o600)
            let result = try await ChildProcess.run(
                try Machine.executable(), ["cargo", "scan", "\(Machine.scanFixtures)/images/\(image).tar", "--json"], environment: environment)
            let scan = try result.json()
            #expect(scan["state"]?.string == "finished", "\(result)")
            #expect(scan["disputed"]?.array == [])
            #expect(result.exit == (image == "clean" ? 0 : 1))
        }

        /// Required and broken: never approved, and the mending command is named.
        @Test(arguments: [
            ("echo 'failed to load vulnerability db: database does not exist' >&2; exit 1", "database_missing", "grype db update"),
            ("exec sh -c 'exit 7'", "unknown_failure", "Grype"), ("echo '{}'", "unreadable_report", "version"),
            ("exit 0", "unreadable_report", "version"),
        ])
        func aSecondScannerThatFailsIsNoScan(script: String, code: String, remedy: String) async throws {
            let folder = try Machine.makeFolder("broken")
            try "#!/bin/sh\n\(script)\n".write(toFile: folder + "/grype", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/grype")
            let environment = DevNetwork.environment.merging(StandIns.path(folder)) { $1 }
            let result = try await ChildProcess.run(
                try Machine.executable(), ["cargo", "scan", "\(Machine.scanFixtures)/images/clean.tar", "--json"], environment: environment)
            #expect(result.exit == 5)
            let failure = try result.json()["failure"]
            #expect(failure?["code"]?.string == code, "\(result)")
            #expect(failure?["remedy"]?.string?.contains(remedy) == true, "\(result)")
        }
    }
}

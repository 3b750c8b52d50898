import Foundation
import JSON
import Testing

extension Live {
    /// A scanner's program replaced by something else: nothing passes, and the machine is well.
    @Suite struct HostileScannerTests {
        private func scan(
            _ script: String, image: String = "vulnerable", more: [String] = []
        ) async throws -> (result: CommandResult, scan: JSONValue) {
            let environment = DevNetwork.environment.merging(StandIns.path(try StandIns.trivy(script))) { $1 }
            let result = try await ChildProcess.run(
                try Machine.executable(), ["cargo", "scan", "\(Machine.scanFixtures)/images/\(image).tar", "--json"] + more, environment: environment,
                within: .seconds(90))
            #expect(result.exit == 5, "\(result)")
            let scan = try result.json()
            #expect(scan["state"]?.string == "could_not_scan", "\(result)")
            #expect(scan["verdict"]?.isNull == true)
            #expect(scan["failure"]?["remedy"]?.string?.isEmpty == false)
            return (result, scan)
        }

        private static let cleanToEverything = """
            exec python3 - "$@" <<'END'
            import json, sys
            def blob(digest):
                return json.load(open("/image/blobs/sha256/" + digest[7:]))
            image = blob(json.load(open("/image/index.json"))["manifests"][0]["digest"])["config"]["digest"]
            if "cyclonedx" in sys.argv:
                print(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.7"}))
            elif "spdx-json" in sys.argv:
                print(json.dumps({"spdxVersion": "SPDX-2.3"}))
            else:
                print(json.dumps({
                    "SchemaVersion": 2, "Trivy": {"Version": "0.76.0"}, "ArtifactType": "container_image",
                    "Metadata": {"ImageID": image, "ImageConfig": {"architecture": "amd64", "os": "linux"}}}))
            END
            """

        /// It even names the right image; but it names no package where there are some.
        @Test func oneThatSaysCleanToEverythingIsFoundOut() async throws {
            #expect(try await scan(Self.cleanToEverything).scan["failure"]?["code"]?.string == "blind_report")
            #expect(try await scan("echo '{\"SchemaVersion\":2}'").scan["failure"]?["code"]?.string == "unreadable_report")
        }

        @Test(arguments: [
            ("exec head -c 10000000000 /dev/zero", "unreadable_report"),
            ("head -c 10000000000 /dev/zero > /tmp/large; echo FATAL full >&2; exit 1", "unknown_failure"),
            ("exec python3 -c 'x = bytearray(3 << 30)'", "scanner_out_of_memory"),
        ])
        func oneThatWritesWithoutEndIsEnded(script: String, code: String) async throws {
            #expect(try await scan(script).scan["failure"]?["code"]?.string == code)
        }

        @Test func oneThatNeverEndsIsEnded() async throws {
            let (_, scan) = try await scan("while :; do :; done", more: ["--scan-timeout", "2"])
            #expect(scan["failure"]?["code"]?.string == "timed_out")
        }

        /// More processes than it may have cannot be started, and none outlives the scan.
        @Test func oneThatForksHarmsNobody() async throws {
            let mark = "forked-\(UUID().uuidString)"
            let script = "f() { f \(mark) & f \(mark) & sleep 60; }; f \(mark)"
            _ = try await scan(script, more: ["--scan-timeout", "2"])
            #expect(Leftovers.caged("scan-").isEmpty)
        }

        @Test func oneThatDialsOutReachesNobody() async throws {
            let network = try await SharedNetwork.network
            let script = "curl -s -m 3 -o /dev/null \(network.url)/api/v1/health && echo FATAL reached >&2 || echo FATAL unreachable $? >&2; exit 1"
            let outside = try await ChildProcess.run("curl", ["-s", "-m", "3", "-o", "/dev/null", network.url + "/api/v1/health"])
            #expect(outside.exit == 0, "from outside of the cage the same call succeeds")
            let (result, _) = try await scan(script)
            #expect(result.stdout.contains("unreachable 7"), "\(result)")
        }

        /// What it could change: nothing of the image, of the databases, of the system; and it is nobody.
        @Test func oneThatWritesWhereItMustNotChangesNothing() async throws {
            let script = """
                bad=""
                for place in /image/index.json /databases/db/metadata.json /usr/bin/new /new "$(dirname "$0")/new"; do
                    (: >> "$place") 2>/dev/null && bad="$bad $place"
                done
                [ "$(id -u)" = 0 ] && bad="$bad root"
                grep -q 'CapEff:.0000000000000000' /proc/self/status || bad="$bad capabilities"
                [ -e /etc/shadow ] || [ -e /root/. ] && bad="$bad host"
                env | grep -q -e ARCHIPELAGO -e TRIVY && bad="$bad environment"
                ls /sys/class/net 2>/dev/null | grep -qv lo && bad="$bad network"
                echo "FATAL found:$bad." >&2
                exit 1
                """
            let (result, _) = try await scan(script)
            #expect(result.stdout.contains("found:."), "\(result)")
        }

        /// The server's way: it stays in review, says why, and an approval is refused.
        @Test func aSubmissionStaysInReviewAndSaysWhatHappened() async throws {
            let environment = StandIns.path(try StandIns.trivy(Self.cleanToEverything))
            try await DevNetwork.withOwn("lying-scanner", environment: environment) { network in
                let image = try await network.push(Machine.scanFixtures + "/images/vulnerable.tar", "vulnerable:v1.0.0")
                let id = try await network.submit(slug: "vulnerable", image: image)
                let scan = try await network.scan(of: id)
                #expect(scan["failure"]?["code"]?.string == "blind_report", "\(scan.text)")
                #expect(scan["next_try_at"]?.string != nil)
                let answer = try await network.approve(id, acceptMedium: true, note: "it said clean")
                #expect(answer.status == 409)
                #expect(answer.errorCode == "could_not_scan")
            }
        }
    }
}

import Foundation
import JSON
import NIOHTTP1
import Testing

/// How a small program of `Examples/misbehaving` must end at level 0. Source: its README, which follows DESIGN §4.7.
struct CargoEnd: Sendable, CustomTestStringConvertible {
    let program: String
    var input: JSONValue = [:]
    var seconds: Int?
    var status = "failed"
    var codes: [String] = []
    var words = ""

    var testDescription: String { "\(program) \(input.text)" }

    static let all = [
        CargoEnd(program: "not-json", codes: ["not_json"]), CargoEnd(program: "not-object", codes: ["not_object"]),
        CargoEnd(program: "missing-type", codes: ["missing_type"]), CargoEnd(program: "missing-field", codes: ["missing_field"], words: "content"),
        CargoEnd(program: "frame-too-large", codes: ["frame_too_large"], words: "1048576"),
        CargoEnd(program: "transcript-too-large", codes: ["transcript_too_large"], words: "8388608"),
        CargoEnd(program: "no-terminal-frame", codes: ["no_terminal_frame"]),
        CargoEnd(program: "frame-after-terminal", codes: ["frame_after_terminal"]),
        CargoEnd(program: "nonzero-exit", codes: ["nonzero_exit"]),
        CargoEnd(program: "ignores-time", seconds: 1, status: "timeout", codes: ["timeout"]),
        CargoEnd(program: "closes-stdout", seconds: 1, status: "timeout", codes: ["timeout"]),
        CargoEnd(program: "eats-memory", codes: ["out_of_memory"], words: "256 MiB"),
        CargoEnd(program: "forbidden-syscall", codes: ["forbidden_syscall"], words: "socket"),
        CargoEnd(program: "tries-network", codes: ["forbidden_syscall"], words: "socket"),
        CargoEnd(program: "fork-bomb", codes: ["forbidden_syscall"], words: "clone"),
        CargoEnd(program: "crashes", codes: ["killed"], words: "11"),
        CargoEnd(program: "floods-stdout", seconds: 2, codes: ["transcript_too_large", "timeout"]),
        CargoEnd(program: "floods-stderr", status: "completed"), CargoEnd(program: "ignores-input", status: "completed"),
        CargoEnd(program: "writes-root", status: "completed"), CargoEnd(program: "reports-itself", status: "completed"),
    ]
}

extension Live {
    /// Each Cargo that misbehaves ends with the name of what it did, and leaves nothing behind.
    @Suite(.serialized) struct CargoEndTests {
        @Test(arguments: CargoEnd.all) func itEndsByName(_ end: CargoEnd) async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving(end.program, network)
            let job = try await network.consumer.submitJob(slug, input: end.input, timeoutSeconds: end.seconds)
            let (records, closeCode) = try await network.consumer.follow(job: job)
            let last = try #require(records.last)
            let seen = "\(last.text.prefix(500))"
            #expect(closeCode == 1000)
            #expect(records.filter { $0["status"] != nil && ["done", "error"].contains($0["type"]?.string) }.count == 1)
            let finished = try await network.consumer.data(.GET, "/jobs/\(job)")
            if end.codes.isEmpty {
                #expect(last["status"]?.string == end.status, "\(seen)")
            } else {
                #expect(end.codes.contains(last["code"]?.string ?? ""), "\(seen)")
                #expect(last["status"]?.string == (last["code"]?.string == "timeout" ? "timeout" : end.status), "\(seen)")
                #expect(last["fault"]?.string == "cargo", "\(seen)")
                #expect(last["message"]?.string?.contains(end.words) != false || end.words.isEmpty, "\(seen)")
                #expect(last["usage"]?["credits_used"]?.int == 0)
                #expect(finished["error"]?.string == last["message"]?.string)
                #expect(finished["fault"]?.string == "cargo")
                #expect(finished["attempt"]?.int == 1, "a fault of the Cargo is not tried again")
            }
            #expect(finished["status"]?.string == last["status"]?.string)
            if let seconds = end.seconds, end.status == "timeout" {
                let took = try #require(finished["duration_ms"]?.int)
                #expect((seconds * 1000..<seconds * 1000 + 2000).contains(took), "killed at its limit, not \(took) ms")
            }
            switch end.program {
            case "writes-root": #expect(last["written"]?.bool == false)
            case "reports-itself":
                #expect(last["uid"]?.int != 0)
                #expect(last["environment"]?.text.contains("ARCHIPELAGO") == false)
            default: break
            }
            try await pollUntil("nothing is left of \(job)") { Leftovers.caged(job).isEmpty && Leftovers.controlGroups([job]).isEmpty }
        }

        /// What the shell and runtimes use themselves (126, 137) must not be taken for something else.
        @Test(arguments: [1, 3, 125, 126, 127, 128, 137, 143, 255])
        func everyExitCodeButZeroIsNonzeroExit(code: Int) async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("exits", network)
            let job = try await network.consumer.submitJob(slug, input: ["exit": .int(code)])
            let finished = try await network.consumer.finishedJob(job)
            #expect(finished["status"]?.string == "failed")
            #expect(finished["code"]?.string == "nonzero_exit", "\(finished.text)")
            #expect(finished["error"]?.string?.contains("\(code)") == true)
        }

        /// The cage as the machine sees it, while the Cargo runs.
        @Test func theCageHoldsWhatLevelZeroPromises() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("ignores-time", network)
            let job = try await network.consumer.submitJob(slug, timeoutSeconds: 30)
            _ = try await network.consumer.events(job: job) { $0["type"]?.string == "status" && $0["status"] == nil }
            let id = try #require(Leftovers.caged(job).first)
            let status = Leftovers.text("/proc/\(id)/status")
            func field(_ name: String) -> [Substring] {
                (status.split(separator: "\n").first { $0.hasPrefix(name + ":") } ?? "").split(whereSeparator: \.isWhitespace).dropFirst().map { $0 }
            }
            #expect(!field("Uid").isEmpty && !field("Uid").contains("0"), "not root outside")
            #expect(!field("Gid").isEmpty && !field("Gid").contains("0"))
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] { #expect(field(set) == ["0000000000000000"], "\(set)") }
            #expect(field("NoNewPrivs") == ["1"])
            #expect(field("Seccomp") == ["2"], "a filter, source: proc(5)")
            for space in ["net", "pid", "mnt", "ipc", "uts", "user", "cgroup"] {
                let inside = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/\(space)")
                #expect(inside != (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(space)")), "\(space)")
            }
            let interfaces = Leftovers.text("/proc/\(id)/net/dev").split(separator: "\n").dropFirst(2).map {
                $0.split(separator: ":")[0].filter { $0 != " " }
            }
            #expect(Set(interfaces).isSubset(of: ["lo"]), "no network")
            let mounts = Leftovers.text("/proc/\(id)/mountinfo").split(separator: "\n").map { $0.split(separator: " ") }
            #expect(mounts.first { $0[4] == "/" }?[5].contains("ro") == true, "read-only root")
            let temporary = try #require(mounts.first { $0[4] == "/tmp" })
            #expect(temporary[5].contains("noexec") && temporary[5].contains("nosuid"))
            let groups = Leftovers.controlGroups([job])
            let memory = groups.flatMap { ["\($0)/memory.max", "\($0)/memory.limit_in_bytes"] }.map(Leftovers.text).filter { !$0.isEmpty }
            #expect(memory.map { $0.trimmingCharacters(in: .newlines) } == ["268435456"], "256 MiB")
            let processes = groups.map { Leftovers.text("\($0)/pids.max") }.filter { !$0.isEmpty }
            #expect(processes.map { $0.trimmingCharacters(in: .newlines) } == ["32"])
            _ = try await network.consumer.data(.DELETE, "/jobs/\(job)")
            try await pollUntil("the cage is gone") { Leftovers.caged(job).isEmpty && Leftovers.controlGroups([job]).isEmpty }
        }

        /// Trust level 0 allows 60 seconds; a job may ask for less, never for more.
        @Test(arguments: [(0, "/timeout_seconds"), (-1, "/timeout_seconds"), (61, "/timeout_seconds"), (601, "/timeout_seconds")])
        func aTimeoutOutsideTheLevelIsRefused(seconds: Int, pointer: String) async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let answer = try await network.consumer.call(
                .POST, "/jobs", ["workload": .string(slug), "input": ["text": "x"], "timeout_seconds": .int(seconds)])
            #expect(answer.status == 422)
            #expect(answer.pointers == [pointer])
        }
    }
}

import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// What is runc's alone; what every sandbox must do is the ``SandboxContract``.
    @Suite struct RuncSandboxTests {
        // MARK: Honest Cargos

        @Test func theDemonstrationCargoRuns() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let job = try host.job("text-stats", input: #"{"text":"To be, or not to be.\nThat is the question."}"#)
                let (end, output) = try await host.run(job)
                #expect(end.cause == .exited(code: 0), "\(String(decoding: end.standardError, as: UTF8.self))")
                let lines = output.split(separator: "\n")
                #expect(lines.first == #"{"type":"status","message":"counting"}"#)
                #expect(lines.contains(#"{"type":"token","content":"line 1: 6 words\n"}"#))
                #expect(lines.contains(#"{"type":"token","content":"1. be: 2\n"}"#))
                #expect(lines.last == #"{"type":"done","usage":{"prompt_tokens":10,"completion_tokens":11,"total_tokens":21}}"#)
                #expect(end.wallTime > .zero)
                #expect(end.cpuTime > .zero)
                #expect(end.cpuTime < .seconds(1))
                #expect((100_000...64 << 20).contains(end.peakMemoryBytes), "\(end.peakMemoryBytes)")
            }
        }

        @Test(arguments: [
            ("", "The input is empty. Send {\\\"text\\\": \\\"...\\\"}."), ("{}", "The field \\\"text\\\" is missing."),
            ("{\"text\":1}", "The field \\\"text\\\" is not a string."), ("[]", "The input is no JSON object."),
            ("{\"text\":\"\\ud800\"}", "The input has half a surrogate pair."),
        ])
        func theDemonstrationCargoExplainsWhatItCannotRead(input: String, message: String) async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("text-stats", input: input))
                #expect(end.cause == .exited(code: 1))
                #expect(output == "{\"type\":\"error\",\"message\":\"\(message)\"}\n")
            }
        }

        @Test func aLargeInputArrivesWhole() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let text = String(repeating: "word ", count: 700_000)
                let (end, output) = try await host.run(host.job("text-stats", input: "{\"text\":\"\(text)\"}"))
                #expect(end.cause == .exited(code: 0))
                #expect(output.contains("total: 700000 words, 1 different"))
            }
        }

        @Test func tokensArriveOneByOne() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let pieces = Mutex<[String]>([])
                let end = try await host.sandbox.run(host.job("slow-tokens")) { bytes in
                    pieces.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
                }
                #expect(end.cause == .exited(code: 0))
                #expect(end.wallTime >= .milliseconds(200))
                let seen = pieces.withLock { $0 }
                #expect(seen.count >= 5, "\(seen)")
                #expect(seen.first == "{\"type\":\"token\",\"content\":\"token 1 \"}\n")
            }
        }

        @Test func aCommandIsFoundInThePath() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let root = try host.image("ignores-input")
                mkdir(root + "/usr", 0o755)
                mkdir(root + "/usr/bin", 0o755)
                try FileManager.default.copyItem(atPath: root + "/cargo", toPath: root + "/usr/bin/found")
                let (end, _) = try await host.run(host.job("ignores-input", command: ["found"], workingFolder: "/usr"))
                #expect(end.cause == .exited(code: 0))
            }
        }

        // MARK: What a Cargo cannot do

        @Test func theHostSeesTheCageAroundTheProcess() async throws {
            struct Seen: Error {}
            try await LiveHost.with { (host) async throws -> Void in
                let job = try host.job("ignores-time")
                let facts = Mutex<[String: String]>([:])
                await #expect(throws: Seen.self) {
                    _ = try await host.sandbox.run(job) { _ in
                        let process = try host.process(of: job)
                        for name in ["status", "mountinfo", "limits", "uid_map"] {
                            let text = try String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)
                            facts.withLock { $0[name] = text }
                        }
                        for name in ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user"] {
                            let files = FileManager.default
                            let theirs = try files.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/\(name)")
                            let ours = try files.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)")
                            if theirs == ours { facts.withLock { $0["shared", default: ""] += name } }
                        }
                        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").sorted()
                        let devices = try String(contentsOfFile: "/proc/\(process)/net/dev", encoding: .utf8)
                        facts.withLock { $0["descriptors"] = open.joined(separator: " ") }
                        facts.withLock { $0["devices"] = devices }
                        for folder in host.groupFolders(job.id.text) {
                            for name in [
                                "pids.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "memory.max", "cpu.max",
                            ] {
                                guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { continue }
                                facts.withLock { $0[name] = text.filter { $0 != "\n" } }
                            }
                        }
                        throw Seen()
                    }
                }
                let seen = facts.withLock { $0 }
                #expect(seen["shared"] == nil, "namespaces that the Cargo shares with the host")
                #expect(seen["descriptors"] == "0 1 2")
                #expect(seen["pids.max"] == "32")
                #expect((seen["memory.limit_in_bytes"] ?? seen["memory.max"]) == "268435456")
                if seen["memory.limit_in_bytes"] != nil { #expect(seen["memory.memsw.limit_in_bytes"] == "268435456") }
                #expect((seen["cpu.cfs_quota_us"] ?? seen["cpu.max"]) == (seen["cpu.max"] == nil ? "100000" : "100000 100000"))
                #expect(seen["devices"]?.split(separator: "\n").dropFirst(2).allSatisfy { $0.contains("lo:") } == true)
                let status = seen["status", default: ""].split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
                func field(_ name: String) -> [Substring] { status.first { $0.first == "\(name):" }?.dropFirst().map { $0 } ?? [] }
                #expect(field("Uid") == Array(repeating: "165534", count: 4))
                #expect(field("Gid") == Array(repeating: "165534", count: 4))
                for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] { #expect(field(set) == ["0000000000000000"], "\(set)") }
                #expect(field("NoNewPrivs") == ["1"])
                #expect(field("Seccomp") == ["2"])
                #expect(field("Seccomp_filters") == ["2"], "the outer and the strict one")
                #expect(field("Groups").isEmpty)
                #expect(seen["uid_map"]?.split(whereSeparator: \.isWhitespace) == ["0", "100000", "65536"])

                let mounts = seen["mountinfo", default: ""].split(separator: "\n").map { $0.split(separator: " ") }
                func options(_ point: String) -> String {
                    mounts.last { $0[4] == point }.map { $0[5...].joined(separator: ",") } ?? "no such mount"
                }
                #expect(options("/").hasPrefix("ro"))
                #expect(options("/tmp").contains("size=65536k"))
                #expect(options("/tmp").contains("nr_inodes=16384"))
                for flag in ["nosuid", "nodev", "noexec"] { #expect(options("/tmp").contains(flag)) }
                #expect(options("/dev").hasPrefix("ro"))
                #expect(options("/proc/sys").hasPrefix("ro"))
                #expect(options("/proc/keys") != "no such mount")
                let limits = seen["limits", default: ""].split(separator: "\n")
                #expect(limits.contains { $0.hasPrefix("Max open files            256                  256") })
                #expect(limits.contains { $0.hasPrefix("Max core file size        0                    0") })
            }
        }

        // MARK: Many

        @Test func aThousandJobsInARowLeaveNothing() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (descriptors, zombiesBefore) = (try openDescriptors(), try zombies())
                for number in 1...1000 {
                    #expect(try await host.run(host.job("ignores-input")).end.cause == .exited(code: 0))
                    if number.isMultiple(of: 100) { try host.expectNothingLeft() }
                }
                #expect(try openDescriptors() <= descriptors + 2)
                #expect(try zombies().subtracting(zombiesBefore).isEmpty)
            }
        }

        // MARK: The sandbox itself

        @Test func thisHostEnforcesEveryLevel() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let reports = await host.sandbox.enforceableLevels()
                #expect(reports.map(\.level) == [.untrusted, .basic, .verified, .official])
                #expect(reports.map(\.isEnforceable) == [true, true, true, true], "\(reports)")
            }
        }

        @Test func whatIsMissingIsNamed() async throws {
            let folder = try TemporaryFolder()
            let sandbox = try RuncSandbox(
                configuration: RuncConfiguration(
                    runtimePath: "/nowhere/runc", cageEntryPath: "/bin/sh", stateFolder: folder.path + "/state", cgroupParent: "archipelago-test-none"
                ))
            let problems = await sandbox.enforceableLevels()[0].obstacles.map(\.problem)
            #expect(problems == ["The cage entry is not a static program.", "The container runtime /nowhere/runc does not start."])
            await sandbox.shutdown()
        }

        @Test func anUnfilteredEntryIsNeverAStart() async throws {
            let folder = try TemporaryFolder()
            // A program that is no cage entry: it runs nothing and reports nothing.
            let sandbox = try RuncSandbox(
                configuration: RuncConfiguration(
                    cageEntryPath: try Programs.path("ignores-input"), stateFolder: folder.path + "/state",
                    cgroupParent: "archipelago-test-\(getpid())-entry"))
            let host = try LiveHost()
            let error = await #expect(throws: SandboxError.self) {
                _ = try await sandbox.run(host.job("ignores-input")) { _ in }
            }
            #expect(error?.code == .cageEntry)
            #expect(error?.fault == .island)
            #expect(await sandbox.enforceableLevels()[0].isEnforceable == false)
            await sandbox.shutdown()
            await host.sandbox.shutdown()
        }

        @Test func imagesThatLeadOutAreRefused() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let root = try host.image("ignores-input")
                symlink("/etc", root + "/proc")
                let error = await #expect(throws: SandboxError.self) { try await host.run(host.job("ignores-input")) }
                #expect(error?.code == .unusableRoot)
                #expect(error?.fault == .cargo)
            }
        }

        @Test func aRootBehindAClosedFolderStillRuns() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let job = try host.job("ignores-input")
                chmod(host.folder.path, 0o700)
                let end = try await host.run(job).end
                chmod(host.folder.path, 0o755)
                #expect(end.cause == .exited(code: 0))
                #expect(try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(" /mnt "))
            }
        }

        @Test func aStateFolderHasOneOwner() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let error = #expect(throws: SandboxError.self) { try RuncSandbox(configuration: host.configuration) }
                #expect(error?.code == .unavailable)
            }
        }

        /// Two Islands on one machine: what one ends is its own, whatever it is called.
        @Test func twoSandboxesDoNotMeet() async throws {
            let (one, other) = (try LiveHost(warm: 1), try LiveHost(warm: 1))
            #expect(one.configuration.cgroupParent != other.configuration.cgroupParent)
            let long = try one.job("ignores-time")
            let running = Task { try await one.run(long) }
            // Trials and jobs of the same names, and what was made ahead, come and go beside it.
            async let levels = one.sandbox.enforceableLevels()
            #expect(await other.sandbox.enforceableLevels().filter(\.isEnforceable).count == TrustLevel.allCases.count)
            #expect(await levels.filter(\.isEnforceable).count == TrustLevel.allCases.count)
            for _ in 0..<3 { #expect(try await other.run(other.job("text-stats", input: #"{"text":"a"}"#)).end.cause == .exited(code: 0)) }
            await other.sandbox.shutdown()
            try other.expectNothingLeft()
            #expect(kill(try one.process(of: long), 0) == 0, "what was ended beside it is not its")
            await one.sandbox.shutdown()
            _ = await running.result
            try one.expectNothingLeft()
        }

        @Test func leftoversOfACrashAreRemoved() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                // What a process leaves that dies between making a container and starting it.
                let job = try host.job("ignores-time")
                let bundle = "\(host.configuration.bundlesFolder)/\(job.id)"
                mkdir(bundle, 0o700)
                let specification = RuntimeSpecification(
                    job: CageContents(job), configuration: host.configuration, architecture: .current, processors: 1)
                try JSONEncoder().encode(specification).write(to: URL(fileURLWithPath: bundle + "/config.json"))
                let nothing = try Descriptor.open("/dev/null", O_RDWR)
                let process = try RuntimeCommand(configuration: host.configuration).create(
                    job.id, bundle: bundle, stage: nil, descriptors: [nothing, nothing, nothing], inherited: nothing)
                #expect(kill(process, 0) == 0)
                #expect(!host.groupFolders(job.id.text).isEmpty)

                await host.sandbox.removeLeftovers()
                try host.expectNothingLeft()
                let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
                #expect(status.contains("State:\tZ"), "dead, and waiting for its parent, which is this process in the test")
                var waitStatus: CInt = 0
                #expect(waitpid(process, &waitStatus, 0) == process)
            }
        }

        private func openDescriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }

        /// Children of this process that have ended and that nobody has waited for, by number and name; but for the monitors of Podman's containers,
        /// which end some time after the tests of engines.
        private func zombies() throws -> Set<String> {
            let own = "PPid:\t\(getpid())\n"
            return Set(
                try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { entry in
                    guard Int(entry) != nil, let status = try? String(contentsOfFile: "/proc/\(entry)/status", encoding: .utf8),
                        status.contains("State:\tZ"), status.contains(own), !status.hasPrefix("Name:\tconmon\n")
                    else { return nil }
                    return "\(entry) \(status.prefix { $0 != "\n" })"
                })
        }
    }
}

import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// What the port promises, tried on every sandbox.
    @Suite(.enabled(if: !SandboxKind.here.isEmpty, "needs root and runc, podman or dockerd"))
    struct SandboxContract {
        // MARK: Streams

        @Test(arguments: SandboxKind.here)
        func outputComesWholeAndInOrder(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("counts"))
                #expect(end.cause == .exited(code: 0))
                #expect(String(decoding: output, as: UTF8.self) == (0..<100_000).map { "line \($0)\n" }.joined())
                #expect(String(decoding: end.standardError, as: UTF8.self) == (0..<100).map { "error \($0 * 1000)\n" }.joined())
                #expect(end.wallTime > .zero && end.wallTime < .seconds(10), "\(end.wallTime)")
                #expect(end.cpuTime > .zero && end.cpuTime < .seconds(5), "\(end.cpuTime)")
                #expect((100_000...64 << 20).contains(end.peakMemoryBytes), "\(end.peakMemoryBytes)")
            }
        }

        @Test(arguments: SandboxKind.here)
        func inputArrivesWholeAndThenEnds(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                for count in [0, 1, 65536, 3 << 20] {
                    let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
                    let (end, output) = try await host.run(host.job("echo", input: input))
                    #expect(end.cause == .exited(code: 0))
                    #expect(output == input)
                }
            }
        }

        @Test(arguments: SandboxKind.here)
        func anInputThatNobodyReadsHoldsNothingUp(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("ignores-input", input: Array(repeating: 0x78, count: 4 << 20)))
                #expect(end.cause == .exited(code: 0))
                #expect(output == Array("{\"type\":\"done\"}\n".utf8))
            }
        }

        @Test(arguments: SandboxKind.here)
        func onlyTheEndOfStandardErrorIsKept(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("floods-stderr"))
                #expect(end.cause == .exited(code: 0))
                #expect(output == Array("{\"type\":\"done\"}\n".utf8))
                #expect(end.standardError.count == 65536)
                #expect(String(decoding: end.standardError, as: UTF8.self).hasSuffix("line   1048575\n"))
            }
        }

        @Test(arguments: SandboxKind.here)
        func aSlowReaderHoldsTheCargoBack(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let job = try host.job("floods-stdout", timeout: .milliseconds(500))
                let total = Atomic<Int>(0)
                let end = try await host.sandbox.run(job) { bytes in
                    // The first piece is held until the Cargo is dead: nothing more may have been read meanwhile.
                    if total.wrappingAdd(bytes.count, ordering: .relaxed).oldValue == 0 {
                        let process = try await host.process(of: job)
                        while SandboxHost.isAlive(process) { await Task.yield() }
                    }
                }
                #expect(end.cause == .timedOut)
                let bytes = total.load(ordering: .relaxed)
                #expect((1...host.outputUnderWayMax).contains(bytes), "\(bytes)")
            }
        }

        @Test(arguments: SandboxKind.here)
        func aFloodLeavesOurMemoryAlone(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                _ = try await host.run(host.job("ignores-input"))
                let before = try residentBytes()
                let total = Atomic<Int>(0)
                let end = try await host.sandbox.run(host.job("floods-stdout", timeout: .seconds(2))) { bytes in
                    total.wrappingAdd(bytes.count, ordering: .relaxed)
                }
                #expect(end.cause == .timedOut)
                let flood = total.load(ordering: .relaxed)
                #expect(flood > 8 << 20, "\(flood)")
                #expect(try residentBytes() - before < 8 << 20)
            }
        }

        // MARK: Ends are told apart

        @Test(arguments: SandboxKind.here, [0, 3, 125, 126, 127, 137, 159, 255])
        func exitCodesAreTheCargosOwn(kind: SandboxKind, code: Int) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let job = try host.job("nonzero-exit", input: Array("\(code)\n".utf8))
                #expect(try await host.run(job).end.cause == .exited(code: code))
            }
        }

        @Test(arguments: SandboxKind.here, ["ignores-time", "closes-stdout"])
        func aCargoThatDoesNotEndIsKilledWhenItsTimeIsUp(kind: SandboxKind, program: String) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job(program, timeout: .milliseconds(400)))
                #expect(end.cause == .timedOut)
                #expect(output.last == 0x0A)
                #expect((Duration.milliseconds(400)...Duration.seconds(8)).contains(end.wallTime), "\(end.wallTime)")
                #expect(end.cpuTime > .milliseconds(50) && end.cpuTime < end.wallTime + .milliseconds(150), "\(end.cpuTime) of \(end.wallTime)")
            }
        }

        /// The kernel charges pages in batches of 64 for each processor, and the peak counts those that are then given back.
        /// Source: Linux, mm/memcontrol.c, `MEMCG_CHARGE_BATCH`.
        private static let chargedAhead = 64 * 4096 * ProcessInfo.processInfo.processorCount

        @Test(arguments: SandboxKind.here)
        func tooMuchMemoryIsOutOfMemory(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let end = try await host.run(host.job("eats-memory")).end
                #expect(end.cause == .outOfMemory)
                #expect((200 << 20...(256 << 20) + Self.chargedAhead).contains(end.peakMemoryBytes), "\(end.peakMemoryBytes)")
            }
        }

        @Test(arguments: SandboxKind.here)
        func aChildLostForMemoryIsOutOfMemory(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                #expect(try await host.run(host.job("loses-child", level: .basic)).end.cause == .outOfMemory)
            }
        }

        @Test(arguments: SandboxKind.here, [("forbidden-syscall", "socket"), ("tries-network", "socket"), ("fork-bomb", "clone")])
        func aForbiddenCallKills(kind: SandboxKind, refused: (program: String, call: String)) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job(refused.program))
                guard case .forbiddenSyscall(let name) = end.cause else {
                    Issue.record("\(end.cause)")
                    return
                }
                // The kernel's log is rate limited, and an engine's Cargo is not in it: no name is allowed, a wrong one is not.
                #expect(name == nil || name == refused.call)
                #expect(output.isEmpty)
            }
        }

        @Test(arguments: SandboxKind.here)
        func aCrashIsASignal(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                #expect(try await host.run(host.job("crashes")).end.cause == .killed(signal: 11))
            }
        }

        @Test(
            arguments: SandboxKind.here,
            [
                (["/missing"], "/"), (["missing"], "/"), (["/cargo/below"], "/"), (["/dev"], "/"), (["/dev/null"], "/"), (["/cargo"], "/missing"),
                (["/cargo"], "/cargo"),
            ])
        func aCommandThatCannotStartIsTheImagesFault(kind: SandboxKind, start: (command: [String], folder: String)) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let job = try host.job("ignores-input", command: start.command, workingFolder: start.folder)
                let error = await #expect(throws: SandboxError.self) { try await host.run(job) }
                #expect(error?.code == .commandCannotStart, "\(error as Any)")
                #expect(error?.fault == .cargo)
            }
        }

        // MARK: What a Cargo cannot do

        @Test(arguments: SandboxKind.here)
        func theRootCannotBeWritten(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                #expect(try await host.text(host.job("writes-root")) == "{\"type\":\"done\",\"written\":false}\n")
                #expect(access(try host.image("writes-root") + "/owned", F_OK) != 0)
            }
        }

        @Test(arguments: SandboxKind.here)
        func theCargoIsNobodyAndGetsNothingOfOurs(kind: SandboxKind) async throws {
            // Safety of the check: these are open here, and not close-on-exec, while the job runs.
            let leak = Glibc.open("/etc/passwd", O_RDONLY)
            defer { close(leak) }
            setenv("ARCHIPELAGO_TEST_SECRET", "secret", 1)
            defer { unsetenv("ARCHIPELAGO_TEST_SECRET") }
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let job = try host.job("reports-itself", command: ["/cargo", "a", "b c"], environment: ["OWN=1", "HOME=/root"])
                #expect(
                    try await host.text(job) == #"{"type":"done","uid":65534,"gid":65534,"descriptors":0,"arguments":3,"environment":["#
                        + #""OWN=1","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOME=/tmp","TMPDIR=/tmp","#
                        + #""HOSTNAME=cargo","USER=cargo"]}"# + "\n")
            }
        }

        @Test(arguments: SandboxKind.here)
        func networkRootAndTemporaryFilesAreHeldAtLevel1(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("tries", level: .basic))
                #expect(end.cause == .exited(code: 0))
                var lines: [String: Int] = [:]
                for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
                    let parts = line.split(separator: " ")
                    lines[String(parts[0])] = Int(parts[1])
                }
                // gVisor's own network and files refuse in their own words.
                #expect(lines["connect"] == Int(kind == .runsc ? EHOSTUNREACH : ENETUNREACH))
                #expect(lines["vsock"] == Int(EPERM))
                #expect(lines["packet"] == Int(EPERM))
                #expect(lines["/new"] == Int(kind == .runsc ? EACCES : EROFS))
                for path in ["/run/new", "/var/tmp/new"] { #expect([Int(EROFS), Int(ENOENT)].contains(lines[path]), "\(path)") }
                #expect([Int(EACCES), Int(EROFS)].contains(lines["/dev/new"]))
                #expect(lines["/tmp/new"] == 0)
                #expect(lines["/dev/shm/new"] == 0)
                #expect(lines["user-0"] == Int(EPERM))
                #expect(lines["execute"] == Int(EACCES))
                let limit = TrustLevel.basic.limits.temporaryBytes
                #expect((limit - (1 << 20)...limit).contains(lines["tmp", default: 0]), "\(lines)")
            }
        }

        private func residentBytes() throws -> Int {
            let pages = try #require(String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").dropFirst().first)
            return try #require(Int(pages)) * sysconf(Int32(_SC_PAGESIZE))
        }
    }
}

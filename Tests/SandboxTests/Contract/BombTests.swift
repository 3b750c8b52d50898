import Domain
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// Cargos that take whatever they can get. Each gets what its level has and no more, and leaves nothing.
    @Suite(.enabled(if: !SandboxKind.here.isEmpty, "needs root and runc, podman or dockerd"))
    struct BombTests {
        private static func run(
            _ bomb: String, _ kind: SandboxKind, timeout: Duration = .seconds(20), level: TrustLevel = .basic
        ) async throws -> (end: JobEnd, amount: Int?) {
            var result: (end: JobEnd, output: [UInt8])?
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                result = try await host.run(host.job("bombs", level: level, timeout: timeout, command: ["/cargo", bomb]))
                // The cage is gone, and the next Cargo is as well off as the first.
                #expect(try await host.run(host.job("echo", level: level)).end.cause == .exited(code: 0))
            }
            let (end, output) = try #require(result)
            return (end, Int(String(decoding: output, as: UTF8.self).filter { $0 != "\n" }))
        }

        /// What it gets, at most; and at least a good part of it, so that an honest Cargo can use it.
        @Test(
            arguments: SandboxKind.here,
            [
                ("threads", 200...256), ("descriptors", 900...1024), ("tmp", 60 << 20...64 << 20),
                ("shm", 60 << 20...64 << 20), ("hole", 1 << 20...64 << 20),
            ])
        func itGetsWhatItsLevelHas(kind: SandboxKind, bomb: (name: String, range: ClosedRange<Int>)) async throws {
            let (end, amount) = try await Self.run(bomb.name, kind, timeout: .seconds(60))
            #expect(end.cause == .exited(code: 0), "\(end)")
            #expect(bomb.range.contains(amount ?? -1), "\(bomb.name): \(amount ?? -1)")
        }

        /// Podman has no limit of files, but its limit of memory counts each of them.
        @Test(arguments: SandboxKind.here) func filesAreCounted(kind: SandboxKind) async throws {
            let (end, amount) = try await Self.run("files", kind)
            // gVisor counts files by its memory alone, and makes them more slowly than its time allows.
            if kind == .runsc { return #expect(end.cause == .timedOut || end.cause == .outOfMemory, "\(end)") }
            if kind != .podman {
                #expect(end.cause == .exited(code: 0) && (10_000...16_384).contains(amount ?? -1), "\(amount ?? -1)")
            }
            #expect(end.cause == .exited(code: 0) || end.cause == .outOfMemory, "\(end)")
            #expect(end.peakMemoryBytes <= TrustLevel.basic.limits.memoryBytes, "\(end)")
        }

        @Test(arguments: SandboxKind.here, ["memory", "nameless-files"])
        func memoryOfEveryKindIsCounted(kind: SandboxKind, bomb: String) async throws {
            let (end, _) = try await Self.run(bomb, kind)
            #expect(end.cause == .outOfMemory, "\(end)")
            #expect(end.peakMemoryBytes <= TrustLevel.basic.limits.memoryBytes + (16 << 20))
        }

        /// The kernel's own memory for it: bounded by its open files, and by its memory.
        @Test(arguments: SandboxKind.here, ["messages", "folders"])
        func whatTheKernelKeepsIsBounded(kind: SandboxKind, bomb: String) async throws {
            let (end, amount) = try await Self.run(bomb, kind)
            #expect(end.cause == .outOfMemory || end.cause == .exited(code: 0) || (kind == .runsc && end.cause == .timedOut), "\(end)")
            #expect((amount ?? 0) < TrustLevel.basic.limits.memoryBytes)
        }

        @Test(arguments: SandboxKind.here, ["forks", "spin", "stubborn"])
        func itIsOverWhenItsTimeIs(kind: SandboxKind, bomb: String) async throws {
            let (end, _) = try await Self.run(bomb, kind, timeout: .milliseconds(700))
            #expect(end.cause == .timedOut, "\(end)")
            // A quota of two processors, and a period cut at both ends.
            #expect(end.cpuTime < end.wallTime * 2.2 + .milliseconds(400), "\(end)")
        }

        /// Level 0 has no files, no threads and no second process to take.
        @Test(arguments: ["threads", "forks", "descriptors", "files", "tmp", "nameless-files", "messages", "folders", "spin", "stubborn"])
        func level0GetsNothing(bomb: String) async throws {
            let (end, amount) = try await Self.run(bomb, .runc, level: .untrusted)
            if case .forbiddenSyscall = end.cause { return }
            #expect(end.cause == .exited(code: 0) && (amount ?? -1) <= 0, "\(end), \(amount ?? -1)")
        }
    }
}

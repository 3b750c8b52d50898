import Domain
import Synchronization
import Testing

@testable import Sandbox

extension LiveSandbox.SandboxContract {
    // MARK: Jobs that are stopped

    @Test(arguments: SandboxKind.here)
    func aReaderThatThrowsEndsTheJob(kind: SandboxKind) async throws {
        struct Enough: Error {}
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let calls = Atomic<Int>(0)
            await #expect(throws: Enough.self) {
                try await host.sandbox.run(host.job("floods-stdout")) { _ in
                    if calls.wrappingAdd(1, ordering: .relaxed).newValue == 3 { throw Enough() }
                }
            }
            #expect(calls.load(ordering: .relaxed) == 3)
            try await host.expectNoContainers()
        }
    }

    @Test(arguments: SandboxKind.here)
    func cancellingTheTaskKillsTheJob(kind: SandboxKind) async throws {
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let job = try host.job("ignores-time")
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await host.sandbox.run(job) { _ in signal.yield() } }
                for await _ in started { break }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            try await host.expectNoContainers()
        }
    }

    @Test(arguments: SandboxKind.here)
    func aTaskThatIsCancelledBeforeItStartsLeavesNothing(kind: SandboxKind) async throws {
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let job = try host.job("ignores-input")
            await withThrowingTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { _ = try await host.run(job) }
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }

    // MARK: Many

    @Test(arguments: SandboxKind.here)
    func eightJobsAtOnce(kind: SandboxKind) async throws {
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let jobs = try (0..<8).map { try host.job("nonzero-exit", input: Array("\($0)\n".utf8)) }
            let causes = try await withThrowingTaskGroup(of: (Int, EndCause).self) { group in
                for (index, job) in jobs.enumerated() { group.addTask { (index, try await host.run(job).end.cause) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(causes == Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, EndCause.exited(code: $0)) }))
        }
    }

    @Test(arguments: SandboxKind.here)
    func aNameRunsOnceAtATime(kind: SandboxKind) async throws {
        struct Enough: Error {}
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let job = try host.job("ignores-time")
            let second = Mutex<SandboxError.Code?>(nil)
            await #expect(throws: Enough.self) {
                _ = try await host.sandbox.run(job) { _ in
                    do {
                        _ = try await host.run(job)
                    } catch let error as SandboxError {
                        second.withLock { $0 = error.code }
                    }
                    throw Enough()
                }
            }
            #expect(second.withLock { $0 } == .alreadyRunning)
        }
    }

    @Test(arguments: SandboxKind.here)
    func afterShutdownNothingRuns(kind: SandboxKind) async throws {
        try await SandboxHost.with(kind) { (host) async throws -> Void in
            let job = try host.job("ignores-time")
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await host.sandbox.run(job) { _ in signal.yield() } }
                for await _ in started { break }
                await host.sandbox.shutdown()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            let error = await #expect(throws: SandboxError.self) { try await host.run(host.job("ignores-input")) }
            #expect(error?.code == .unavailable)
        }
    }
}

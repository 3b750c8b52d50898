import Domain
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

@Suite struct WarmPlanTests {
    private static func key(_ name: String) throws -> WarmKey {
        let job = try CagedJob(id: ContainerID("x"), rootFolder: "/\(name)", command: ["/a"], level: .untrusted, input: [])
        return try #require(WarmKey(CageContents(job)))
    }

    private func expectEqual<Value: Equatable>(
        _ found: Value, _ expected: Value, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, comment, sourceLocation: sourceLocation)
    }

    @Test func asManyAreKeptAsRanAtOnceUpToTheBound() throws {
        let key = try Self.key("a")
        var plan = WarmPlan(perKeyMax: 2, totalMax: 3)
        expectEqual(plan.next(), nil, "nobody has asked")
        for _ in 0..<3 {
            let found = plan.begin(key)
            #expect(!found)
        }
        for _ in 0..<2 {
            expectEqual(plan.next(), key)
            plan.made(key, isReady: true)
        }
        expectEqual(plan.next(), nil)
        #expect(plan.readyCount == 2)
        for _ in 0..<3 { plan.end(key) }
        let found = plan.begin(key)
        #expect(found, "the next job finds one")
        expectEqual(plan.next(), key, "and it is made up for")
    }

    @Test func whatCannotBeMadeIsNotTriedOverAndOver() throws {
        let key = try Self.key("a")
        var plan = WarmPlan(perKeyMax: 2, totalMax: 3)
        _ = plan.begin(key)
        expectEqual(plan.next(), key)
        plan.made(key, isReady: false)
        expectEqual(plan.next(), nil)
        _ = plan.begin(key)
        expectEqual(plan.next(), key, "the next job asks again")
    }

    @Test func theKindThatWasNotAskedForLongestGivesWay() throws {
        let (old, middle, new) = (try Self.key("old"), try Self.key("middle"), try Self.key("new"))
        var plan = WarmPlan(perKeyMax: 1, totalMax: 2)
        for key in [old, middle] {
            _ = plan.begin(key)
            expectEqual(plan.next(), key)
            plan.made(key, isReady: true)
        }
        _ = plan.begin(new)
        expectEqual(plan.next(), nil, "full")
        expectEqual(plan.displaced(by: new), old)
        expectEqual(plan.next(), new)
    }

    @Test func whatNobodyAsksForIsForgotten() throws {
        let key = try Self.key("a")
        var (plan, mark) = (WarmPlan(perKeyMax: 2, totalMax: 3), 0)
        for _ in 0..<2 { _ = plan.begin(key) }
        for _ in 0..<2 {
            _ = plan.next()
            plan.made(key, isReady: true)
        }
        for _ in 0..<2 { plan.end(key) }
        expectEqual(plan.forgetIdle(since: &mark), [], "asked for since the last time")
        expectEqual(plan.forgetIdle(since: &mark), [key, key])
        #expect(!plan.knows(key))
    }

    @Test func jobsThatDifferInAnythingButInputAndTimeAreOfAnotherKind() throws {
        func key(
            root: String = "/a", command: [String] = ["/a"], environment: [String] = [], folder: String = "/", level: TrustLevel = .untrusted,
            timeout: Duration = .seconds(1), input: [UInt8] = []
        ) throws -> WarmKey? {
            WarmKey(
                CageContents(
                    try CagedJob(
                        id: ContainerID("x"), rootFolder: root, command: command, environment: environment, workingFolder: folder, level: level,
                        timeout: timeout, input: input)))
        }
        let plain = try key()
        #expect(try key(timeout: .seconds(2), input: [1]) == plain)
        let others = [
            try key(root: "/b"), try key(command: ["/b"]), try key(environment: ["A=b"]), try key(folder: "/b"), try key(level: .basic),
        ]
        #expect(others.allSatisfy { $0 != plain })
    }
}

extension LiveSandbox {
    /// Jobs that find a container ready are like all others.
    @Suite struct WarmPoolTests {
        private static func withWarmHost(_ body: (LiveHost) async throws -> Void) async throws {
            let host = try LiveHost(warm: 2)
            do {
                try await body(host)
            } catch {
                await host.sandbox.shutdown()
                throw error
            }
            await host.sandbox.shutdown()
            try host.expectNothingLeft()
        }

        /// Returns once so many wait.
        private static func untilReady(_ count: Int, _ host: LiveHost) async -> Bool {
            await eventually { await host.sandbox.readyCount >= count }
        }

        @Test func eachJobGetsItsOwnContainerInputAndEnd() async throws {
            try await Self.withWarmHost { (host) async throws -> Void in
                for code in [3, 0, 255, 137, 7] {
                    let (end, _) = try await host.run(host.job("nonzero-exit", input: "\(code)\n"))
                    #expect(end.cause == .exited(code: code))
                    #expect(await Self.untilReady(1, host))
                }
            }
        }

        @Test(arguments: [("eats-memory", EndCause.outOfMemory), ("crashes", .killed(signal: 11))])
        func itEndsAsInAColdOne(program: String, cause: EndCause) async throws {
            try await Self.withWarmHost { (host) async throws -> Void in
                for _ in 0..<2 {
                    #expect(try await host.run(host.job(program)).end.cause == cause)
                    #expect(await Self.untilReady(1, host))
                }
            }
        }

        @Test func itsTimeIsTheJobsOwn() async throws {
            try await Self.withWarmHost { (host) async throws -> Void in
                _ = try await host.run(host.job("ignores-time", timeout: .milliseconds(100)))
                #expect(await Self.untilReady(1, host))
                let end = try await host.run(host.job("ignores-time", timeout: .milliseconds(300))).end
                #expect(end.cause == .timedOut)
                #expect((Duration.milliseconds(300)...Duration.seconds(5)).contains(end.wallTime), "\(end.wallTime)")
            }
        }

        /// Whatever kills it while it waits: the job is made a container of its own.
        @Test func oneThatHasDiedIsNoFailure() async throws {
            try await Self.withWarmHost { (host) async throws -> Void in
                _ = try await host.run(host.job("ignores-input"))
                #expect(await Self.untilReady(1, host))
                for folder in host.groupFolders("warm-1") {
                    let processes = try String(contentsOfFile: "\(folder)/cgroup.procs", encoding: .utf8).split(separator: "\n").compactMap {
                        pid_t($0)
                    }
                    for process in processes where process > 1 { kill(process, SIGKILL) }
                }
                #expect(try await host.run(host.job("ignores-input")).end.cause == .exited(code: 0))
            }
        }

        @Test func eightAtOnceAndAHundredInARowLeaveNothing() async throws {
            try await Self.withWarmHost { (host) async throws -> Void in
                try await withThrowingTaskGroup(of: EndCause.self) { group in
                    for _ in 0..<8 { group.addTask { try await host.run(host.job("ignores-input")).end.cause } }
                    var started = 8
                    while let cause = try await group.next() {
                        #expect(cause == .exited(code: 0))
                        guard started < 100 else { continue }
                        started += 1
                        group.addTask { try await host.run(host.job("ignores-input")).end.cause }
                    }
                }
            }
        }
    }
}

import Domain
import IslandLink
import JSON
import Testing

@testable import Island
@testable import OCI
@testable import Sandbox

@Suite(.timeLimit(.minutes(5))) struct AttemptRunnerTests {
    /// Runs an assignment to its end and returns all that the Island would say.
    static func run(_ assignment: CoordinatorMessage.Assignment, _ runner: AttemptRunner) async -> [IslandMessage] {
        let holdings = Holdings()
        _ = await holdings.take(assignment.attempt)
        let running = Task { await runner.run(assignment, holdings) }
        var messages: [IslandMessage] = []
        while true {
            messages += await holdings.drain()
            if case .finished? = messages.last { break }
            try? await holdings.waitForNews()
        }
        // The coordinator has taken note.
        await holdings.forget(assignment.attempt)
        await running.value
        return messages
    }

    static func failure(_ messages: [IslandMessage]) -> JobFailure? {
        guard case .finished(let end)? = messages.last else { return nil }
        return end.failure
    }

    @Test func aCargosFramesGoOutAndItsEndComesLast() async {
        let sandbox = FakeSandbox(writing: #"{"type":"token","content":"1"}"#, #"{"type":"x"}"#, #"{"type":"done","usage":{"tokens":1}}"#)
        let messages = await Self.run(Samples.assignment(), Samples.runner(sandbox))
        let frames = messages.compactMap { message -> [JSONObject]? in if case .frames(_, _, let frames) = message { frames } else { nil } }.flatMap(
            \.self)
        #expect(messages.first == .started(Samples.attempt))
        #expect(frames == [Samples.token("1"), ["type": "x"]])
        #expect(
            messages.last
                == .finished(
                    .init(
                        attempt: Samples.attempt, frames: 2, done: ["type": "done", "usage": ["tokens": 1]], failure: nil, runMilliseconds: 1500,
                        cpuMilliseconds: 700, peakMemoryBytes: 4096)))
    }

    @Test func theCargoRunsAsItsImageAndAssignmentSay() async throws {
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        _ = await Self.run(Samples.assignment(level: .basic, timeout: 1000), Samples.runner(sandbox))
        let job = try #require(sandbox.jobs.first)
        #expect(job.rootFolder == "/images/" + String(repeating: "a", count: 64))
        #expect(job.command == ["/cargo", "--fast"])
        #expect(job.environment == ["A=b"])
        #expect(job.workingFolder == "/work")
        #expect(job.level == .basic)
        #expect(job.timeout == .seconds(1))
        #expect(String(decoding: job.input, as: UTF8.self) == #"{"prompt":"Hello"}"#)
    }

    /// Another kind than containers: the same cage, with the runner's program and the Cargo's file in it.
    @Test func aRunnerOfAnotherKindRunsInTheSameCage() async throws {
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        let messages = await Self.run(Samples.assignment(runtime: .wasm), Samples.runner(sandbox))
        guard case .finished(let end) = messages.last else {
            Issue.record("\(messages)")
            return
        }
        #expect(end.failure == nil && end.done != nil)
        let job = try #require(sandbox.jobs.first)
        #expect(job.rootFolder == "/runners/wasm" && job.command == ["/runner", "/module"] && job.level == .untrusted)
        #expect(job.mounts == [ReadOnlyMount(source: "/blobs/" + String(repeating: "a", count: 64), destination: "/module")])
    }

    /// DESIGN §5.3: "An Island refuses an assignment that it can't verify … with a coded reason."
    static let refused: [(String, CoordinatorMessage.Assignment, String)] = [
        ("a level that this Island does not enforce", Samples.assignment(level: .official), "level_not_enforced"),
        ("a level that needs a signature", Samples.assignment(level: .verified), "signature_missing"),
        ("a registry that only looks approved", Samples.assignment(image: "ghcr.io/archipelag-io-evil/x:v1.0.0"), "registry_not_approved"),
        ("another registry", Samples.assignment(image: "quay.io/x/y:v1.0.0"), "registry_not_approved"),
        ("another runtime", Samples.assignment(runtime: .onnx), "runtime_not_supported"),
        ("a reference that is none", Samples.assignment(image: "x"), "invalid_reference"),
        ("a digest that is none", Samples.assignment(digest: "sha256:short"), "invalid_digest"),
        ("an empty digest", Samples.assignment(digest: ""), "invalid_digest"),
    ]

    @Test(arguments: refused.indices)
    func refusesWhatItCannotVerifyOrEnforceAndRunsNothing(row: Int) async {
        let (name, assignment, code) = Self.refused[row]
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        let messages = await Self.run(assignment, Samples.runner(sandbox, levels: [.untrusted, .basic, .verified]))
        #expect(Self.failure(messages)?.code == code, "\(name)")
        #expect(Self.failure(messages)?.fault == .island, "\(name)")
        #expect(messages.count == 1, "\(name): only the end is said")
        #expect(sandbox.jobs.isEmpty)
    }

    @Test(arguments: [OCIError.Code.digestMismatch, .notFound, .registryUnavailable, .hostileLayer, .noMatchingPlatform])
    func anImageThatCannotBeMadeReadyIsTheIslandsFault(code: OCIError.Code) async {
        let sandbox = FakeSandbox(writing: #"{"type":"done"}"#)
        let runner = Samples.runner(sandbox, images: FakeImageProvider(failure: OCIError(code, "said so", cause: "secret")))
        let failure = Self.failure(await Self.run(Samples.assignment(), runner))
        #expect(failure?.fault == .island)
        #expect(failure?.code == code.rawValue)
        #expect(failure?.message.contains("secret") == false)
        #expect(sandbox.jobs.isEmpty)
    }

    @Test func anImageWithoutAProgramIsTheCargosFault() async {
        let runner = Samples.runner(FakeSandbox(writing: ""), images: FakeImageProvider(process: .init()))
        let failure = Self.failure(await Self.run(Samples.assignment(), runner))
        #expect(failure?.fault == .cargo)
        #expect(failure?.code == "no_entrypoint")
    }

    @Test(arguments: SandboxError.Code.allCases)
    func aSandboxThatCannotRunTheJobIsToldApartByItsFault(code: SandboxError.Code) async {
        let sandbox = FakeSandbox { _, _ in throw SandboxError(code, "said so", cause: "/secret/path") }
        let failure = Self.failure(await Self.run(Samples.assignment(), Samples.runner(sandbox)))
        let isTheCargos = [.invalidJob, .unusableRoot, .commandCannotStart].contains(code)
        #expect(failure?.fault == (isTheCargos ? .cargo : .island))
        #expect(failure?.code == code.rawValue)
        #expect(failure?.message.contains("secret") == false)
    }

    @Test func anUnknownErrorIsTheIslandsFaultAndItsTextStaysHere() async {
        struct Surprise: Error { let secret = "/secret/path" }
        let failure = Self.failure(await Self.run(Samples.assignment(), Samples.runner(FakeSandbox { _, _ in throw Surprise() })))
        #expect(failure == JobFailure(fault: .island, code: "internal", message: "The Island failed."))
    }

    @Test func aViolationEndsTheRunAfterTheFramesBeforeIt() async {
        let sandbox = FakeSandbox(writing: #"{"type":"token","content":"1"}"#, "nonsense", #"{"type":"done"}"#)
        let messages = await Self.run(Samples.assignment(), Samples.runner(sandbox))
        #expect(Self.failure(messages)?.code == "not_json")
        #expect(Self.failure(messages)?.fault == .cargo)
        guard case .finished(let end)? = messages.last else { return }
        #expect(end.frames == 1)
    }

    @Test func aCancelledAttemptEndsItsRunAndIsForgotten() async {
        let started = Flag()
        let ended = Flag()
        let sandbox = FakeSandbox { _, _ in
            started.raise()
            // Until cancelled, as the port promises.
            while !Task.isCancelled { await Task.yield() }
            ended.raise()
            throw CancellationError()
        }
        let holdings = Holdings()
        _ = await holdings.take(Samples.attempt)
        let running = Task { await Samples.runner(sandbox).run(Samples.assignment(), holdings) }
        while !started.isRaised { await Task.yield() }
        await holdings.cancel(Samples.attempt)
        await running.value
        #expect(ended.isRaised)
        #expect(await holdings.attempts == [])
        #expect(await holdings.drain() == [])
    }

    @Test func anIslandThatStopsEndsItsRunsAndSaysNothingOfThem() async {
        let started = Flag()
        let sandbox = FakeSandbox { _, _ in
            started.raise()
            while !Task.isCancelled { await Task.yield() }
            throw CancellationError()
        }
        let holdings = Holdings()
        _ = await holdings.take(Samples.attempt)
        let running = Task { await Samples.runner(sandbox).run(Samples.assignment(), holdings) }
        while !started.isRaised { await Task.yield() }
        running.cancel()
        await running.value
        #expect(await holdings.drain().allSatisfy { $0 == .started(Samples.attempt) })
    }

    /// Behind a broken link nobody makes room; an Island that stops must not wait for it.
    @Test func anIslandThatStopsDoesNotWaitForRoom() async {
        let isFull = Flag()
        let sandbox = FakeSandbox { _, output in
            let line = Array((#"{"type":"token","content":"x"}"# + "\n").utf8)
            // 8192 frames fill the pipeline; the next one waits.
            try await output(Array(repeating: line, count: 8192).flatMap(\.self))
            isFull.raise()
            try await output(line)
            return .ended(.exited(code: 0))
        }
        let holdings = Holdings()
        _ = await holdings.take(Samples.attempt)
        let running = Task { await Samples.runner(sandbox).run(Samples.assignment(), holdings) }
        while !isFull.isRaised { await Task.yield() }
        running.cancel()
        await running.value
    }

    /// A refusal is over at once; the one who waits for a cancellation beside it must not wait for ever.
    @Test func aRunThatIsOverAtOnceReturns() async {
        let runner = Samples.runner(FakeSandbox(writing: ""))
        for number in 1...500 {
            let holdings = Holdings()
            let attempt = AttemptID(job: "j", number: number)
            _ = await holdings.take(attempt)
            await runner.run(Samples.assignment(attempt, level: .official), holdings)
            #expect(await holdings.attempts == [attempt])
        }
    }
}

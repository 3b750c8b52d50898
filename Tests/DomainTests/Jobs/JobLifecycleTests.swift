import Domain
import TestSupport
import Testing

@Suite struct JobLifecycleTests {
    static let lost = JobFailure(fault: .island, code: "lease_lost", message: "gone")
    static let platform = JobFailure(fault: .platform, code: "internal", message: "ours")
    static let cargo = JobFailure(fault: .cargo, code: "nonzero_exit", message: "exit 1")

    /// A job at its `attempt`th attempt, running.
    static func running(_ attempt: Int) -> JobLifecycle { JobLifecycle(state: .running, attempt: attempt) }

    @Test func aJobGoesFromPendingOverQueuedAndRunningToCompleted() {
        var job = JobLifecycle()
        #expect(job.state == .pending && job.attempt == 0)
        #expect(job.placed() == .moved)
        #expect(job.state == .queued && job.attempt == 1)
        #expect(job.started(attempt: 1) == .moved)
        #expect(job.state == .running)
        #expect(job.ended(attempt: 1, .completed) == .finished(nil))
        #expect(job.state == .completed && job.firstCause == nil)
    }

    @Test(arguments: [
        ("pending", false), ("queued", false), ("running", false), ("completed", true), ("failed", true), ("cancelled", true), ("timeout", true),
    ])
    func theLastFourStatesAreTerminal(name: String, isTerminal: Bool) throws {
        #expect(try #require(JobState(rawValue: name)).isTerminal == isTerminal)
    }

    /// DESIGN §4.8: "`island` and `platform` faults are retried on another Island …; `cargo` faults are not".
    @Test(arguments: [("cargo", false), ("input", false), ("island", true), ("platform", true), ("consumer", false)])
    func onlyFaultsOfIslandAndPlatformAreRetried(name: String, isRetried: Bool) throws {
        let fault = try #require(FaultClass(rawValue: name))
        #expect(fault.isRetried == isRetried)
        var job = Self.running(1)
        let failure = JobFailure(fault: fault, code: "x", message: "x")
        #expect(job.ended(attempt: 1, .failed(failure)) == (isRetried ? .retry : .finished(failure)))
        #expect(job.state == (isRetried ? .pending : .failed))
    }

    @Test func thereAreThreeAttemptsAndTheFirstCauseIsKept() {
        var job = JobLifecycle()
        for (attempt, failure) in [(1, Self.lost), (2, Self.platform)] {
            #expect(job.placed() == .moved)
            #expect(job.attempt == attempt)
            #expect(job.started(attempt: attempt) == .moved)
            #expect(job.ended(attempt: attempt, .failed(failure)) == .retry)
            #expect(job.state == .pending)
        }
        #expect(job.placed() == .moved)
        #expect(job.ended(attempt: 3, .failed(Self.platform)) == .finished(Self.platform))
        #expect(job.state == .failed && job.attempt == 3)
        #expect(job.firstCause == Self.lost)
        #expect(job.placed() == .ignoredLate)
    }

    @Test func anAttemptCanEndBeforeItSaidThatItStarted() {
        var job = JobLifecycle(state: .queued, attempt: 1)
        #expect(job.ended(attempt: 1, .failed(Self.cargo)) == .finished(Self.cargo))
        #expect(job.state == .failed)
    }

    @Test func aCargoThatTakesTooLongEndsInTheStateTimeout() {
        var job = Self.running(1)
        let failure = JobFailure(fault: .cargo, code: "timeout", message: "too long")
        #expect(job.ended(attempt: 1, .failed(failure)) == .finished(failure))
        #expect(job.state == .timeout)
    }

    @Test(arguments: [0, 1, 3, Int.max])
    func theEndOrStartOfAnotherAttemptIsIgnored(attempt: Int) {
        for state in [JobState.queued, .running] {
            var job = JobLifecycle(state: state, attempt: 2)
            let before = job
            #expect(job.ended(attempt: attempt, .completed) == .ignoredLate)
            #expect(job.ended(attempt: attempt, .failed(Self.cargo)) == .ignoredLate)
            #expect(job.started(attempt: attempt) == .ignoredLate)
            #expect(job == before)
        }
    }

    @Test func theEndOfAnAttemptThatWaitsForTheNextOneIsIgnored() {
        var job = JobLifecycle(state: .pending, attempt: 1)
        #expect(job.ended(attempt: 1, .completed) == .ignoredLate)
        #expect(job.started(attempt: 1) == .ignoredLate)
        #expect(job.state == .pending)
    }

    @Test func placingAndStartingTwiceIsIgnored() {
        var job = JobLifecycle()
        _ = job.placed()
        #expect(job.placed() == .ignoredLate)
        _ = job.started(attempt: 1)
        #expect(job.started(attempt: 1) == .ignoredLate)
        #expect(job.attempt == 1)
    }

    @Test(arguments: JobState.allCases)
    func aJobIsCancelledInEveryStateThatIsNotTerminal(state: JobState) {
        var job = JobLifecycle(state: state, attempt: 1)
        let decision = job.cancelled()
        if state.isTerminal {
            #expect(decision == .ignoredLate)
            #expect(job.state == state)
        } else {
            guard case .finished(let failure?) = decision else {
                Issue.record("a cancelled job is finished")
                return
            }
            #expect(failure.fault == .consumer)
            #expect(failure.code == "cancelled")
            #expect(job.state == .cancelled)
        }
    }

    @Test(arguments: JobState.allCases)
    func aJobWhoseCargoIsTakenBackFailsInEveryStateThatIsNotTerminal(state: JobState) {
        var job = JobLifecycle(state: state, attempt: 1)
        // Not even a fault that is retried otherwise gives another attempt.
        let decision = job.withdrawn(Self.lost)
        #expect(decision == (state.isTerminal ? .ignoredLate : .finished(Self.lost)))
        #expect(job.state == (state.isTerminal ? state : .failed))
        #expect(job.attempt == 1)
    }

    @Test(arguments: JobState.allCases.filter(\.isTerminal))
    func nothingMovesAJobThatIsOver(state: JobState) {
        var job = JobLifecycle(state: state, attempt: 1)
        let before = job
        #expect(job.placed() == .ignoredLate)
        #expect(job.started(attempt: 1) == .ignoredLate)
        #expect(job.ended(attempt: 1, .completed) == .ignoredLate)
        #expect(job.ended(attempt: 1, .failed(Self.lost)) == .ignoredLate)
        #expect(job.cancelled() == .ignoredLate)
        #expect(job.withdrawn(Self.lost) == .ignoredLate)
        #expect(job == before)
    }

    @Test(arguments: UInt64(0)..<16)
    func randomEventsNeverLeaveATerminalStateNorExceedThreeAttempts(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<300 {
            var job = JobLifecycle()
            var finished = 0
            for _ in 0..<30 {
                let before = job
                let attempt = Int.random(in: 0...4, using: &random)
                let decision: JobLifecycle.Decision
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: decision = job.placed()
                case 2: decision = job.started(attempt: attempt)
                case 3: decision = job.ended(attempt: attempt, .failed(Bool.random(using: &random) ? Self.lost : Self.platform))
                case 4: decision = job.ended(attempt: attempt, Bool.random(using: &random) ? .completed : .failed(Self.cargo))
                default: decision = Int.random(in: 0..<8, using: &random) == 0 ? job.cancelled() : job.started(attempt: job.attempt)
                }
                if case .finished = decision { finished += 1 }
                let holds =
                    (!before.state.isTerminal || job == before) && (0...3).contains(job.attempt) && job.attempt >= before.attempt
                    && (decision != .ignoredLate || job == before) && (before.firstCause == nil || job.firstCause == before.firstCause)
                #expect(holds, "seed \(seed): \(before) became \(job) by \(decision)")
            }
            #expect(finished == (job.state.isTerminal ? 1 : 0), "seed \(seed): a job is finished once")
        }
    }
}

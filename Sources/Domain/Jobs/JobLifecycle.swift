/// Where a job stands.
public enum JobState: String, Sendable, Hashable, CaseIterable {
    /// Acknowledged, waiting for an Island.
    case pending
    /// Given to an Island that has not started it yet.
    case queued
    /// The Cargo runs.
    case running
    case completed, failed, cancelled, timeout

    /// Whether the job is over.
    public var isTerminal: Bool {
        switch self {
        case .pending, .queued, .running: false
        case .completed, .failed, .cancelled, .timeout: true
        }
    }
}

/// Why a job, or one attempt of it, failed.
public struct JobFailure: Sendable, Hashable {
    /// Who caused it.
    public let fault: FaultClass
    /// A stable name, for example `out_of_memory` or `lease_lost`.
    public let code: String
    /// The failure in words; safe to show to the Consumer.
    public let message: String

    /// A failure.
    public init(fault: FaultClass, code: String, message: String) {
        self.fault = fault
        self.code = code
        self.message = message
    }

    /// Who is to blame, as far as the Cargo's reputation goes: whoever allows a Cargo less time than its trust level does knows nothing of it when
    /// that time is over.
    ///
    /// - Parameters:
    ///   - timeout: what the job may take.
    ///   - levelTimeout: what the Cargo's trust level allows.
    public func blamed(timeout: Duration, levelTimeout: Duration) -> FaultClass {
        fault == .cargo && code == SandboxViolation.timeout.rawValue && timeout < levelTimeout ? .consumer : fault
    }
}

/// How one attempt ended.
public enum AttemptEnd: Sendable, Hashable {
    case completed
    case failed(JobFailure)
}

/// The life of a job as a pure state machine: events in, one decision out.
///
/// Execution is at least once, acceptance exactly once: the end of an attempt counts only while that attempt is the
/// current one, so a late result of an Island that lost its lease changes nothing.
public struct JobLifecycle: Sendable, Hashable {
    /// Where the job stands.
    public private(set) var state: JobState
    /// The number of the current attempt, the fencing number; 0 before the first.
    public private(set) var attempt: Int
    /// The failure that caused the first retry, kept for the last word.
    public private(set) var firstCause: JobFailure?

    /// Attempts at most, the first included. Source: DESIGN §4.8.
    public static let attemptsMax = 3

    /// A job as it was stored; by default a new one.
    public init(state: JobState = .pending, attempt: Int = 0, firstCause: JobFailure? = nil) {
        self.state = state
        self.attempt = attempt
        self.firstCause = firstCause
    }

    /// What follows from an event.
    public enum Decision: Sendable, Hashable {
        /// The event came too late or twice; nothing changes, the event is kept as evidence.
        case ignoredLate
        /// The state moved on.
        case moved
        /// The attempt is lost; the job waits for another Island.
        case retry
        /// The job is over; for a failure, why.
        case finished(JobFailure?)
    }

    /// An Island was chosen: the job is `queued` under the next attempt number.
    public mutating func placed() -> Decision {
        guard state == .pending else { return .ignoredLate }
        attempt += 1
        state = .queued
        return .moved
    }

    /// The Island says that the Cargo of an attempt runs.
    public mutating func started(attempt started: Int) -> Decision {
        guard state == .queued, started == attempt else { return .ignoredLate }
        state = .running
        return .moved
    }

    /// An attempt ended, by its Island's word or because its lease was lost.
    public mutating func ended(attempt ended: Int, _ end: AttemptEnd) -> Decision {
        guard state == .queued || state == .running, ended == attempt else { return .ignoredLate }
        switch end {
        case .completed:
            state = .completed
            return .finished(nil)
        case .failed(let failure):
            if failure.fault.isRetried, attempt < Self.attemptsMax {
                firstCause = firstCause ?? failure
                state = .pending
                return .retry
            }
            state = failure.code == SandboxViolation.timeout.rawValue ? .timeout : .failed
            return .finished(failure)
        }
    }

    /// What it would run, or runs, may not be run any more: no attempt follows.
    public mutating func withdrawn(_ failure: JobFailure) -> Decision {
        guard !state.isTerminal else { return .ignoredLate }
        state = .failed
        return .finished(failure)
    }

    /// The Consumer wants no more of it.
    public mutating func cancelled() -> Decision {
        guard !state.isTerminal else { return .ignoredLate }
        state = .cancelled
        return .finished(JobFailure(fault: .consumer, code: "cancelled", message: "The job was cancelled."))
    }
}

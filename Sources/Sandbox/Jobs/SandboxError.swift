public import Domain

/// A job could not be run, or an Island cannot hold what it promises. How a Cargo itself ended is never an error: see ``EndCause``.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A container that was ready has died before it was started; nothing of the job has run.
        case notStarted = "not_started"
        /// The job's description breaks a bound: a programmer's or an image's mistake, known before anything is started.
        case invalidJob = "invalid_job"
        /// The image's folder cannot be the root of a container.
        case unusableRoot = "unusable_root"
        /// The image's command or working folder is missing or is no program for this machine.
        case commandCannotStart = "command_cannot_start"
        /// The level is not enforced by this sandbox.
        case levelNotEnforced = "level_not_enforced"
        /// A job of this name is running.
        case alreadyRunning = "already_running"
        /// The sandbox is shut down, or its state folder belongs to another process.
        case unavailable
        /// The host refused a step: no memory, no descriptors, no rights.
        case systemCall = "system_call"
        /// The container runtime failed or did not answer.
        case runtime
        /// The strict filter was not put in force. The Cargo was never started.
        case cageEntry = "cage_entry"
        /// The control groups cannot be read, so how the job ended cannot be told.
        case controlGroups = "control_groups"
        /// The job is over, but a part of its container is still there.
        case cleanUp = "clean_up"
    }

    /// What kind of failure.
    public let code: Code
    /// What happened, safe to show: no path of the host, no output of the job.
    public let message: String
    /// The detail for the log: paths, error texts.
    public let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Who has to answer for it. The Island, but for what only the image can have caused.
    public var fault: FaultClass {
        switch code {
        case .invalidJob, .unusableRoot, .commandCannotStart: .cargo
        case .levelNotEnforced, .alreadyRunning, .unavailable, .systemCall, .runtime, .notStarted, .cageEntry, .controlGroups,
            .cleanUp:
            .island
        }
    }

    /// Code, message and cause, for the log.
    public var description: String { "\(code.rawValue): \(message)" + (cause.map { " (\($0))" } ?? "") }
}

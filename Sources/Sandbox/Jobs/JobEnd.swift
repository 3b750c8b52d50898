/// Why a Cargo's run was over.
public enum EndCause: Sendable, Hashable {
    /// It ended itself. `code` is in `0...255`; 0 is success.
    case exited(code: Int)
    /// Its time was up, and it was killed with all that it had started.
    case timedOut
    /// The kernel killed it, or a process that it had started, for memory.
    case outOfMemory
    /// It made a system call that its level forbids. `name` is `nil` where the kernel's log does not tell (it is rate limited).
    case forbiddenSyscall(name: String?)
    /// A signal ended it, such as 11, a fault of its own.
    case killed(signal: Int)
}

/// How a run ended and what it used.
public struct JobEnd: Sendable, Hashable {
    /// Why it was over.
    public let cause: EndCause
    /// From the start of the Cargo to its end.
    public let wallTime: Duration
    /// Processor time of all its processes.
    public let cpuTime: Duration
    /// Most memory in use at once, by all its processes and its files in `/tmp`, in bytes. Up to about 3 MiB of it belongs to the
    /// container's start where the kernel cannot begin a new count (control groups 2).
    public let peakMemoryBytes: Int
    /// The end of what it wrote to standard error, any bytes, at most 64 KiB.
    public let standardError: [UInt8]

    /// How a job ended.
    public init(cause: EndCause, wallTime: Duration, cpuTime: Duration, peakMemoryBytes: Int, standardError: [UInt8]) {
        self.cause = cause
        self.wallTime = wallTime
        self.cpuTime = cpuTime
        self.peakMemoryBytes = peakMemoryBytes
        self.standardError = standardError
    }
}

/// All that is known about an ended container.
struct EndEvidence: Sendable, Hashable {
    /// As `wait4` gives it.
    var waitStatus: Int32
    /// Processes of the container that the kernel killed for memory.
    var memoryKills: Int
    /// Whether the sandbox killed it because its time was up.
    var hadTimedOut: Bool
    /// The call of a kill by the filter.
    var forbiddenCall: String?
}

extension EndCause {
    /// SIGKILL and SIGSYS. Source: signal(7), the same numbers on x86-64 and arm64.
    private static let killSignal = 9
    private static let badCallSignal = 31

    /// Tells the cause from the evidence.
    ///
    /// In this order: memory, whoever of the Cargo's processes was killed and whatever the others made of it (a Cargo that lost a
    /// process has not done its work, and one that hangs after that failed for memory, not for time); time, if the kill is what
    /// ended it; a forbidden call, since only a filter can end the first process of a container with SIGSYS; then the plain end.
    init(_ evidence: EndEvidence) {
        let signal = Int(evidence.waitStatus & 0x7F)
        if evidence.memoryKills > 0 {
            self = .outOfMemory
        } else if evidence.hadTimedOut, signal == Self.killSignal {
            self = .timedOut
        } else if signal == Self.badCallSignal {
            self = .forbiddenSyscall(name: evidence.forbiddenCall)
        } else if signal != 0 {
            self = .killed(signal: signal)
        } else {
            self = .exited(code: Int(evidence.waitStatus >> 8) & 0xFF)
        }
    }
}

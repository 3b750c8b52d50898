public import Domain

extension EndCause {
    /// The limit that the Cargo broke, and how to say so; `nil` when it exited by itself, with whatever code.
    public func violation(of limits: LevelLimits) -> (kind: SandboxViolation, message: String)? {
        switch self {
        case .exited: nil
        case .timedOut: (.timeout, "The Cargo did not end within its time.")
        case .outOfMemory: (.outOfMemory, "The Cargo needed more than its \(limits.memoryBytes >> 20) MiB of memory.")
        case .forbiddenSyscall(let name):
            (.forbiddenSyscall, "The Cargo made a system call that its level forbids\(name.map { ": \($0)" } ?? "").")
        case .killed(let signal): (.killed, "The Cargo was ended by signal \(signal).")
        }
    }
}

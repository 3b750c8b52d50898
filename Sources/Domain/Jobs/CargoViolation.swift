/// A named way in which a Cargo breaks the I/O protocol or the limits of its sandbox. All are faults of class `cargo`.
public enum CargoViolation: String, Sendable, Hashable, CaseIterable {
    case notJSON = "not_json"
    case notObject = "not_object"
    case missingType = "missing_type"
    case missingField = "missing_field"
    case frameTooLarge = "frame_too_large"
    case transcriptTooLarge = "transcript_too_large"
    case noTerminalFrame = "no_terminal_frame"
    case frameAfterTerminal = "frame_after_terminal"
    case nonzeroExit = "nonzero_exit"
    case timeout
    case outOfMemory = "out_of_memory"
    case forbiddenSyscall = "forbidden_syscall"
    case killed
}

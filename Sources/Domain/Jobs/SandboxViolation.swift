/// A named way in which a Cargo breaks the limits of its sandbox. All are faults of class `cargo`.
///
/// The violations of the I/O protocol (`not_json`, …) are named in `CargoIO`, which finds them. Source: DESIGN §4.7.
public enum SandboxViolation: String, Sendable, Hashable, CaseIterable {
    case timeout
    case outOfMemory = "out_of_memory"
    case forbiddenSyscall = "forbidden_syscall"
    case killed
}

/// What a Cargo of level 0 may ask of the kernel: enough to start, hold memory, read its input and write its output.
///
/// A call that is in neither list kills the Cargo. Chosen: found by adding what killed and then taking away what was not missed,
/// with static programs in C (with and without a C library), busybox and Swift, 60 clean runs each. On arm64 two of the allowed
/// calls do not exist, so 12 are left.
public enum MinimalCalls {
    /// The calls that work. 14.
    public static let allowed: [CallRule] = [
        CallRule("arch_prctl", "sets the thread pointer when a C program starts"),
        CallRule("brk", "grows the heap"),
        CallRule("close", "ends one of the three streams"),
        CallRule("execve", "the step from the cage entry to the Cargo; a program started later keeps the filter"),
        CallRule("exit", "ends the only thread"),
        CallRule("exit_group", "ends the Cargo"),
        CallRule("getrandom", "seeds hash tables; reveals nothing"),
        CallRule("mmap", "takes large blocks of memory; no file can be open to map"),
        CallRule("mprotect", "makes start-up data read-only"),
        CallRule("munmap", "gives large blocks back"),
        CallRule("read", "reads the input"),
        CallRule("readlink", "asked for /proc/self/exe when a static Swift program starts"),
        CallRule("rt_sigreturn", "returns from a signal handler; can only be reached through one"),
        CallRule("write", "writes the output"),
    ]

    /// The calls that are answered with EPERM, because start-up code asks them and lives with a refusal. 32.
    public static let refused: [CallRule] = [
        CallRule("access", "dynamic-loader habit of start-up code"),
        CallRule("clock_getres", "asked by run-time libraries; the clock itself is read without a call"),
        CallRule("clock_gettime", "asked where the clock cannot be read without a call"),
        CallRule("fcntl", "asked of the three streams at start-up"),
        CallRule("fstat", "standard output asks for its block size"),
        CallRule("getegid", "start-up check for set-user-id programs"),
        CallRule("geteuid", "start-up check for set-user-id programs"),
        CallRule("getgid", "start-up check for set-user-id programs"),
        CallRule("getpid", "asked by run-time libraries"),
        CallRule("getrlimit", "asked for the size of the stack"),
        CallRule("gettid", "asked by run-time libraries"),
        CallRule("getuid", "start-up check for set-user-id programs"),
        CallRule("ioctl", "standard output asks whether it is a terminal"),
        CallRule("lseek", "standard input asks whether it can be rewound"),
        CallRule("madvise", "a hint that allocators give; nothing depends on it"),
        CallRule("newfstatat", "standard output asks for its block size"),
        CallRule("open", "start-up code looks for configuration; level 0 has no files"),
        CallRule("openat", "start-up code looks for configuration; level 0 has no files"),
        CallRule("prctl", "names the thread"),
        CallRule("prlimit64", "asked for the size of the stack"),
        CallRule("readlinkat", "asked for /proc/self/exe on arm64"),
        CallRule("rseq", "registers restartable sequences; optional"),
        CallRule("rt_sigaction", "installs handlers; a Cargo of level 0 has none"),
        CallRule("rt_sigprocmask", "blocks signals round start-up; optional"),
        CallRule("sched_getaffinity", "counts the processors"),
        CallRule("sendfile", "busybox copies with it and falls back to read and write"),
        CallRule("set_robust_list", "registers locks of the thread; optional with one thread"),
        CallRule("set_tid_address", "registers the thread; optional with one thread"),
        CallRule("setgid", "busybox drops privileges it does not have"),
        CallRule("setuid", "busybox drops privileges it does not have"),
        CallRule("sysinfo", "asks how much memory there is"),
        CallRule("uname", "asks the kernel's version"),
    ]

    /// Returns the filter of level 0 for an architecture.
    ///
    /// - Returns: a whole program, as ``BPFAssembler`` makes it.
    public static func filter(for architecture: Architecture) -> [BPFInstruction] {
        BPFAssembler.program(
            architecture: architecture,
            allowed: allowed.compactMap { SystemCallNumbers.number(of: $0.name, on: architecture) },
            refused: refused.compactMap { SystemCallNumbers.number(of: $0.name, on: architecture) })
    }
}

/// The calls of the default profile: what programs with files, threads, processes and loopback sockets need.
///
/// At level 0 this is the outer filter, the one the container runtime itself lives under, and ``MinimalCalls`` stands inside it.
/// Chosen: found with wide workloads in Python, Node, Go, shell tools, Swift, ONNX Runtime and wasmtime.
public enum DefaultCalls {
    /// The calls that work whatever their arguments. 146.
    public static let allowed: [CallRule] = [
        CallRule.group(
            "data in and out of descriptors that are open",
            """
            read write readv writev pread64 pwrite64 close close_range lseek dup dup2 dup3 fcntl flock fsync \
            fdatasync truncate ftruncate fallocate sendfile copy_file_range pipe pipe2 poll ppoll select pselect6
            """),
        CallRule.group(
            "waiting for several things at once", "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 timerfd_create timerfd_settime"),
        CallRule.group(
            "files: the root is read-only and only /tmp can be written",
            """
            open openat creat stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat \
            getcwd chdir fchdir getdents64 mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink \
            symlinkat unlink unlinkat chmod fchmod fchmodat umask utimensat statfs fstatfs memfd_create getxattr lgetxattr
            """),
        CallRule.group("memory", "brk mmap munmap mremap mprotect madvise msync membarrier"),
        CallRule.group(
            "processes and threads of the Cargo's own, counted by its cgroup, and their ids",
            """
            execve fork vfork exit exit_group wait4 waitid kill tgkill getpid getppid gettid getpgrp getpgid setpgid \
            setsid getuid geteuid getgid getegid getgroups prlimit64 getrlimit getrusage sysinfo uname prctl \
            arch_prctl set_tid_address set_robust_list rseq futex sched_yield sched_getaffinity capget
            """),
        CallRule.group(
            "signals within the Cargo", "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigsuspend sigaltstack restart_syscall"),
        CallRule.group(
            "clocks and timers, none of which can be set",
            "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time timer_create timer_settime"),
        CallRule.group("random numbers", "getrandom"),
        CallRule.group(
            "talk over sockets that `socket` or `socketpair` let it have",
            """
            socketpair bind listen accept4 connect getsockname getpeername getsockopt setsockopt sendto recvfrom \
            sendmsg recvmsg shutdown
            """),
    ].flatMap { $0 }

    /// The calls that end the Cargo: no honest program makes them, and an attempt is evidence. 35.
    public static let killed: [CallRule] = [
        CallRule.group("reads or steers other processes", "ptrace process_vm_readv process_vm_writev"),
        CallRule.group(
            "kernel machinery with a long record of holes",
            "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register"),
        CallRule.group(
            "changes what the file system shows",
            "mount umount2 pivot_root move_mount open_tree fsopen fsmount fsconfig mount_setattr"),
        CallRule.group("enters or leaves namespaces", "unshare setns"),
        CallRule.group(
            "changes the kernel or the machine",
            "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff"),
        CallRule.group("keys are not namespaced", "keyctl add_key request_key"),
        CallRule.group("opens files by number, past every path check", "open_by_handle_at"),
        CallRule.group("reaches the hardware", "iopl ioperm modify_ldt"),
    ].flatMap { $0 }

    /// Every `CLONE_NEW…` flag of `clone`: a thread or process may be made, a namespace may not.
    /// Source: include/uapi/linux/sched.h; `CLONE_NEWTIME` is not among them, because it lies in the signal byte of `clone`.
    static let namespaceFlags: UInt64 = 0x7E02_0000

    /// The request that puts characters into a terminal's input. Source: include/uapi/asm-generic/ioctls.h, `TIOCSTI`.
    static let terminalInjection: UInt64 = 0x5412

    /// The address families that `socket` may ask for: unix, internet and internet 6. Not netlink, packet or vsock, which a
    /// network namespace does not hold.
    static let addressFamilies: [AddressFamily] = [.unix, .internet, .internet6]

    /// `ENOSYS`, the answer to `clone3`: C libraries then use `clone`, whose flags a filter can see.
    static let noSuchCall = 38

    /// `EPERM`, the answer to everything else.
    static let permissionDenied = 1

    /// The highest call by number that a profile must name: runc answers ENOSYS in place of the default for every call above the
    /// highest named one (opencontainers/runc pull request 2750).
    static let highestNamedCall = "futex_waitv"
}

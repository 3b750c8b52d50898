/// The one interface that Islands give to a module: WASI preview 1.
enum WASIInterface {
    /// The module that its functions are imported from.
    static let module = "wasi_snapshot_preview1"

    /// What becomes of an import of one of its functions.
    enum Treatment: Hashable {
        /// It works.
        case allowed
        /// It fails at run time: it reaches for files, and the sandbox opens no folder.
        case allowedWithoutFiles
        /// Refused, with the reason.
        case refused(String)
    }

    /// Returns what becomes of a function; `nil` when there is no such function.
    static func treatment(of name: String) -> Treatment? {
        if working.contains(name) { return .allowed }
        if files.contains(name) { return .allowedWithoutFiles }
        return refused[name].map(Treatment.refused)
    }

    /// Source: WASI snapshot preview 1, `wasi_snapshot_preview1.witx`; the same names are in wasi-libc's `wasi/api.h`.
    static let working: Set<String> = [
        "args_get", "args_sizes_get", "environ_get", "environ_sizes_get", "clock_res_get", "clock_time_get", "fd_advise", "fd_allocate",
        "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights", "fd_filestat_get",
        "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread", "fd_prestat_get", "fd_prestat_dir_name", "fd_pwrite", "fd_read",
        "fd_readdir", "fd_renumber", "fd_seek", "fd_sync", "fd_tell", "fd_write", "poll_oneoff", "proc_exit", "sched_yield", "random_get",
    ]

    /// Source: as above. Chosen: C libraries import them for every program that might open a file; with no folder opened beforehand
    /// there is nothing that they could reach.
    static let files: Set<String> = [
        "path_create_directory", "path_filestat_get", "path_filestat_set_times", "path_link", "path_open", "path_readlink",
        "path_remove_directory", "path_rename", "path_symlink", "path_unlink_file",
    ]

    /// Source: as above. Chosen: each for its reason.
    static let refused: [String: String] = [
        "sock_accept": socketReason, "sock_recv": socketReason, "sock_send": socketReason, "sock_shutdown": socketReason,
        "proc_raise": "signals are no part of a job, and runtimes do not implement them",
    ]

    private static let socketReason = "a Cargo has no sockets"
}

/* A command without a C library. Each flag adds one thing that the inspection looks for. */
#define FROM(module, name) __attribute__((import_module(module), import_name(name)))

FROM("wasi_snapshot_preview1", "proc_exit") void leave(int code);
#ifdef FILES
FROM("wasi_snapshot_preview1", "path_open")
int path_open(int, int, const char *, int, int, long long, long long, int, int *);
FROM("wasi_snapshot_preview1", "path_unlink_file") int path_unlink(int, const char *, int);
#endif
#ifdef SOCKETS
FROM("wasi_snapshot_preview1", "sock_send") int sock_send(int, const void *, int, int, int *);
FROM("wasi_snapshot_preview1", "proc_raise") int proc_raise(int);
#endif
#ifdef FOREIGN
FROM("env", "system") int host_system(const char *);
FROM("wasi_unstable", "fd_write") int old_write(int, const void *, int, int *);
FROM("wasi_snapshot_preview1", "fd_frobnicate") int no_such_function(int);
#endif

int counter = 7;
static const char path[] = "/etc/passwd";

__attribute__((export_name("_start"))) void start(void) {
#ifdef FILES
    int fd;
    counter += path_open(3, 0, path, 11, 0, 1, 1, 0, &fd) + path_unlink(3, path, 11);
#endif
#ifdef SOCKETS
    int sent;
    counter += sock_send(4, path, 1, 0, &sent) + proc_raise(9);
#endif
#ifdef FOREIGN
    counter += host_system(path) + old_write(1, path, 1, &counter) + no_such_function(1);
#endif
    leave(counter + path[counter & 7]);
}

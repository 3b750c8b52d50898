#define _GNU_SOURCE
#include "SandboxKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a call until no signal interrupts it, and answers its value or the negative errno. */
#define RETRIED(call)                                       \
    ({                                                      \
        __typeof__(call) result_;                           \
        do result_ = (call);                                \
        while (result_ == -1 && errno == EINTR);            \
        result_ == -1 ? (__typeof__(call)) - errno : result_; \
    })

static int failed(int result) { return result == -1 ? -errno : result; }

int kernel_become_subreaper(void) { return failed(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

/* Moves a descriptor above standard input, output and error. */
static int lifted(int descriptor) {
    if (descriptor > STDERR_FILENO) return descriptor;
    int higher = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int result = higher == -1 ? -errno : higher;
    close(descriptor);
    return result;
}

static int lift_both(int ends[2]) {
    ends[0] = lifted(ends[0]);
    ends[1] = lifted(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0) return 0;
    int result = ends[0] < 0 ? ends[0] : ends[1];
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    return result;
}

int kernel_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == -1 ? -errno : lift_both(ends); }

int kernel_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1 ? -errno : lift_both(ends);
}

int kernel_connect_local(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (end == -1) return -errno;
    end = lifted(end);
    if (end < 0) return end;
    /* A local connection is made at once or not at all: EAGAIN says that too many wait to be accepted. */
    int result = RETRIED(connect(end, (struct sockaddr *)&address, sizeof address));
    if (result == 0) return end;
    close(end);
    return result;
}

int kernel_event(void) { return failed(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
int kernel_open(const char *path, int flags, mode_t mode) { return RETRIED(open(path, flags | O_CLOEXEC, mode)); }
/* Linux has closed the descriptor even when it answers EINTR: not made again. */
int kernel_close(int descriptor) { return failed(close(descriptor)); }
int kernel_end_writing(int descriptor) { return failed(shutdown(descriptor, SHUT_WR)); }
int kernel_lock_exclusively(int descriptor) { return RETRIED(flock(descriptor, LOCK_EX | LOCK_NB)); }

int kernel_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags == -1 ? -errno : failed(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK));
}

ssize_t kernel_read(int descriptor, void *buffer, size_t count) { return RETRIED(read(descriptor, buffer, count)); }
ssize_t kernel_write(int descriptor, const void *buffer, size_t count) { return RETRIED(write(descriptor, buffer, count)); }
ssize_t kernel_send(int descriptor, const void *buffer, size_t count) {
    return RETRIED(send(descriptor, buffer, count, MSG_NOSIGNAL));
}

int kernel_poll(struct pollfd *descriptors, size_t count, int milliseconds) {
    int result = failed(poll(descriptors, count, milliseconds));
    return result == -EINTR ? 0 : result;
}

int kernel_seek_to_end(int descriptor) { return lseek(descriptor, 0, SEEK_END) == -1 ? -errno : 0; }

pid_t kernel_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[], size_t count) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t process = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    for (size_t at = 0; !error && at < count; at++)
        error = posix_spawn_file_actions_adddup2(&actions, descriptors[at], (int)at);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, (int)count);
    sigemptyset(&none);
    sigfillset(&all);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!error) error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : process;
}

int kernel_process_open(pid_t process) { return failed((int)syscall(SYS_pidfd_open, process, 0)); }

int kernel_process_signal(int descriptor, int signal) {
    return failed((int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0));
}

pid_t kernel_wait(pid_t process, int wait, int *status) {
    return RETRIED(wait4(process, status, wait ? 0 : WNOHANG, NULL));
}

int kernel_kill(pid_t process, int signal) { return failed(kill(process, signal)); }

struct thread_start {
    void (*body)(void *);
    void *context;
};

static void *run_thread(void *pointer) {
    struct thread_start start = *(struct thread_start *)pointer;
    free(pointer);
    start.body(start.context);
    return NULL;
}

int kernel_set_thread_apart(int mounts) {
    if (unshare(CLONE_FS | (mounts ? CLONE_NEWNS : 0)) == -1) return -errno;
    return mounts ? failed(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) : 0;
}

int kernel_enter_folder(const char *path) { return failed(chdir(path)); }

int kernel_mount_overlay(const char *options, const char *path, int read_only) {
    return failed(mount("overlay", path, "overlay", MS_NOSUID | MS_NODEV | (read_only ? MS_RDONLY : 0), options));
}

int kernel_unmount(const char *path) { return failed(umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW)); }

int kernel_process_take_descriptor(int process, int descriptor) {
    int result = failed(syscall(SYS_pidfd_getfd, process, descriptor, 0));
    return result < 0 ? result : lifted(result);
}

/* The kernel fills in as much as its own structure has, which may be more than this one's when it is newer. */
union notification {
    struct seccomp_notif call;
    char room[512];
};

int kernel_call_receive(int listener, struct kernel_call *call) {
    union notification found;
    memset(&found, 0, sizeof found);
    int result = RETRIED(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &found.call));
    if (result < 0) return result;
    call->id = found.call.id;
    call->number = found.call.data.nr;
    call->architecture = found.call.data.arch;
    for (int index = 0; index < 6; index++) call->arguments[index] = found.call.data.args[index];
    return 0;
}

int kernel_call_answer(int listener, uint64_t id, int error) {
    struct seccomp_notif_resp answer = {.id = id, .error = -error, .flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    return RETRIED(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

int kernel_start_thread(void (*body)(void *), void *context) {
    struct thread_start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    *start = (struct thread_start){body, context};
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error) {
        free(start);
        return -error;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, run_thread, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) free(start);
    return -error;
}

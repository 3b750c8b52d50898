/* Tries one way out of a cage.
 *
 *   escapes NAME HOST-PROCESS HOST-PORT HOST-FILE      one way
 *   escapes --all HOST-PROCESS HOST-PORT HOST-FILE     every way, each in a process of its own
 *   escapes --list
 *
 * Writes a line a way: its name, and `escaped` where it worked, `refused` with an errno where it did not, `killed` with a signal where
 * the cage ended the process. The three facts of the host are what a Cargo must not reach: a process, a port of the loopback device, a file. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t host_process = 0;
static int host_port = 0;
static const char *host_file = "/etc/shadow";

/* For calls whose arguments are wrong on purpose: it is bad enough that the kernel looks at them. */
static int reached(long result) {
    return result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS) ? 0 : -1;
}

static int reads(const char *path) {
    char byte;
    int file = open(path, O_RDONLY | O_NONBLOCK);
    return file < 0 ? -1 : read(file, &byte, 1) == 1 ? 0 : (errno = errno ? errno : ENODATA, -1);
}

static int writes(const char *path, const char *text) {
    int file = open(path, O_WRONLY);
    return file < 0 ? -1 : write(file, text, strlen(text)) < 0 ? -1 : 0;
}

static int makes(const char *path) { return open(path, O_WRONLY | O_CREAT, 0600); }

static int connects(int family, const char *address, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    int file = socket(family, SOCK_STREAM, 0);
    if (file < 0) return -1;
    struct timeval limit = {.tv_sec = 2};
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return connect(file, (struct sockaddr *)&to, sizeof to);
}

static int sends(const char *address) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, address, &to.sin_addr);
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    return file < 0 ? -1 : sendto(file, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}

static int clones(unsigned long flags) {
    long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return child;
}

static int clones_by_structure(void) {
    struct clone_args wish = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &wish, sizeof wish);
    if (child == 0) _exit(0);
    return child;
}

static int enters(const char *path) {
    int file = open(path, O_RDONLY);
    return file < 0 ? -1 : setns(file, 0);
}

static int makes_device(void) {
    return mknod("/tmp/device", S_IFCHR | 0666, 0x103) ? -1 : open("/tmp/device", O_RDONLY);
}

static int becomes_owner_by_program(void) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        execl("/setuid", "/setuid", "--am-i-root", NULL);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 77 ? 0 : (errno = EPERM, -1);
}

static int becomes_owner(void) {
    if (geteuid() == 0) return 0;
    return setuid(0) && setresuid(0, 0, 0) && setreuid(0, 0) ? -1 : 0;
}

static int has_capability(void) {
    for (int number = 0; number < 41; number++)
        if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) return 0;
    struct { uint32_t version; int process; } head = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } sets[2] = {{~0u, ~0u, 0}, {~0u, ~0u, 0}};
    return syscall(SYS_capset, &head, sets);
}

static int calls_as_32_bit(void) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); /* getpid of i386 */
    return result > 0 ? 0 : (errno = -result, -1);
#else
    return errno = ENOSYS, -1;
#endif
}

static int calls_as_x32(void) {
#ifdef __x86_64__
    return syscall(0x40000000 | 39) > 0 ? 0 : -1;
#else
    return errno = ENOSYS, -1;
#endif
}

/* Anything beyond standard input, output and error, and what looking itself needs. */
static int has_more_descriptors(void) {
    for (int number = 3; number < 256; number++)
        if (fcntl(number, F_GETFD) >= 0) return 0;
    return errno = EBADF, -1;
}

static int reaches_abstract_socket(void) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path + 1, sizeof to.sun_path - 1, "archipelago-escapes-%d", host_process);
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    return file < 0 ? -1 : connect(file, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(to.sun_path + 1));
}

static int sees_host_process(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", host_process);
    return access(path, F_OK);
}

static int sees_devices_of_network(void) {
    char text[8192] = "";
    int file = open("/proc/net/dev", O_RDONLY);
    if (file < 0 || read(file, text, sizeof text - 1) <= 0) return -1;
    int lines = 0;
    for (char *at = text; *at; at++) lines += *at == '\n';
    return lines > 3 ? 0 : (errno = ENODEV, -1);
}

static int sees_kernel_addresses(void) {
    char text[17] = "";
    int file = open("/proc/kallsyms", O_RDONLY);
    if (file < 0 || read(file, text, 16) != 16) return -1;
    return strcmp(text, "0000000000000000") ? 0 : (errno = EPERM, -1);
}

static int opens_by_number(void) {
    struct { struct file_handle head; unsigned char room[128]; } handle = {{.handle_bytes = 128}};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, "/", &handle.head, &mount_id, 0)) handle.head.handle_bytes = 8;
    return open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY);
}

static int reads_memory_of_others(void) {
    char byte;
    struct iovec own = {&byte, 1}, theirs = {(void *)0x400000, 1};
    return process_vm_readv(host_process, &own, 1, &theirs, 1, 0) == 1 ? 0 : -1;
}

static int runs_from_temporary(void) {
    char block[4096];
    int from = open("/proc/self/exe", O_RDONLY), to = open("/tmp/copy", O_WRONLY | O_CREAT, 0700);
    if (from < 0 || to < 0) return -1;
    for (long count; (count = read(from, block, sizeof block)) > 0;)
        if (write(to, block, count) != count) return -1;
    close(to);
    pid_t child = fork();
    if (child == 0) {
        execl("/tmp/copy", "/tmp/copy", "--list", NULL);
        _exit(99);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : (errno = EACCES, -1);
}

static int reads_the_log(void) {
    char text[64];
    return syscall(SYS_syslog, 3, text, sizeof text) > 0 ? 0 : -1;
}

static int sets_the_clock(void) {
    struct timeval now;
    return gettimeofday(&now, NULL) ? -1 : settimeofday(&now, NULL);
}

static int takes_real_time(void) {
    struct sched_param wish = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &wish);
}

static int raises_limits(void) {
    struct rlimit most = {1 << 22, 1 << 22};
    return setrlimit(RLIMIT_NOFILE, &most);
}

static int locks_memory(void) {
    void *block = mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? -1 : mlock(block, 64 << 20);
}

static int escapes_root_by_dots(void) {
    char path[4200] = "";
    for (int number = 0; number < 64; number++) strcat(path, "/..");
    strcat(path, host_file);
    return reads(path);
}

static int escapes_root_by_chroot(void) {
    if (mkdir("/tmp/inner", 0700) && errno != EEXIST) return -1;
    int outside = open("/", O_RDONLY);
    if (outside < 0 || chroot("/tmp/inner")) return -1;
    return fchdir(outside);
}

static int reads_through_first_process(void) {
    char path[4200];
    snprintf(path, sizeof path, "/proc/1/root%s", host_file);
    return reads(path);
}

#define ATTEMPTS \
    /* namespaces */ \
    A("user-namespace", unshare(CLONE_NEWUSER)) \
    A("mount-namespace", unshare(CLONE_NEWNS)) \
    A("process-namespace", unshare(CLONE_NEWPID)) \
    A("network-namespace", unshare(CLONE_NEWNET)) \
    A("cgroup-namespace", unshare(CLONE_NEWCGROUP)) \
    A("clone-user-namespace", clones(CLONE_NEWUSER)) \
    A("clone-mount-namespace", clones(CLONE_NEWNS)) \
    A("clone3-user-namespace", clones_by_structure()) \
    A("enter-namespace", enters("/proc/1/ns/mnt")) \
    /* mounts and roots */ \
    A("mount-memory", mount("none", "/tmp", "tmpfs", 0, "")) \
    A("mount-proc", mount("proc", "/tmp", "proc", 0, "")) \
    A("mount-bind", mount("/", "/tmp", "", MS_BIND, "")) \
    A("remount-root", mount("", "/", "", MS_REMOUNT | MS_BIND, "")) \
    A("unmount-proc", umount2("/proc/keys", MNT_DETACH)) \
    A("pivot-root", syscall(SYS_pivot_root, "/tmp", "/tmp")) \
    A("chroot", chroot("/tmp")) \
    A("chroot-and-out", escapes_root_by_chroot()) \
    A("new-mount-api", syscall(SYS_fsopen, "tmpfs", 0)) \
    A("open-tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1)) \
    A("handle", opens_by_number()) \
    A("dots", escapes_root_by_dots()) \
    A("first-process-root", reads_through_first_process()) \
    /* what the root and /dev hold */ \
    A("write-root", makes("/written")) \
    A("write-dev", makes("/dev/written")) \
    A("write-proc-setting", writes("/proc/sys/kernel/core_pattern", "|/tmp/x")) \
    A("write-hostname", writes("/proc/sys/kernel/hostname", "x")) \
    A("sysrq", writes("/proc/sysrq-trigger", "h")) \
    A("spare-me", writes("/proc/self/oom_score_adj", "-1000")) \
    A("kernel-memory", reads("/proc/kcore")) \
    A("kernel-addresses", sees_kernel_addresses()) \
    A("kernel-keys", reads("/proc/keys")) \
    A("kernel-log", reads_the_log()) \
    A("kernel-log-device", reads("/dev/kmsg")) \
    A("memory-device", reads("/dev/mem")) \
    A("virtual-machine", open("/dev/kvm", O_RDWR)) \
    A("tunnel-device", open("/dev/net/tun", O_RDWR)) \
    A("fuse-device", open("/dev/fuse", O_RDWR)) \
    A("make-device", makes_device()) \
    A("run-from-tmp", runs_from_temporary()) \
    A("host-file", reads(host_file)) \
    A("host-process", sees_host_process()) \
    A("network-devices", sees_devices_of_network()) \
    A("cgroup-write", makes("/sys/fs/cgroup/x")) \
    A("descriptors", has_more_descriptors()) \
    /* users and rights */ \
    A("user-0", becomes_owner()) \
    A("groups", setgroups(0, NULL)) \
    A("setuid-program", becomes_owner_by_program()) \
    A("capabilities", has_capability()) \
    A("new-privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : -1) \
    A("priority", setpriority(PRIO_PROCESS, 0, -20)) \
    A("real-time", takes_real_time()) \
    A("limits", raises_limits()) \
    A("lock-memory", locks_memory()) \
    /* other processes */ \
    A("trace-first", ptrace(PTRACE_ATTACH, 1, 0, 0)) \
    A("trace-host", ptrace(PTRACE_ATTACH, host_process, 0, 0)) \
    A("read-host-memory", reads_memory_of_others()) \
    A("signal-host", kill(host_process, 0)) \
    A("process-handle", syscall(SYS_pidfd_open, host_process, 0)) \
    /* sockets */ \
    A("packet-socket", socket(AF_PACKET, SOCK_RAW, 0)) \
    A("raw-socket", socket(AF_INET, SOCK_RAW, 1)) \
    A("vsock", socket(AF_VSOCK, SOCK_STREAM, 0)) \
    A("crypto-socket", socket(AF_ALG, SOCK_SEQPACKET, 0)) \
    A("key-socket", socket(AF_KEY, SOCK_RAW, 2)) \
    A("bluetooth", socket(AF_BLUETOOTH, SOCK_RAW, 1)) \
    A("host-loopback", connects(AF_INET, "127.0.0.1", host_port)) \
    A("host-abstract-socket", reaches_abstract_socket()) \
    A("metadata-service", connects(AF_INET, "169.254.169.254", 80)) \
    A("private-network", connects(AF_INET, "192.168.0.1", 80)) \
    A("name-server", sends("192.168.0.1")) \
    /* the kernel itself */ \
    A("bpf", reached(syscall(SYS_bpf, 0, "", 0))) \
    A("io-uring", reached(syscall(SYS_io_uring_setup, 1, ""))) \
    A("userfaultfd", reached(syscall(SYS_userfaultfd, 0))) \
    A("perf", reached(syscall(SYS_perf_event_open, "", 0, -1, -1, 0))) \
    A("module", reached(syscall(SYS_init_module, "", 0, ""))) \
    A("kexec", reached(syscall(SYS_kexec_load, 0, 0, 0, 0))) \
    A("keyring", reached(syscall(SYS_keyctl, 0, -3, 1))) \
    A("add-key", reached(syscall(SYS_add_key, "user", "x", "y", 1, -3))) \
    A("swap", reached(syscall(SYS_swapon, "/tmp", 0))) \
    A("clock", sets_the_clock()) \
    A("host-name", sethostname("x", 1)) \
    A("account", acct("/tmp/x")) \
    A("terminal", ioctl(0, TIOCSTI, "x")) \
    A("calls-32-bit", calls_as_32_bit()) \
    A("calls-x32", calls_as_x32())

static long try(const char *wish) {
#define A(name, attempt) if (!strcmp(wish, name)) return (attempt);
    ATTEMPTS
#undef A
    return -2;
}

static void say(const char *wish) {
    errno = 0;
    long result = try(wish);
    if (result >= 0) printf("%s escaped\n", wish);
    else printf("%s refused %d\n", wish, errno);
    fflush(stdout);
}

static const char *const names[] = {
#define A(name, attempt) name,
    ATTEMPTS
#undef A
};

int main(int count, char **arguments) {
    int all = sizeof names / sizeof *names;
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "--am-i-root")) return geteuid() == 0 ? 77 : 0;
    if (!strcmp(arguments[1], "--list")) {
        for (int number = 0; number < all; number++) puts(names[number]);
        return 0;
    }
    if (count != 5) return 2;
    host_process = atoi(arguments[2]);
    host_port = atoi(arguments[3]);
    host_file = arguments[4];
    if (strcmp(arguments[1], "--all")) {
        say(arguments[1]);
        return 0;
    }
    for (int number = 0; number < all; number++) {
        pid_t child = fork();
        if (child < 0) return 3;
        if (child == 0) {
            say(names[number]);
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child) return 3;
        if (WIFSIGNALED(status)) printf("%s killed %d\n", names[number], WTERMSIG(status));
        fflush(stdout);
    }
    return 0;
}

/* archipelago-cage-entry: the last step into a cage, and the first program in it.
 *
 *   archipelago-cage-entry WORKING-FOLDER COMMAND [ARGUMENT ...]
 *
 * The container runtime starts it under a wide seccomp filter (the runtime needs one). It reads a second, strict filter from
 * the socket that it inherits as descriptor 3, installs it, and becomes the Cargo. Filters stack and the strictest verdict
 * wins, so the Cargo has exactly the calls of the strict one.
 *
 * It reports on the same socket, two bytes a report: a stage and an errno. `R 0` says that the filter is in force and the
 * Cargo comes next; any other stage says what failed. The socket closes when the Cargo starts, so the Cargo can forge nothing,
 * and an end without `R 0` was never the Cargo's.
 *
 * `archipelago-cage-entry --probe-output` and `--probe-forbidden` make it a Cargo: the one writes a frame, the other makes a
 * call that no level 0 Cargo may make. The Island runs both when it looks which levels it can enforce.
 *
 * Freestanding: no C library, no allocation, about 9 KiB, nothing to relocate or initialise. */

#include "system.h"

enum { report_descriptor = 3, instructions_max = 4096, path_bytes_max = 4096 };

/* Exit code of every failure here. It carries no meaning: the report does. */
enum { failure_exit_code = 125 };

enum stage {
    stage_usage = 'U',
    stage_filter = 'F',
    stage_descriptors = 'D',
    stage_working_folder = 'W',
    stage_privileges = 'P',
    stage_seccomp = 'S',
    stage_ready = 'R',
    stage_execute = 'X',
};

/* One instruction of classic BPF, as the kernel's `struct sock_filter`. */
struct instruction {
    unsigned short code;
    unsigned char jump_true;
    unsigned char jump_false;
    unsigned int operand;
};

/* The kernel's `struct sock_fprog`. */
struct program {
    unsigned short count;
    struct instruction *instructions;
};

static struct instruction filter[instructions_max];

static void report(enum stage stage, long error) {
    char message[2] = {(char)stage, (char)error};
    system_call(call_write, report_descriptor, (long)message, sizeof message, 0, 0);
}

__attribute__((noreturn)) static void end(int code) {
    for (;;) system_call(call_exit_group, code, 0, 0, 0, 0);
}

__attribute__((noreturn)) static void fail(enum stage stage, long result) {
    report(stage, -result);
    end(failure_exit_code);
}

static int is_equal(const char *left, const char *right) {
    while (*left && *left == *right) left++, right++;
    return *left == *right;
}

/* Reads the filter up to the end of the stream. A filter that is empty, cut off or too long is refused: never fail open. */
static struct program read_filter(void) {
    unsigned long length = 0;
    for (;;) {
        if (length == sizeof filter) fail(stage_filter, -error_too_big);
        long count = system_call(call_read, report_descriptor, (long)filter + length, sizeof filter - length, 0, 0);
        if (count == -error_interrupted) continue;
        if (count < 0) fail(stage_filter, count);
        if (count == 0) break;
        length += count;
    }
    if (length == 0 || length % sizeof *filter) fail(stage_filter, -error_invalid);
    return (struct program){length / sizeof *filter, filter};
}

/* Nothing but standard input, output and error may reach the Cargo. The runtime marks what it opens itself; this makes sure. */
static void close_descriptors(void) {
    long result = system_call(call_fcntl, report_descriptor, fcntl_set_flags, descriptor_close_on_exec, 0, 0);
    if (result < 0) fail(stage_descriptors, result);
    result = system_call(call_close_range, report_descriptor + 1, ~0u, 0, 0, 0);
    if (result < 0 && result != -error_no_call) fail(stage_descriptors, result);
}

static const char *search_path(char **environment) {
    for (; *environment; environment++) {
        const char *entry = *environment;
        if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=') return entry + 5;
    }
    return "/usr/local/bin:/usr/bin:/bin";
}

/* Becomes the command, found as a shell finds it. Returns only if it cannot: the error of the last try that means something. */
static long execute(char **command, char **environment) {
    for (const char *at = command[0]; *at; at++)
        if (*at == '/') return system_call(call_execve, (long)command[0], (long)command, (long)environment, 0, 0);

    long worst = -error_no_entry;
    const char *path = search_path(environment);
    while (*path) {
        char candidate[path_bytes_max];
        unsigned long length = 0;
        while (*path && *path != ':' && length < sizeof candidate - 2) candidate[length++] = *path++;
        candidate[length++] = '/';
        for (const char *at = command[0]; *at && length < sizeof candidate - 1; at++) candidate[length++] = *at;
        candidate[length] = 0;
        long result = system_call(call_execve, (long)candidate, (long)command, (long)environment, 0, 0);
        if (result != -error_no_entry && result != -error_not_folder) worst = result;
        if (*path == ':') path++;
    }
    return worst;
}

static void probe(const char *wish) {
    static const char frame[] = "{\"type\":\"done\"}\n";
    if (is_equal(wish, "--probe-output")) {
        system_call(call_write, 1, (long)frame, sizeof frame - 1, 0, 0);
        end(0);
    }
    if (is_equal(wish, "--probe-forbidden")) {
        system_call(call_getppid, 0, 0, 0, 0, 0);
        end(0); /* reached only where the filter is not in force */
    }
}

/* Called by `_start` with the stack as the kernel lays it out: argc, argv…, NULL, envp…, NULL. */
__attribute__((noreturn, used)) void enter(long *stack) {
    long count = stack[0];
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + count + 1;

    if (count == 2) probe(arguments[1]);
    if (count < 3) fail(stage_usage, -error_invalid);

    struct program program = read_filter();
    close_descriptors();
    long result = system_call(call_chdir, (long)arguments[1], 0, 0, 0, 0);
    if (result < 0) fail(stage_working_folder, result);
    result = system_call(call_prctl, prctl_no_new_privileges, 1, 0, 0, 0);
    if (result < 0) fail(stage_privileges, result);
    result = system_call(call_prctl, prctl_seccomp, seccomp_mode_filter, (long)&program, 0, 0);
    if (result < 0) fail(stage_seccomp, result);

    report(stage_ready, 0);
    fail(stage_execute, execute(arguments + 2, environment));
}

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
 * `archipelago-cage-entry --record WORKING-FOLDER COMMAND …` hands each call that the filter names to the Island, which lets it happen or not
 * and counts it (seccomp_unotify(2)). It says `L` and the number of the listening descriptor, and goes on once the Island has it.
 *
 * `archipelago-cage-entry --probe-…` makes it a Cargo that tries a limit. The Island runs these when it looks which levels it can
 * enforce; `try_cage` says in words what was possible and should not have been.
 *
 * Freestanding: no C library, no allocation, about 12 KiB, nothing to relocate or initialise. */

#include "system.h"

enum { report_descriptor = 3, instructions_max = 4096, path_bytes_max = 4096 };

/* Exit code of every failure here. It carries no meaning: the report does. */
enum { failure_exit_code = 125 };
/* As a signed number too: gVisor takes no larger one. */
enum { highest_descriptor = 0x7FFFFFFF };

enum stage {
    stage_usage = 'U',
    stage_filter = 'F',
    stage_descriptors = 'D',
    stage_working_folder = 'W',
    stage_privileges = 'P',
    stage_seccomp = 'S',
    stage_listening = 'L',
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
    result = system_call(call_close_range, report_descriptor + 1, highest_descriptor, 0, 0, 0);
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

/* Installs the filter that hands calls over. Its listening descriptor closes when the Cargo starts; the Island has taken its own by then. */
static void listen(struct program *program) {
    long listener = system_call(call_seccomp, seccomp_set_mode_filter, seccomp_flag_new_listener, (long)program, 0, 0);
    if (listener < 0) fail(stage_seccomp, listener);
    report(stage_listening, listener);
    /* The filter hands this call over too, so it comes back only when somebody listens. */
    system_call(call_getppid, 0, 0, 0, 0, 0);
}

#include "engine.h"

/* --- Probes: what the Island lets run in a cage to find out whether its limits hold. ---------------------------------------- */

static void say(const char *word) {
    unsigned long length = 0;
    while (word[length]) length++;
    system_call(call_write, 1, (long)word, length, 0, 0);
    system_call(call_write, 1, (long)"\n", 1, 0, 0);
}

/* Says what should not have been possible. */
static void expect_refusal(const char *word, long result) {
    if (result >= 0) say(word);
}

/* Takes memory and writes to it, for ever; a limit ends it. */
__attribute__((noreturn)) static void take_memory(void) {
    enum { step = 1 << 20, page = 4096 };
    for (;;) {
        long block = system_call6(call_mmap, 0, step, protection_read_write, map_private_anonymous, -1, 0);
        if (block < 0 && block > -4096) end(1);
        for (long at = 0; at < step; at += page) *(volatile char *)(block + at) = 1;
    }
}

__attribute__((noreturn)) static void spin(void) {
    for (;;) __asm__ volatile("");
}

static long fork_process(void) { return system_call(call_clone, signal_child, 0, 0, 0, 0); }

/* Makes processes that wait until it ends, and says one word for each. */
static void take_processes(void) {
    enum { far_too_many = 4096 };
    for (int made = 0; made < far_too_many; made++) {
        long id = fork_process();
        if (id < 0) end(0);
        if (id == 0) {
            char nothing;
            /* The input is at its end at once; what is waited for is a stop, which never comes. */
            for (;;) system_call(call_ppoll, (long)&nothing, 0, 0, 0, 0);
        }
        say("process");
    }
    end(0);
}

/* Keeps several cores busy for ever. */
__attribute__((noreturn)) static void take_processors(void) {
    for (int made = 0; made < 3; made++)
        if (fork_process() == 0) spin();
    spin();
}

/* Writes 2 MiB in four files; the trial has 1 MiB. */
static void fill_temporary(void) {
    enum { block = 4096, blocks = 128 };
    static char zeros[block];
    static const char *const names[] = {"/tmp/fill-1", "/tmp/fill-2", "/tmp/fill-3", "/tmp/fill-4"};
    for (int number = 0; number < 4; number++) {
        long file = system_call(call_openat, at_current_folder, (long)names[number], open_create | open_write, 0600, 0);
        if (file < 0) return say("tmp-closed");
        for (int written = 0; written < blocks; written++)
            if (system_call(call_write, file, (long)zeros, block, 0, 0) != block) return;
    }
    say("tmp-size");
}

/* A socket to an address that no network has (192.0.2.1, RFC 5737): it connects only where there is a way out. */
static int has_way_out(void) {
    static const unsigned char address[16] = {2, 0, 0, 9, 192, 0, 2, 1};
    long file = system_call(call_socket, 2, 2, 0, 0, 0);
    return file >= 0 && system_call(call_connect, file, (long)address, sizeof address, 0, 0) >= 0;
}

/* Tries what no level allows, and says a word for each thing that was possible. `network` is `n` where a network is allowed. */
static void try_cage(char network) {
    if (system_call(call_getuid, 0, 0, 0, 0, 0) == 0) say("user-0");
    expect_refusal("becomes-0", system_call(call_setuid, 0, 0, 0, 0, 0));
    expect_refusal("root-written", system_call(call_openat, at_current_folder, (long)"/probe", open_create | open_write, 0600, 0));
    expect_refusal("dev-written", system_call(call_openat, at_current_folder, (long)"/dev/probe", open_create | open_write, 0600, 0));
    expect_refusal("kernel-settings", system_call(call_openat, at_current_folder, (long)"/proc/sys/kernel/hostname", open_write, 0, 0));
    expect_refusal("kernel-memory", system_call(call_openat, at_current_folder, (long)"/dev/mem", 0, 0, 0));
    expect_refusal("device-made", system_call(call_mknodat, at_current_folder, (long)"/tmp/null", mode_character_device | 0600, 0x103, 0));
    if (system_call(call_prctl, prctl_get_no_new_privileges, 0, 0, 0, 0) != 1) say("new-privileges");
    for (int capability = 0; capability < 41; capability++)
        if (system_call(call_prctl, prctl_read_bounding_set, capability, 0, 0, 0) == 1) return say("capabilities");
    for (int file = 3; file < 64; file++)
        if (system_call(call_fcntl, file, fcntl_get_flags, 0, 0, 0) >= 0) say("descriptor");
    expect_refusal("vsock", system_call(call_socket, 40, 1, 0, 0, 0));
    expect_refusal("packet-socket", system_call(call_socket, 17, 3, 0, 0, 0));
    if (has_way_out() != (network == 'n')) say(network == 'n' ? "no-network" : "network");
    fill_temporary();
}

/* Reads addresses, four bytes each, and says those to which a datagram could be sent beyond the cage. An address that is the cage's own, which is
 * where a datagram to it stays, is none of these: nobody listens there. */
static void try_egress(void) {
    unsigned char address[16] = {2, 0, 0, 9};
    for (;;) {
        if (system_call(call_read, 0, (long)address + 4, 4, 0, 0) != 4) return;
        long file = system_call(call_socket, 2, 2, 0, 0, 0);
        if (file < 0) return say("no-socket");
        static const int error_refused = 111;
        long result = system_call(call_connect, file, (long)address, sizeof address, 0, 0);
        if (result >= 0) result = system_call(call_write, file, (long)"x", 1, 0, 0);
        /* A second one is told what became of the first. */
        if (result >= 0) result = system_call(call_write, file, (long)"x", 1, 0, 0);
        system_call(call_close, file, 0, 0, 0, 0);
        if (result < 0 || result == -error_refused) continue;
        char text[16];
        unsigned long length = 0;
        for (int part = 4; part < 8; part++) {
            if (address[part] > 99) text[length++] = '0' + address[part] / 100;
            if (address[part] > 9) text[length++] = '0' + address[part] / 10 % 10;
            text[length++] = '0' + address[part] % 10;
            text[length++] = part < 7 ? '.' : 0;
        }
        say(text);
    }
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
    if (is_equal(wish, "--probe-killed")) {
        system_call(call_ptrace, 0, 0, 0, 0, 0);
        end(0); /* as above */
    }
    if (is_equal(wish, "--probe-memory")) take_memory();
    if (is_equal(wish, "--probe-time")) spin();
    if (is_equal(wish, "--probe-processes")) take_processes();
    if (is_equal(wish, "--probe-processors")) take_processors();
    if (is_equal(wish, "--probe-egress")) {
        try_egress();
        end(0);
    }
    if (is_equal(wish, "--probe-cage") || is_equal(wish, "--probe-cage-network")) {
        try_cage(wish[12] ? 'n' : 0);
        end(0);
    }
}

/* Called by `_start` with the stack as the kernel lays it out: argc, argv…, NULL, envp…, NULL. */
__attribute__((noreturn, used)) void enter(long *stack) {
    long count = stack[0];
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + count + 1;

    if (count > 2 && is_equal(arguments[1], "--engine")) enter_under_engine(count - 2, arguments + 2);
    if (count == 2) probe(arguments[1]);
    int records = count > 1 && is_equal(arguments[1], "--record");
    if (records) arguments++, count--;
    if (count < 3) fail(stage_usage, -error_invalid);

    struct program program = read_filter();
    close_descriptors();
    long result = system_call(call_chdir, (long)arguments[1], 0, 0, 0, 0);
    if (result < 0) fail(stage_working_folder, result);
    /* The Island adopted this process when the runtime left: if it dies, whatever way, this goes too. */
    result = system_call(call_prctl, prctl_set_death_signal, signal_kill, 0, 0, 0);
    if (result < 0) fail(stage_privileges, result);
    result = system_call(call_prctl, prctl_no_new_privileges, 1, 0, 0, 0);
    if (result < 0) fail(stage_privileges, result);
    if (records) {
        listen(&program);
    } else {
        result = system_call(call_prctl, prctl_seccomp, seccomp_mode_filter, (long)&program, 0, 0);
        if (result < 0) fail(stage_seccomp, result);
    }

    report(stage_ready, 0);
    fail(stage_execute, execute(arguments + 2, environment));
}

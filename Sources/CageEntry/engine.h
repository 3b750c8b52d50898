/* A part of main.c: the cage entry under a container engine (Docker, Podman), which hands over three streams and an exit code
 * and nothing else.
 *
 *   archipelago-cage-entry --engine NONCE FILTER WORKING-FOLDER COUNT VARIABLE ... COMMAND [ARGUMENT ...]
 *
 * NONCE: 32 characters that nobody but the Island knows. FILTER: the strict filter, 16 hexadecimal digits an instruction.
 * COUNT: how many VARIABLEs follow; they are the Cargo's whole environment, whatever the engine adds to the entry's.
 *
 * Here the entry stays, as the first process of the container, and the Cargo is its child: an engine folds the end of the first
 * process into one number, which a Cargo can imitate; only a parent can tell a signal from an exit code.
 *
 * It reports on standard error, in records that begin with the nonce (struct record):
 *   A  it waits; the Island looks whether every limit is in force, then sends one byte `G` in front of the Cargo's input
 *   R  the filter is in force and the Cargo comes next
 *   E  the Cargo has ended and nothing that it started is left; the entry waits to be killed, so that the Island can read the
 *      control groups, which an engine removes with the container
 *   any other: what failed, with an errno
 *
 * The Cargo cannot forge one: the nonce is wiped from the arguments, which anybody may read, before the Cargo starts, and the
 * entry's memory is closed to it (not dumpable; ptrace and its kin kill at every level). */

/* include/uapi/linux/{prctl,time,resource}.h, and SIGKILL */
enum { prctl_dumpable = 4, clock_monotonic = 1, usage_of_children = -1, last_signal = 9 };

#if defined(__x86_64__)
enum { call_close = 3, call_wait4 = 61, call_kill = 62, call_getrusage = 98, call_clock_gettime = 228 };
#else
enum { call_close = 57, call_wait4 = 260, call_kill = 129, call_getrusage = 165, call_clock_gettime = 113 };
#endif

enum engine_stage {
    stage_waiting = 'A',
    stage_no_start = 'G',
    stage_process = 'C',
    stage_ended = 'E',
};

enum { nonce_bytes = 32, command_parts_max = 256 };

/* Little-endian and without gaps on both architectures: 72 bytes, less than PIPE_BUF. */
struct record {
    char nonce[nonce_bytes];
    char stage;
    char unused[7];
    /* An errno, or the wait status of the Cargo. */
    long value;
    /* From the Cargo's start to its end; processor time of all that was waited for; the largest of them. Behind `E` alone. */
    long wall_microseconds;
    long processor_microseconds;
    long largest_kibibytes;
};

struct kernel_time {
    long seconds;
    long fraction;
};

/* The kernel's `struct rusage`. */
struct usage {
    struct kernel_time user;
    struct kernel_time system;
    long largest_kibibytes;
    long others[13];
};

static struct record record;

static void engine_report(int stage, long value) {
    record.stage = (char)stage;
    record.value = value;
    /* Goes into the pipe in one piece, whoever else writes there (pipe(7), PIPE_BUF). */
    while (system_call(call_write, 2, (long)&record, sizeof record, 0, 0) == -error_interrupted) {}
}

__attribute__((noreturn)) static void engine_fail(int stage, long result) {
    engine_report(stage, -result);
    end(failure_exit_code);
}

static void take_nonce(char *text) {
    for (int index = 0; index < nonce_bytes; index++) {
        if (!text[index]) end(failure_exit_code);
        record.nonce[index] = text[index];
    }
    for (; *text; text++) *text = 0;
}

static int hexadecimal_digit(char character) {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    return -1;
}

/* A filter that is empty, cut off, too long or no number is refused: never fail open. */
static struct program parse_filter(const char *text) {
    unsigned char *bytes = (unsigned char *)filter;
    unsigned long length = 0;
    while (*text) {
        int high = hexadecimal_digit(text[0]);
        int low = high < 0 ? -1 : hexadecimal_digit(text[1]);
        if (low < 0) engine_fail(stage_filter, -error_invalid);
        if (length == sizeof filter) engine_fail(stage_filter, -error_too_big);
        bytes[length++] = (unsigned char)(high << 4 | low);
        text += 2;
    }
    if (length == 0 || length % sizeof *filter) engine_fail(stage_filter, -error_invalid);
    return (struct program){length / sizeof *filter, filter};
}

static long parse_count(const char *text) {
    long number = 0;
    do {
        if (*text < '0' || *text > '9' || number > 10000) engine_fail(stage_usage, -error_invalid);
        number = number * 10 + (*text++ - '0');
    } while (*text);
    return number;
}

static void wait_for_start(void) {
    char wish = 0;
    long count;
    engine_report(stage_waiting, 0);
    do count = system_call(call_read, 0, (long)&wish, 1, 0, 0);
    while (count == -error_interrupted);
    if (count != 1 || wish != 'G') engine_fail(stage_no_start, count < 0 ? count : -error_invalid);
}

static long microseconds_now(void) {
    struct kernel_time now = {0, 0};
    system_call(call_clock_gettime, clock_monotonic, (long)&now, 0, 0, 0);
    return now.seconds * 1000000 + now.fraction / 1000;
}

__attribute__((noreturn)) static void become_cargo(struct program program, char **command, char **environment) {
    long result = system_call(call_prctl, prctl_no_new_privileges, 1, 0, 0, 0);
    if (result < 0) engine_fail(stage_privileges, result);
    result = system_call(call_prctl, prctl_seccomp, seccomp_mode_filter, (long)&program, 0, 0);
    if (result < 0) engine_fail(stage_seccomp, result);
    engine_report(stage_ready, 0);
    engine_fail(stage_execute, execute(command, environment));
}

/* Waits for the Cargo, ends what it has left, and tells. Orphans of a container become children of its first process. */
__attribute__((noreturn)) static void supervise(long cargo, long start) {
    int cargo_status = 0;
    for (;;) {
        int status = 0;
        long process = system_call(call_wait4, -1, (long)&status, 0, 0, 0);
        if (process == cargo) {
            cargo_status = status;
            record.wall_microseconds = microseconds_now() - start;
            /* Every process of this container but its first. */
            system_call(call_kill, -1, last_signal, 0, 0, 0);
        }
        if (process < 0 && process != -error_interrupted) break;
    }
    struct usage usage = {{0, 0}, {0, 0}, 0, {0}};
    system_call(call_getrusage, usage_of_children, (long)&usage, 0, 0, 0);
    record.processor_microseconds =
        (usage.user.seconds + usage.system.seconds) * 1000000 + usage.user.fraction + usage.system.fraction;
    record.largest_kibibytes = usage.largest_kibibytes;
    engine_report(stage_ended, cargo_status);
    for (;;) system_call(call_ppoll, 0, 0, 0, 0, 0);
}

/* The arguments from NONCE on, with a NULL behind the last. */
__attribute__((noreturn)) static void enter_under_engine(long count, char **arguments) {
    if (count < 5) end(failure_exit_code);
    take_nonce(arguments[0]);
    struct program program = parse_filter(arguments[1]);
    long variables = parse_count(arguments[3]);
    if (count < 5 + variables) engine_fail(stage_usage, -error_invalid);
    char **environment = arguments + 4;

    /* The list of variables ends where the command begins, so the command moves. */
    static char *command[command_parts_max + 1];
    long parts = count - 4 - variables;
    if (parts > command_parts_max) engine_fail(stage_usage, -error_too_big);
    for (long part = 0; part < parts; part++) command[part] = environment[variables + part];
    environment[variables] = 0;

    long result = system_call(call_prctl, prctl_dumpable, 0, 0, 0, 0);
    if (result < 0) engine_fail(stage_privileges, result);
    result = system_call(call_close_range, 3, highest_descriptor, 0, 0, 0);
    if (result < 0 && result != -error_no_call) engine_fail(stage_descriptors, result);
    result = system_call(call_chdir, (long)arguments[2], 0, 0, 0, 0);
    if (result < 0) engine_fail(stage_working_folder, result);
    wait_for_start();

    long start = microseconds_now();
    long cargo = system_call(call_clone, signal_child, 0, 0, 0, 0);
    if (cargo < 0) engine_fail(stage_process, cargo);
    if (cargo == 0) become_cargo(program, command, environment);
    /* What the Cargo closes is closed: no end of its streams stays here. */
    system_call(call_close, 0, 0, 0, 0, 0);
    system_call(call_close, 1, 0, 0, 0, 0);
    supervise(cargo, start);
}

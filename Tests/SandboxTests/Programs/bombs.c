/* Takes as much as it can get of one thing, and says how much that was.
 *
 *   bombs NAME
 *
 * Each ends by itself once it gets no more, or is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { far_too_many = 1 << 20, block = 1 << 16 };
static char zeros[block];

static void *wait_for_ever(void *nothing) {
    for (;;) pause();
    return nothing;
}

static long threads(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (long made = 0; made < far_too_many; made++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, wait_for_ever, NULL)) return made;
    }
    return far_too_many;
}

/* Every process makes more, and none ever ends. */
static void forks(void) {
    for (;;) fork();
}

static long descriptors(void) {
    for (long made = 0; made < far_too_many; made++)
        if (dup(0) < 0) return made;
    return far_too_many;
}

static long files(void) {
    for (long made = 0; made < far_too_many; made++) {
        char path[32];
        snprintf(path, sizeof path, "/tmp/%ld", made);
        int file = open(path, O_CREAT | O_WRONLY, 0600);
        if (file < 0) return made;
        close(file);
    }
    return far_too_many;
}

/* In bytes. A file that is too large raises a signal, which would end the program before it can say anything. */
static long fill(const char *path, int count) {
    signal(SIGXFSZ, SIG_IGN);
    long all = 0;
    for (int number = 0; number < count; number++) {
        char name[64];
        snprintf(name, sizeof name, "%s-%d", path, number);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        for (long written; file >= 0 && all < 1l << 40 && (written = write(file, zeros, block)) > 0;) all += written;
    }
    return all;
}

/* A file that is all hole has a size and takes no room. */
static long hole(void) {
    signal(SIGXFSZ, SIG_IGN);
    int file = open("/tmp/hole", O_CREAT | O_WRONLY, 0600);
    long size = 1l << 50;
    while (size && ftruncate(file, size)) size >>= 1;
    return size;
}

static long memory(void) {
    for (long taken = 0;; taken += block)
        if (!memset(malloc(block), 1, block)) return taken;
}

/* Memory that belongs to no process, but to a file without a name. */
static long nameless_files(void) {
    signal(SIGXFSZ, SIG_IGN);
    long all = 0;
    for (int number = 0; number < 900; number++) {
        int file = memfd_create("x", 0);
        for (long written; file >= 0 && (written = write(file, zeros, block)) > 0;) all += written;
    }
    return all;
}

/* What the kernel keeps for the program: messages that nobody reads. */
static long messages(void) {
    long all = 0;
    int pair[2];
    while (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        for (long written; (written = write(pair[0], zeros, block)) > 0;) all += written;
    return all;
}

static long folders(void) {
    for (long deep = 0; deep < far_too_many; deep++)
        if (mkdir("/tmp/d", 0700) && errno != EEXIST && deep == 0) return -1;
        else if (deep == 0 ? chdir("/tmp/d") : mkdir("d", 0700) || chdir("d")) return deep;
    return far_too_many;
}

/* Processors of the host that it has to itself, as a time: ended from outside. */
static void spin(void) {
    for (int made = 0; made < 8; made++)
        if (fork() == 0) break;
    for (;;) {}
}

/* Ends only by what cannot be caught, and leaves a child that is nobody's. */
static void stubborn(void) {
    for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
    if (fork() == 0 && setsid() > 0 && fork() == 0) {}
    for (;;) pause();
}

int main(int count, char **arguments) {
    const char *wish = count > 1 ? arguments[1] : "";
    long got = -1;
    if (!strcmp(wish, "threads")) got = threads();
    if (!strcmp(wish, "forks")) forks();
    if (!strcmp(wish, "descriptors")) got = descriptors();
    if (!strcmp(wish, "files")) got = files();
    if (!strcmp(wish, "tmp")) got = fill("/tmp/fill", 16);
    if (!strcmp(wish, "shm")) got = fill("/dev/shm/fill", 16);
    if (!strcmp(wish, "hole")) got = hole();
    if (!strcmp(wish, "memory")) got = memory();
    if (!strcmp(wish, "nameless-files")) got = nameless_files();
    if (!strcmp(wish, "messages")) got = messages();
    if (!strcmp(wish, "folders")) got = folders();
    if (!strcmp(wish, "spin")) spin();
    if (!strcmp(wish, "stubborn")) stubborn();
    printf("%ld\n", got);
    fflush(stdout);
    /* Whatever threads there are. */
    _exit(0);
}

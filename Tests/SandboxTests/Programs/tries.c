/* Tries things and says a line for each: a name and an errno, 0 for what worked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
static void say(const char *name, long result) { printf("%s %d\n", name, result < 0 ? errno : 0); }
static void make(const char *path) { say(path, open(path, O_CREAT | O_WRONLY, 0600)); }
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    address.sin_addr.s_addr = htonl(0xC0000201);
    int end = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("connect", connect(end, (struct sockaddr *)&address, sizeof address));
    say("vsock", socket(40, SOCK_STREAM, 0));
    say("packet", socket(AF_PACKET, SOCK_RAW, 0));
    make("/new"); make("/run/new"); make("/var/tmp/new"); make("/dev/new"); make("/tmp/new"); make("/dev/shm/new");
    say("user-0", setuid(0));
    chmod("/tmp/new", 0755);
    execl("/tmp/new", "new", NULL);
    say("execute", -1);
    char block[65536] = {0};
    long written = 0, count;
    int files[4];
    for (int file = 0; file < 4; file++) {
        char path[] = "/tmp/fill-0";
        path[10] += file;
        files[file] = open(path, O_CREAT | O_WRONLY, 0600);
        for (int piece = 0; piece < 400; piece++)
            if ((count = write(files[file], block, sizeof block)) > 0) written += count;
    }
    printf("tmp %ld\n", written);
    return 0;
}

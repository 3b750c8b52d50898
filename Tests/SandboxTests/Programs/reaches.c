/* Tries to reach addresses over TCP, and to read files, and says of each what it got.
 *
 *   reaches ADDRESS:PORT ...        a line each: the address, and `connected TEXT` or `refused ERRNO`
 *   reaches PATH ...                its text, or how many bytes
 *   reaches --listen PORT           waits for one caller and says whether one came within half a second */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void show(const char *path) {
    char text[4096];
    FILE *file = fopen(path, "r");
    unsigned long count = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[count] = 0;
    for (char *at = text; *at; at++)
        if (*at == '\n') *at = ' ';
    if (*text) printf("%s: %s\n", path, text);
    else printf("%s: %lu bytes\n", path, count);
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "--listen")) {
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2]))};
        int file = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(file, (struct sockaddr *)&own, sizeof own) || listen(file, 4)) return 2;
        puts("listening");
        fflush(stdout);
        struct pollfd wait = {file, POLLIN, 0};
        puts(poll(&wait, 1, 500) == 1 ? "called" : "nobody");
        return 0;
    }
    for (int number = 1; number < count; number++) {
        char *colon = strchr(arguments[number], ':');
        if (!colon) {
            show(arguments[number]);
            continue;
        }
        *colon = 0;
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
        inet_pton(AF_INET, arguments[number], &to.sin_addr);
        int file = socket(AF_INET, SOCK_STREAM, 0);
        struct timeval limit = {.tv_sec = 10};
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(file, (struct sockaddr *)&to, sizeof to)) {
            printf("%s refused %d\n", arguments[number], errno);
            continue;
        }
        char text[64] = "";
        if (read(file, text, sizeof text - 1) < 0) strcpy(text, "nothing");
        printf("%s connected %s\n", arguments[number], text);
        close(file);
    }
    return 0;
}

/* A command: reads its arguments and the clock, and writes a line. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const char text[] = "{\"hello\":\"world\"}\n";
    (void)argv;
    return write(1, text, sizeof text - 1) == (ssize_t)(sizeof text - 1) && argc > 0 && now.tv_sec >= 0 ? 0 : 1;
}

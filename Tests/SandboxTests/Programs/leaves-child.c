/* Leaves a child behind that holds all streams and never ends. */
#include <stdio.h>
#include <unistd.h>
int main(void) {
    if (fork() == 0) {
        setsid();
        for (;;) pause();
    }
    puts("done");
    return 7;
}

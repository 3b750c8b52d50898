/* Says done, closes its output and runs on. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("{\"type\":\"done\"}");
    fflush(stdout);
    close(1);
    for (;;) __asm__ volatile("");
}

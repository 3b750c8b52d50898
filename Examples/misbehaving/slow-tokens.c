/* Pauses between tokens. Level 0 may not sleep, so it watches the clock, which the kernel shows without a call. */
#include <stdio.h>
#include <time.h>

int main(void) {
    for (int token = 1; token <= 5; token++) {
        struct timespec start, now;
        long spins = 0;
        /* Where the clock needs a call it is refused: then the loop is counted. */
        if (clock_gettime(CLOCK_MONOTONIC, &start))
            while (++spins < 50000000) __asm__ volatile("");
        else
            do clock_gettime(CLOCK_MONOTONIC, &now);
            while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 40);
        printf("{\"type\":\"token\",\"content\":\"token %d \"}\n", token);
        fflush(stdout);
    }
    puts("{\"type\":\"done\"}");
    return 0;
}

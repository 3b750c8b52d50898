/* Says that it runs, and never ends. */
#include <stdio.h>

int main(void) {
    puts("{\"type\":\"status\",\"message\":\"running\"}");
    fflush(stdout);
    for (;;) __asm__ volatile("");
}

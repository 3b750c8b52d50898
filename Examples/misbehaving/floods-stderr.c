/* Writes 16 MiB to standard error, numbered, and then ends well. */
#include <stdio.h>

int main(void) {
    for (int i = 0; i < 1 << 20; i++) fprintf(stderr, "line %9d\n", i);
    puts("{\"type\":\"done\"}");
    return 0;
}

/* Writes one line of more than 1 MiB, the most that level 0 allows. */
#include <stdio.h>

int main(void) {
    printf("{\"type\":\"token\",\"content\":\"");
    for (int i = 0; i < (1 << 20) + 1; i++) putchar('x');
    puts("\"}\n{\"type\":\"done\"}");
    return 0;
}

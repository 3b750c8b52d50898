/* Writes a line that is no JSON. */
#include <stdio.h>

int main(void) {
    puts("hello");
    return 0;
}

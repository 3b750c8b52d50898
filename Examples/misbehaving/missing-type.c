/* Writes an object without a type. */
#include <stdio.h>

int main(void) {
    puts("{\"content\":\"hello\"}");
    return 0;
}

/* Writes a token without its content. */
#include <stdio.h>

int main(void) {
    puts("{\"type\":\"token\"}");
    return 0;
}

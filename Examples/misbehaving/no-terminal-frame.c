/* Ends without done or error. */
#include <stdio.h>

int main(void) {
    puts("{\"type\":\"token\",\"content\":\"hello\"}");
    return 0;
}

/* Ends well without a look at its input. */
#include <stdio.h>

int main(void) {
    puts("{\"type\":\"done\"}");
    return 0;
}

/* Goes on after done. */
#include <stdio.h>

int main(void) {
    puts("{\"type\":\"done\"}\n{\"type\":\"token\",\"content\":\"more\"}");
    return 0;
}

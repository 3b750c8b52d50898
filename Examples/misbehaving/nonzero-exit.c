/* Says done and ends with a failure. 137 and 126 are codes that shells and runtimes use themselves: the input chooses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char wish[16] = "3";
    if (!fgets(wish, sizeof wish, stdin)) strcpy(wish, "3");
    puts("{\"type\":\"done\"}");
    return atoi(wish);
}

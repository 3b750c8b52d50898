/* Says done and ends with a failure. 137 and 126 are codes that shells and runtimes use themselves: the first number in the input
 * chooses, as in {"code": 137}; without one it is 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char wish[64] = "";
    char *digits = fgets(wish, sizeof wish, stdin) ? strpbrk(wish, "0123456789") : NULL;
    puts("{\"type\":\"done\"}");
    return digits ? atoi(digits) : 3;
}

/* Tries to make a file in the root and says how that went. */
#include <stdio.h>

int main(void) {
    FILE *file = fopen("/owned", "w");
    printf("{\"type\":\"done\",\"written\":%s}\n", file ? "true" : "false");
    return 0;
}

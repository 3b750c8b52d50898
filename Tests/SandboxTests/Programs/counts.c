/* Writes numbered lines, with words to standard error in between. */
#include <stdio.h>
int main(void) {
    for (int line = 0; line < 100000; line++) {
        printf("line %d\n", line);
        if (line % 1000 == 0) fprintf(stderr, "error %d\n", line);
    }
    return 0;
}

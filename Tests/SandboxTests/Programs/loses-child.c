/* Loses a child to the memory limit and says that all is well. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    if (fork() == 0)
        for (;;) {
            char *block = malloc(1 << 24);
            if (block) memset(block, 1, 1 << 24);
        }
    wait(NULL);
    return 0;
}

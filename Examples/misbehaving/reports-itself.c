/* Says who it is, what surrounds it and which descriptors it was given beside the three streams. Level 0 may ask the kernel none
 * of this: the ids come from what the kernel leaves on the stack, and a descriptor that can be closed was open. */
#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(int count, char **arguments, char **environment) {
    int open_descriptors = 0;
    for (int descriptor = 3; descriptor < 4096; descriptor++) open_descriptors += close(descriptor) == 0;
    printf("{\"type\":\"done\",\"uid\":%lu,\"gid\":%lu,\"descriptors\":%d,\"arguments\":%d,\"environment\":[", getauxval(AT_UID),
           getauxval(AT_GID), open_descriptors, count);
    for (char **variable = environment; *variable; variable++) printf("%s\"%s\"", variable == environment ? "" : ",", *variable);
    puts("]}");
    (void)arguments;
    return 0;
}

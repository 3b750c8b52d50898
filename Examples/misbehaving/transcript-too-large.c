/* Writes more than 8 MiB in lines of 64 KiB: each is allowed, all together are not. */
#include <stdio.h>
#include <string.h>

int main(void) {
    static char content[65536 + 1];
    memset(content, 'x', 65536);
    for (int i = 0; i < 129; i++) printf("{\"type\":\"token\",\"content\":\"%s\"}\n", content);
    puts("{\"type\":\"done\"}");
    return 0;
}

/* Writes what it reads. */
#include <unistd.h>
int main(void) {
    static char block[100000];
    for (;;) {
        long count = read(0, block, sizeof block);
        if (count <= 0) return (int)-count;
        for (long done = 0; done < count;) {
            long written = write(1, block + done, count - done);
            if (written < 0) return 2;
            done += written;
        }
    }
}

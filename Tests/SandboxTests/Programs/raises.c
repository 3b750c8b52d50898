/* Catches nothing and ends itself by a signal that its input names. */
#include <signal.h>
#include <stdio.h>
int main(void) {
    int number = 0;
    if (scanf("%d", &number) == 1) raise(number);
    return 0;
}

/* A library for a dynamic linker. */
extern int elsewhere(int);
int value = 3;
__attribute__((visibility("default"))) int twice(int x) { return elsewhere(x) + value; }

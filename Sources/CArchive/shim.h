#pragma once
#include <archive.h>
#include <archive_entry.h>

/* Linux's syncfs(2). <unistd.h> declares it only for _GNU_SOURCE, which Swift's Glibc module does not set. */
extern int syncfs(int fd);

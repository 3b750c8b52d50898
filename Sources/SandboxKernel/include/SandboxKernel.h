/* The kernel's calls that the sandbox makes and that Swift cannot reach (variadic, GNU-only or macro), in one place.
 *
 * Every function that can fail answers a value of at least 0, or the negative errno; a call that a signal interrupted is made
 * again. Every descriptor is made close-on-exec. None of them keeps a pointer that it is given. */
#ifndef ARCHIPELAGO_SANDBOX_KERNEL_H
#define ARCHIPELAGO_SANDBOX_KERNEL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Orphans below this process become its children. Holds for the life of the process. */
int kernel_become_subreaper(void);

/* ends[0] is read, ends[1] is written; both are at least 3, so that no redirection overwrites another. */
int kernel_pipe(int ends[2]);
/* A connected pair of stream sockets, both at least 3. */
int kernel_socket_pair(int ends[2]);
/* A stream socket that is connected to the socket at path and does not block; -ENAMETOOLONG for a path that no address holds. */
int kernel_connect_local(const char *path);
/* A counter to wake a poll with; does not block. */
int kernel_event(void);
int kernel_open(const char *path, int flags, mode_t mode);
int kernel_close(int descriptor);
int kernel_set_nonblocking(int descriptor);
int kernel_end_writing(int descriptor);
int kernel_lock_exclusively(int descriptor);
ssize_t kernel_read(int descriptor, void *buffer, size_t count);
ssize_t kernel_write(int descriptor, const void *buffer, size_t count);
/* The same for a socket; one that nobody reads any more answers -EPIPE and raises no signal, whatever thread this is. */
ssize_t kernel_send(int descriptor, const void *buffer, size_t count);
/* Time in milliseconds, -1 for ever. An interrupted poll answers 0. */
int kernel_poll(struct pollfd *descriptors, size_t count, int milliseconds);
int kernel_seek_to_end(int descriptor);

/* Starts path. Its descriptors 0 to count - 1 are the given ones, all others are closed, no signal is blocked. Answers the
 * process id. */
pid_t kernel_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[], size_t count);
/* A descriptor of the process, readable once it has ended. */
int kernel_process_open(pid_t process);
int kernel_process_signal(int descriptor, int signal);
/* Reaps exactly this child: 0 while it runs and wait is 0, else its id; the kernel's wait status goes to *status. */
pid_t kernel_wait(pid_t process, int wait, int *status);
int kernel_kill(pid_t process, int signal);

/* A descriptor of this process for what another one has open under a number; both stay open. */
int kernel_process_take_descriptor(int process, int descriptor);

/* A system call that a filter hands over, seccomp_unotify(2). */
struct kernel_call {
    uint64_t id;
    int32_t number;
    uint32_t architecture;
    uint64_t arguments[6];
};
/* Takes the next call; -ENOENT if its process has died meanwhile. Waits for one. */
int kernel_call_receive(int listener, struct kernel_call *call);
/* Lets the call happen for 0; answers it with an errno otherwise. -ENOENT if its process has died meanwhile. */
int kernel_call_answer(int listener, uint64_t id, int error);

/* Gives the calling thread a working folder of its own, and with `mounts` a mount namespace of its own, in which nothing that it mounts is seen by
 * others. Both end with the thread. */
int kernel_set_thread_apart(int mounts);
/* The calling thread's working folder, if it has one of its own. */
int kernel_enter_folder(const char *path);
/* Mounts layers over each other, overlayfs(5). Paths in the options may be relative to the working folder. */
int kernel_mount_overlay(const char *options, const char *path, int read_only);
/* Takes a mount away from the tree at once; it ends when nobody uses it. A symbolic link is not followed. */
int kernel_unmount(const char *path);

/* Runs body(context) on a thread of its own, with every signal blocked (so a broken pipe is an error and no more). */
int kernel_start_thread(void (*body)(void *), void *context);

#endif

/* The few parts of the kernel's interface that the cage entry uses, for x86-64 and arm64. */
#ifndef ARCHIPELAGO_CAGE_ENTRY_SYSTEM_H
#define ARCHIPELAGO_CAGE_ENTRY_SYSTEM_H

/* errno values, include/uapi/asm-generic/errno-base.h and errno.h: the same on both architectures. */
enum {
    error_no_entry = 2,
    error_interrupted = 4,
    error_too_big = 7,
    error_not_folder = 20,
    error_invalid = 22,
    error_no_call = 38,
};

/* include/uapi/linux/{fcntl,prctl,seccomp}.h */
enum { fcntl_set_flags = 2, descriptor_close_on_exec = 1 };
enum { prctl_seccomp = 22, prctl_no_new_privileges = 38 };
enum { seccomp_mode_filter = 2 };

#if defined(__x86_64__)

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
    call_read = 0,
    call_write = 1,
    call_execve = 59,
    call_fcntl = 72,
    call_chdir = 80,
    call_getppid = 110,
    call_prctl = 157,
    call_exit_group = 231,
    call_close_range = 436,
};

static inline long system_call(long number, long a, long b, long c, long d, long e) {
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

__asm__(".globl _start\n.type _start,@function\n_start:\n  xor %ebp,%ebp\n  mov %rsp,%rdi\n  and $-16,%rsp\n  call enter\n  ud2\n");

#elif defined(__aarch64__)

/* include/uapi/asm-generic/unistd.h */
enum {
    call_fcntl = 25,
    call_chdir = 49,
    call_read = 63,
    call_write = 64,
    call_exit_group = 94,
    call_prctl = 167,
    call_getppid = 173,
    call_execve = 221,
    call_close_range = 436,
};

static inline long system_call(long number, long a, long b, long c, long d, long e) {
    register long call __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    __asm__ volatile("svc #0"
                     : "+r"(first)
                     : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
                     : "memory");
    return first;
}

__asm__(".globl _start\n.type _start,%function\n_start:\n  mov x29,xzr\n  mov x30,xzr\n  mov x0,sp\n  bl enter\n  brk #1\n");

#else
#error "The cage entry knows x86-64 and arm64 only."
#endif

#endif

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
enum { fcntl_get_flags = 1, fcntl_set_flags = 2, descriptor_close_on_exec = 1 };
enum { prctl_set_death_signal = 1, prctl_seccomp = 22, prctl_read_bounding_set = 23, prctl_no_new_privileges = 38, prctl_get_no_new_privileges = 39 };
enum { seccomp_mode_filter = 2, seccomp_set_mode_filter = 1, seccomp_flag_new_listener = 8 };

/* include/uapi/asm-generic/{fcntl,mman-common,signal}.h, include/uapi/linux/{fcntl,stat}.h */
enum { at_current_folder = -100, open_write = 1, open_create = 0100 };
enum { protection_read_write = 3, map_private_anonymous = 0x22 };
enum { signal_kill = 9, signal_child = 17, mode_character_device = 0020000 };

#if defined(__x86_64__)

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
    call_read = 0,
    call_write = 1,
    call_mmap = 9,
    call_socket = 41,
    call_connect = 42,
    call_clone = 56,
    call_execve = 59,
    call_fcntl = 72,
    call_chdir = 80,
    call_ptrace = 101,
    call_getuid = 102,
    call_setuid = 105,
    call_getppid = 110,
    call_prctl = 157,
    call_exit_group = 231,
    call_openat = 257,
    call_mknodat = 259,
    call_ppoll = 271,
    call_seccomp = 317,
    call_close_range = 436,
};

static inline long system_call6(long number, long a, long b, long c, long d, long e, long f) {
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

__asm__(".globl _start\n.type _start,@function\n_start:\n  xor %ebp,%ebp\n  mov %rsp,%rdi\n  and $-16,%rsp\n  call enter\n  ud2\n");

#elif defined(__aarch64__)

/* include/uapi/asm-generic/unistd.h */
enum {
    call_fcntl = 25,
    call_mknodat = 33,
    call_chdir = 49,
    call_openat = 56,
    call_read = 63,
    call_write = 64,
    call_ppoll = 73,
    call_exit_group = 94,
    call_ptrace = 117,
    call_setuid = 146,
    call_prctl = 167,
    call_getppid = 173,
    call_getuid = 174,
    call_socket = 198,
    call_connect = 203,
    call_clone = 220,
    call_execve = 221,
    call_mmap = 222,
    call_seccomp = 277,
    call_close_range = 436,
};

static inline long system_call6(long number, long a, long b, long c, long d, long e, long f) {
    register long call __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    register long sixth __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(first)
                     : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "memory");
    return first;
}

__asm__(".globl _start\n.type _start,%function\n_start:\n  mov x29,xzr\n  mov x30,xzr\n  mov x0,sp\n  bl enter\n  brk #1\n");

#else
#error "The cage entry knows x86-64 and arm64 only."
#endif

static inline long system_call(long number, long a, long b, long c, long d, long e) { return system_call6(number, a, b, c, d, e, 0); }

#endif

// System calls and the few string functions that martlet-init needs. There is no libc below: an idle pod costs some
// tens of kilobytes instead of the 700 of a static glibc, and nothing runs that is not in this directory.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef unsigned char u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

// All return a negative errno on failure, as the kernel does.
#if defined(SYSTEM_CALLS_OF_TESTS)
// Tests/Fuzz/C/kernel.c
long sys6(long n, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "martlet-init knows x86_64 and aarch64 only"
#endif

#define SYS_ARGUMENTS(n, a, b, c, d, e, f, ...) \
    sys6((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS(...) SYS_ARGUMENTS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline long sys_open(const char *path, int flags, int mode) {
    return SYS(SYS_openat, AT_FDCWD, path, flags, mode);
}
static inline long sys_close(int fd) { return SYS(SYS_close, fd); }
static inline long sys_read(int fd, void *data, size_t size) { return SYS(SYS_read, fd, data, size); }
static inline long sys_write(int fd, const void *data, size_t size) { return SYS(SYS_write, fd, data, size); }
static inline long sys_dup3(int from, int to, int flags) {
    return from == to ? SYS(SYS_fcntl, to, F_SETFD, 0) : SYS(SYS_dup3, from, to, flags);
}
_Noreturn void sys_exit(int code);

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t length);
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *data, int value, size_t size);

// Parses a decimal number; -1 for anything else.
long parse_number(const char *text);
// Writes `value` in decimal, at least `width` digits; returns the end. No terminator.
char *put_number(char *to, u64 value, int width);
// Copies a string without its terminator; returns the end.
char *put_text(char *to, const char *text);

// Writes "martlet-init: WHAT: errno N" to stderr and exits with 125.
_Noreturn void die(const char *what, long error);
int write_file(const char *path, const char *text);

#pragma once
#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

// System calls that glibc 2.36 or Swift's view of it lacks; each answers -1 with errno as usual.

int clinux_pidfd_open(pid_t pid);
// A duplicate, close-on-exec, of another process's descriptor.
int clinux_pidfd_getfd(int pidfd, int descriptor);
int clinux_pidfd_send_signal(int pidfd, int signal);

// Whether `pid` is a child that has ended: 1 and it is reaped with its code or signal, 0 while it runs, -1 if it is no
// child of this process.
int clinux_reap(pid_t pid, int *code, int *signal);

// Sends bytes with descriptors as ancillary data; receives up to *count descriptors, close-on-exec.
ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count);
ssize_t clinux_receive_descriptors(int socket, void *bytes, size_t capacity, int *descriptors, int *count);

// Gives freed memory back to the system (malloc_trim(3)).
void clinux_trim(void);

// accept4 with SOCK_CLOEXEC.
int clinux_accept(int socket);

// Has a program that is spawned begin without the descriptors from `lowest` on. Returns 0 or an error number.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest);

// The limits of the open files of this process (RLIMIT_NOFILE).
int clinux_get_open_files(uint64_t *soft, uint64_t *hard);
int clinux_set_open_files(uint64_t soft, uint64_t hard);

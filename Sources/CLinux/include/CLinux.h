// What Swift cannot import of the kernel's interface: variadic functions, macros over ancillary data, new system calls.
#pragma once

#include "CLinuxConfine.h"
#include "CLinuxDevices.h"
#include "CLinuxProcess.h"
#include "CLinuxRelay.h"

#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/un.h>

// All return -1 and set errno on failure.
int clinux_setns(int descriptor, int flags);
int clinux_unshare(int flags);
int clinux_pipe(int *ends);
int clinux_memfd(const char *name);
// A file in memory that can be executed, and is then sealed so that nobody can change it.
int clinux_program_memfd(const char *name);
int clinux_seal(int memfd);
// A copy of a mount, or of the tree below it, that is nowhere yet (open_tree(2)).
int clinux_clone_mount(int directory, const char *path, int recursive);
// Adds attributes (MOUNT_ATTR_*) to a mount, which gets and passes on no mounts of others any more.
int clinux_set_mount_attributes(int mount, unsigned long long attributes, int recursive);
int clinux_set_window(int terminal, unsigned short columns, unsigned short rows);
void clinux_name_thread(const char *name);
int clinux_get_flags(int descriptor);
int clinux_set_flags(int descriptor, int flags);
// openat2(2); `resolve` is of RESOLVE_….
int clinux_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve);

// Makes a socket in the network namespace `space`, on a thread of its own, so that the caller's stays in its own.
int clinux_socket_in(int space, int domain, int type, int protocol);

// Makes a tap device in the thread's network namespace, which stays when nobody has it open: ends of Ethernet frames
// that a program reads and writes.
int clinux_make_tap(const char *name);

// Sends bytes with descriptors.
ssize_t clinux_send(int socket, const void *data, size_t size, const int *descriptors, int count, int flags);
// Receives bytes, at most *count descriptors (close on exec; *count becomes how many came), and the sender's process
// from SCM_CREDENTIALS, 0 where there is none (SO_PASSCRED must be set).
ssize_t clinux_receive(int socket, void *data, size_t size, int *descriptors, int *count, pid_t *process, int flags);

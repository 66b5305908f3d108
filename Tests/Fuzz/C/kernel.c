#include "kernel.h"

#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/magic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>

struct kernel kernel;

enum { max_descriptor = 1024, max_mappings = 256, max_watched = 64, max_processes = 64 };

static u8 is_open[max_descriptor];
static void *mappings[max_mappings];
static size_t mapping_sizes[max_mappings];
static struct epoll_event watched[max_watched];
static int watched_descriptors[max_watched], watched_count;
static long processes[max_processes];
static int processes_count;
static u64 seconds;

_Noreturn static void fault(const char *what, long value) {
    fprintf(stderr, "martlet-init %s: %ld\n", what, value);
    abort();
}

static u8 take(void) { return kernel.next < kernel.end ? *kernel.next++ : 0; }

// 0, or seldom an error.
static long outcome(void) {
    u8 value = take();
    return value < 200 ? 0 : -(long)(value - 199);
}

int kernel_open(void) {
    for (int fd = 3; fd < max_descriptor; fd++) {
        if (is_open[fd]) continue;
        is_open[fd] = 1;
        return fd;
    }
    // As many as here no input opens, unless descriptors are lost.
    fault("loses descriptors; open ones", max_descriptor);
}

static long open_or_fail(void) {
    long result = outcome();
    return result < 0 ? result : kernel_open();
}

static long open_two(int *ends) {
    long result = outcome();
    if (result < 0) return result;
    ends[0] = kernel_open();
    ends[1] = kernel_open();
    return 0;
}

// -1 stands for none everywhere, which a kernel refuses without harm; another one may be somebody else's by now. A list
// may name a descriptor that it has used up: that is between the node agent and its container.
static int is_none(long fd) {
    if (fd >= 0 && fd < max_descriptor && is_open[fd]) return 0;
    if (fd >= 0 && !kernel.list) fault("uses a descriptor that is not open", fd);
    return 1;
}

static void readable(const void *data, size_t size) {
    void *bad = size ? __asan_region_is_poisoned((void *)data, size) : NULL;
    if (bad) *(volatile char *)bad;  // reported as an access of this program's own
}

static void text(long address) {
    if (address) readable((const char *)address, strlen((const char *)address) + 1);
}

void kernel_begin(const u8 *input, size_t size) {
    kernel.next = input;
    kernel.end = input + size;
    kernel.list = kernel.child = NULL;
    kernel.list_size = 0;
    memset(is_open, 0, sizeof is_open);
    is_open[0] = is_open[1] = is_open[2] = 1;
    watched_count = 0;
    processes[0] = kernel_leader;
    processes_count = 1;
    // 10 s before the leap day of 2028.
    seconds = 1835395190;
}

void kernel_end(void) {
    for (int i = 0; i < max_mappings; i++) {
        free(mappings[i]);
        mappings[i] = NULL;
    }
}

static long map(size_t size, int is_list) {
    long result = outcome();
    if (result < 0 || !size || size > 1 << 24) return -ENOMEM;
    for (int i = 0; i < max_mappings; i++) {
        if (mappings[i]) continue;
        mappings[i] = calloc(1, size);
        mapping_sizes[i] = size;
        if (is_list) memcpy(mappings[i], kernel.list, size < kernel.list_size ? size : kernel.list_size);
        return (long)mappings[i];
    }
    return -ENOMEM;
}

static long unmap(void *address, size_t size) {
    for (int i = 0; i < max_mappings; i++) {
        if (!address || mappings[i] != address) continue;
        if (mapping_sizes[i] != size) fault("unmaps a part", (long)size);
        free(address);
        mappings[i] = NULL;
        return 0;
    }
    fault("unmaps what is not mapped", (long)address);
}

// As many bytes as the input says, none or an error too.
static long fill(void *data, size_t size) {
    long result = outcome();
    if (result < 0) return result;
    size_t wanted = take() | (size_t)take() << 8, left = (size_t)(kernel.end - kernel.next);
    if (wanted > size) wanted = size;
    if (wanted > left) wanted = left;
    readable(data, size);
    memcpy(data, kernel.next, wanted);
    kernel.next += wanted;
    return (long)wanted;
}

static long receive(struct msghdr *message) {
    long result = fill(message->msg_iov->iov_base, message->msg_iov->iov_len);
    if (result < 0) {
        message->msg_controllen = 0;
        return result;
    }
    size_t capacity = message->msg_controllen, count = take() % 6;
    readable(message->msg_control, capacity);
    while (count && CMSG_SPACE(count * sizeof(int)) > capacity) count--;
    message->msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0;
    if (!count) return result;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++) {
        int fd = kernel_open();
        memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
    }
    return result;
}

static long transmit(const struct msghdr *message) {
    for (size_t i = 0; i < message->msg_iovlen; i++)
        readable(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    readable(message->msg_control, message->msg_controllen);
    return outcome();
}

static long start(unsigned long flags, int *handle) {
    if (kernel.child) {
        kernel.next = kernel.child;
        kernel.end = kernel.child_end;
        kernel.child = NULL;
        return 0;
    }
    long result = outcome();
    if (result < 0) return result;
    if (flags & CLONE_PIDFD) *handle = kernel_open();
    if (processes_count == max_processes) return -EAGAIN;
    // Their numbers come again, as those of a kernel do.
    processes[processes_count] = kernel_leader + processes_count;
    return processes[processes_count++];
}

static long wait_for_one(int *status) {
    u8 which = take();
    if (!which) return 0;
    if (!processes_count) return -ECHILD;
    long *process = &processes[which % processes_count], result = *process;
    if (status) *status = take() | take() << 8;
    *process = processes[--processes_count];
    return result;
}

static long unwatch_descriptor(int fd) {
    for (int i = 0; i < watched_count; i++) {
        if (watched_descriptors[i] != fd) continue;
        watched[i] = watched[--watched_count];
        watched_descriptors[i] = watched_descriptors[watched_count];
        return 0;
    }
    return -ENOENT;
}

static long control(int operation, int fd, const struct epoll_event *event) {
    if (is_none(fd)) return -EBADF;
    if (operation != EPOLL_CTL_ADD) return unwatch_descriptor(fd);
    for (int i = 0; i < watched_count; i++)
        if (watched_descriptors[i] == fd) return -EEXIST;
    if (watched_count == max_watched) return -ENOSPC;
    watched_descriptors[watched_count] = fd;
    watched[watched_count++] = *event;
    return 0;
}

// An input without an end would be a test without one.
static long wait_for_event(struct epoll_event *event) {
    if (kernel.next == kernel.end || !watched_count) longjmp(kernel.ended, 1);
    *event = watched[take() % watched_count];
    return 1;
}

static long close_descriptor(int fd) {
    if (is_none(fd)) return -EBADF;
    is_open[fd] = 0;
    unwatch_descriptor(fd);
    return 0;
}

static long duplicate(int from, int to) {
    if (is_none(from)) return -EBADF;
    if (to < 0 || to >= max_descriptor) fault("duplicates to", to);
    is_open[to] = 1;
    return to;
}

static long look(struct stat *status) {
    long result = outcome();
    memset(status, 0, sizeof *status);
    status->st_mode = take() & 1 ? S_IFDIR : S_IFREG;
    status->st_size = (off_t)kernel.list_size;
    return result;
}

static long look_at_filesystem(struct statfs *status) {
    memset(status, 0, sizeof *status);
    status->f_type = take() & 1 ? PROC_SUPER_MAGIC : 0;
    return outcome();
}

static long execute(const char *path, char **arguments, char **variables) {
    text((long)path);
    for (char **each = arguments; *each; each++) text((long)*each);
    for (char **each = variables; *each; each++) text((long)*each);
    long result = outcome();
    if (!result) longjmp(kernel.ended, 2);
    return result;
}

long sys6(long n, long a, long b, long c, long d, long e, long f) {
    (void)f;
    switch (n) {
    case SYS_exit_group: longjmp(kernel.ended, 3);
    case SYS_execve: return execute((const char *)a, (char **)b, (char **)c);
    case SYS_clone: return start((unsigned long)a, (int *)c);
    case SYS_wait4: return wait_for_one((int *)b);
    case SYS_mmap: return map((size_t)b, (int)e >= 0);
    case SYS_munmap: return unmap((void *)a, (size_t)b);
    case SYS_read: return is_none(a) ? -EBADF : fill((void *)b, (size_t)c);
    case SYS_write: {
        if (is_none(a)) return -EBADF;
        readable((void *)b, (size_t)c);
        u8 value = take();
        return value < 180 ? c : value < 200 ? c / 2 : -(long)(value - 199);
    }
    case SYS_recvmsg: return is_none(a) ? -EBADF : receive((struct msghdr *)b);
    case SYS_sendmsg: return is_none(a) ? -EBADF : transmit((struct msghdr *)b);
    case SYS_close: return close_descriptor((int)a);
    case SYS_dup3: return duplicate((int)a, (int)b);
    case SYS_fcntl: return is_none(a) ? -EBADF : b == F_DUPFD_CLOEXEC ? open_or_fail() : outcome();
    case SYS_pipe2: return open_two((int *)a);
    case SYS_socketpair: return open_two((int *)d);
    case SYS_epoll_ctl: return control((int)b, (int)c, (struct epoll_event *)d);
    case SYS_epoll_pwait: return wait_for_event((struct epoll_event *)b);
    case SYS_epoll_create1:
    case SYS_signalfd4: return kernel_open();
    case SYS_openat:
    case SYS_openat2:
    case SYS_open_tree: text(b); return open_or_fail();
    case SYS_fsopen: text(a); return open_or_fail();
    case SYS_fsmount:
    case SYS_socket:
    case SYS_pidfd_open: return open_or_fail();
    case SYS_accept4: return is_none(a) ? -EBADF : open_or_fail();
    case SYS_fsconfig:
        text(c);
        text(d);
        return outcome();
    case SYS_fstat: return is_none(a) ? -EBADF : look((struct stat *)b);
    case SYS_fstatfs: return is_none(a) ? -EBADF : look_at_filesystem((struct statfs *)b);
    case SYS_ioctl: return is_none(a) ? -EBADF : b == TIOCGPTPEER ? open_or_fail() : outcome();
    case SYS_newfstatat: text(b); return look((struct stat *)c);
    case SYS_clock_gettime: *(struct timespec *)b = (struct timespec){(time_t)seconds++, take()}; return 0;
    // Often just before a log is put away.
    case SYS_lseek: return is_none(a) ? -EBADF : outcome() ? 0 : (10 << 20) - take();
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_unlinkat:
    case SYS_fchmodat: text(b); return outcome();
    case SYS_renameat:
        text(b);
        text(d);
        return outcome();
    case SYS_symlinkat:
        text(a);
        text(c);
        return outcome();
    case SYS_mount:
        text(a);
        text(b);
        text(c);
        text(e);
        return outcome();
    case SYS_chdir: text(a); return outcome();
    case SYS_setgroups: readable((void *)b, (size_t)a * sizeof(u32)); return outcome();
    // What is not here takes numbers, or memory that only its own test would check.
    default: return outcome();
    }
}

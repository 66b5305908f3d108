#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_setns(int descriptor, int flags) { return setns(descriptor, flags); }
int clinux_unshare(int flags) { return unshare(flags); }
int clinux_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }
int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
int clinux_program_memfd(const char *name) {
    // MFD_EXEC: as long as the system allows it, whatever its default is. Linux knows it since 6.3.
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x10);
    return file < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : file;
}
int clinux_seal(int memfd) {
    return fcntl(memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}
int clinux_clone_mount(int directory, const char *path, int recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0);
    return (int)syscall(SYS_open_tree, directory, path, flags);
}
int clinux_set_mount_attributes(int mount, unsigned long long attributes, int recursive) {
    struct mount_attr change = {.attr_set = attributes, .propagation = MS_PRIVATE};
    return (int)syscall(
        SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &change, sizeof change);
}
int clinux_set_window(int terminal, unsigned short columns, unsigned short rows) {
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    return ioctl(terminal, TIOCSWINSZ, &size);
}
void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
int clinux_get_flags(int descriptor) { return fcntl(descriptor, F_GETFL); }
int clinux_set_flags(int descriptor, int flags) { return fcntl(descriptor, F_SETFL, flags); }

int clinux_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

struct socket_request {
    int space, domain, type, protocol, result, error;
};

static void *make_socket(void *argument) {
    struct socket_request *request = argument;
    request->result = setns(request->space, CLONE_NEWNET);
    if (request->result == 0)
        request->result = socket(request->domain, request->type | SOCK_CLOEXEC, request->protocol);
    request->error = errno;
    return NULL;
}

int clinux_socket_in(int space, int domain, int type, int protocol) {
    struct socket_request request = {space, domain, type, protocol, -1, 0};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, make_socket, &request);
    if (error) {
        errno = error;
        return -1;
    }
    pthread_join(thread, NULL);
    errno = request.error;
    return request.result;
}

// The kernel's own limit (unix(7)).
enum { most_descriptors = 253 };

ssize_t clinux_send(int socket, const void *data, size_t size, const int *descriptors, int count, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(most_descriptors * sizeof(int))];
    } control;
    struct iovec vector = {(void *)data, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > most_descriptors) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, (size_t)count * sizeof(int));
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t clinux_receive(int socket, void *data, size_t size, int *descriptors, int *count, pid_t *process, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(most_descriptors * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec vector = {data, size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int capacity = *count;
    *count = 0;
    *process = 0;
    ssize_t received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            *process = sender.pid;
        } else if (header->cmsg_type == SCM_RIGHTS) {
            int found = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            for (int i = 0; i < found; i++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + (size_t)i * sizeof(int), sizeof descriptor);
                if (*count < capacity) descriptors[(*count)++] = descriptor;
                else close(descriptor);
            }
        }
    }
    return received;
}

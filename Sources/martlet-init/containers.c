// A pod's containers: their start, streams and end.
#include "pod.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

struct container *containers;
int shared_processes = -1;

struct container *container_named(const char *key) {
    struct container *found = containers;
    while (found && strcmp(found->key, key)) found = found->next;
    return found;
}

static u32 number_at(struct packet *packet, u32 *offset) {
    u32 value = 0;
    if (*offset + 4 <= packet->size) memcpy(&value, packet->body + *offset, 4);
    *offset += 4;
    return value;
}

// A descriptor of the packet that its body names; -1 for 0, and for one that is not there.
static int descriptor_at(struct packet *packet, u32 *offset) {
    u32 index = number_at(packet, offset);
    return index > 0 && index < (u32)packet->descriptor_count ? packet->descriptors[index] : -1;
}

// A copy that outlives the packet.
static int kept(int descriptor) { return descriptor < 0 ? -1 : (int)SYS(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 3); }

// The strings of a packet's body, one after the other; "" when there are no more.
static const char *string_at(struct packet *packet, u32 *offset) {
    u32 start = *offset;
    char *end = start < packet->size ? memchr(packet->body + start, 0, packet->size - start) : NULL;
    if (!end) return "";
    *offset = (u32)(end - packet->body) + 1;
    return packet->body + start;
}

static int copy_text(char *to, const char *from, size_t capacity) {
    size_t length = strlen(from);
    if (length >= capacity) return 0;
    memcpy(to, from, length + 1);
    return 1;
}

static void close_all(int *descriptors, int count) {
    for (int i = 0; i < count; i++)
        if (descriptors[i] >= 0) sys_close(descriptors[i]), descriptors[i] = -1;
}

static long receive_descriptor(int socket) {
    char byte;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (SYS(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int descriptor = -1;
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

// Clones a process that carries out the operations, and waits until its program is executed or something failed.
// standard: its first three descriptors, -1 for one that reads and writes nothing. Returns its process number, or a
// negative errno with `failure` filled in.
static long start_process(
    unsigned long flags, struct packet *request, int join, const int *standard, int *handle, int *terminal,
    struct failure *failure) {
    int errors[2], terminals[2] = {-1, -1};
    long result = SYS(SYS_pipe2, errors, O_CLOEXEC);
    if (result < 0) return result;
    if (terminal) {
        result = SYS(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, terminals);
        if (result < 0) {
            close_all(errors, 2);
            return result;
        }
    }
    long process = SYS(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, 0, handle, 0, 0);
    if (process == 0) {
        struct child child = {
            .errors = errors[1],
            .terminals = terminals[1],
            .process = join,
            .descriptors = request->descriptors,
            .descriptor_count = request->descriptor_count};
        SYS(SYS_setsid);
        for (int fd = 0; fd < 3; fd++)
            if (standard[fd] >= 0) sys_dup3(standard[fd], fd, 0);
        carry_out(&child);
    }
    sys_close(errors[1]);
    if (terminal) sys_close(terminals[1]);
    if (process > 0) {
        do result = sys_read(errors[0], failure, sizeof *failure);
        while (result == -EINTR);
        if (result == (long)sizeof *failure) {
            SYS(SYS_wait4, process, 0, 0x40000000 /* __WALL */, 0);
            sys_close(*handle);
            process = failure->error ? -(long)failure->error : -EIO;
        } else if (terminal) {
            *terminal = (int)receive_descriptor(terminals[0]);
        }
    }
    sys_close(errors[0]);
    if (terminal) sys_close(terminals[0]);
    return process;
}

// As `start_process`, in the PID namespace of another process unless `target`, its pidfd, is -1.
static long start_process_in(
    int target, unsigned long flags, struct packet *request, int join, const int *standard, int *handle, int *terminal,
    struct failure *failure) {
    if (target < 0) return start_process(flags, request, join, standard, handle, terminal, failure);
    // Sets the namespace of this process's children only; set back below.
    int own = (int)SYS(SYS_pidfd_open, 1, 0);
    if (own < 0) return own;
    long result = SYS(SYS_setns, target, CLONE_NEWPID);
    if (result >= 0) {
        result = start_process(flags, request, join, standard, handle, terminal, failure);
        if (SYS(SYS_setns, own, CLONE_NEWPID) < 0) sys_exit(1);
    }
    sys_close(own);
    return result;
}

static void set_non_blocking(int fd) {
    long flags = SYS(SYS_fcntl, fd, F_GETFL, 0);
    SYS(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

static void watch_output(struct container *container, int stream, int fd, const char *name) {
    set_non_blocking(fd);
    container->streams[stream].fd = fd;
    container->streams[stream].name = name;
    container->sources[stream] = (struct source){source_output, fd, container};
    watch(&container->sources[stream]);
}

static void free_container(struct container *container) {
    close_all(&container->group, 1);
    close_all(&container->log.directory, 1);
    close_all(&container->log.fd, 1);
    SYS(SYS_munmap, container, sizeof *container);
}

long container_start(struct packet *request, struct failure *failure, struct container **started) {
    u32 offset = 0;
    int directory = descriptor_at(request, &offset), group = descriptor_at(request, &offset);
    const char *key = string_at(request, &offset), *log = string_at(request, &offset);
    const char *name = string_at(request, &offset);
    if (!*key || !*log || memchr(log, '/', strlen(log)) || directory < 0) return -EINVAL;
    if (container_named(key)) return -EEXIST;
    struct container *target = container_named(name);
    if (*name && (!target || !target->running)) return -ESRCH;
    struct container *container = (struct container *)SYS(
        SYS_mmap, 0, sizeof(struct container), 3, 0x22 /* private, anonymous */, -1, 0);
    if ((long)container < 0 && (long)container > -4096) return (long)container;
    container->input = container->terminal = container->handle = container->log.fd = -1;
    container->streams[0].fd = container->streams[1].fd = -1;
    for (int i = 0; i < max_clients; i++) container->clients[i][0] = container->clients[i][1] = -1;
    container->input_once = request->header.flags & flag_stdin_once;
    container->group = kept(group);
    container->log.directory = kept(directory);
    if (!copy_text(container->key, key, sizeof container->key) ||
        !copy_text(container->log.name, log, sizeof container->log.name)) {
        free_container(container);
        return -ENAMETOOLONG;
    }
    int terminal = request->header.flags & flag_terminal, pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    long result = log_open(&container->log);
    if (result < 0) copy_text(failure->text, container->log.name, sizeof failure->text);
    if (result >= 0 && !terminal && request->header.flags & flag_stdin) result = SYS(SYS_pipe2, pipes[0], O_CLOEXEC);
    for (int i = 1; i < 3 && result >= 0 && !terminal; i++) result = SYS(SYS_pipe2, pipes[i], O_CLOEXEC);
    long process = result;
    if (result >= 0) {
        unsigned long flags = CLONE_NEWNS | (request->header.flags & flag_own_processes ? CLONE_NEWPID : 0);
        int standard[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
        int processes = target ? target->handle : request->header.flags & flag_own_processes ? -1 : shared_processes;
        process = start_process_in(
            processes, flags, request, -1, standard, &container->handle, terminal ? &container->terminal : NULL,
            failure);
    }
    close_all(&pipes[0][0], 1);
    close_all(&pipes[1][1], 1);
    close_all(&pipes[2][1], 1);
    if (process < 0) {
        close_all(&pipes[0][1], 1);
        close_all(&pipes[1][0], 1);
        close_all(&pipes[2][0], 1);
        free_container(container);
        return process;
    }
    container->input = pipes[0][1];
    container->process = process;
    container->running = 1;
    container->started = now();
    if (terminal) {
        if (container->terminal >= 0) watch_output(container, 0, container->terminal, "stdout");
    } else {
        watch_output(container, 0, pipes[1][0], "stdout");
        watch_output(container, 1, pipes[2][0], "stderr");
    }
    container->next = containers;
    containers = container;
    *started = container;
    return 0;
}

long container_exec(struct packet *request, struct failure *failure, int *terminal, long *process) {
    u32 offset = 0;
    int standard[3], handle = -1;
    for (int i = 0; i < 3; i++) standard[i] = descriptor_at(request, &offset);
    struct container *container = container_named(string_at(request, &offset));
    if (!container || !container->running) return -ESRCH;
    long result = start_process_in(
        container->handle, 0, request, container->handle, standard, &handle,
        request->header.flags & flag_terminal ? terminal : NULL, failure);
    if (result < 0) return result;
    *process = result;
    sys_close(handle);
    return 0;
}

static void drop_client(struct container *container, int client, int stream) {
    close_all(&container->clients[client][stream], 1);
}

void container_read(struct container *container, int stream, int until_empty) {
    struct stream *from = &container->streams[stream];
    while (from->fd >= 0) {
        long count = sys_read(from->fd, from->text + from->used, max_line - from->used);
        if (count == -EINTR) continue;
        if (count == -EAGAIN) return;
        if (count <= 0) {
            // End of file; of a terminal EIO. The container's own end closes the terminal.
            log_lines(&container->log, from, 1);
            unwatch(&container->sources[stream]);
            if (from->fd != container->terminal) sys_close(from->fd);
            from->fd = -1;
            for (int i = 0; i < max_clients; i++) drop_client(container, i, stream);
            return;
        }
        for (int i = 0; i < max_clients; i++) {
            if (container->clients[i][stream] < 0) continue;
            // A client that does not read loses the stream rather than stop the program.
            if (sys_write(container->clients[i][stream], from->text + from->used, (size_t)count) != count)
                drop_client(container, i, stream);
        }
        from->used += (u32)count;
        log_lines(&container->log, from, 0);
        if (!until_empty) return;
    }
}

// Kills what a dead container without a PID namespace of its own has left, by its cgroup.
static void kill_rest(struct container *container) {
    char text[4096];
    for (int round = 0; round < 10 && container->group >= 0; round++) {
        SYS(SYS_lseek, container->group, 0, 0 /* SEEK_SET */);
        long count = sys_read(container->group, text, sizeof text - 1), found = 0, process = 0;
        for (long i = 0; i < count; i++) {
            if (text[i] != '\n') {
                process = process % (1 << 24) * 10 + (text[i] - '0');
                continue;
            }
            // 0 is a process outside of this PID namespace; 1 is this one.
            if (process > 1) SYS(SYS_kill, process, SIGKILL), found++;
            process = 0;
        }
        if (!found) return;
    }
}

void container_ended(struct container *container, int status) {
    container->running = 0;
    container->ended = now();
    container->signal = (u32)(status & 0x7f);
    container->code = container->signal ? 128 + container->signal : (u32)(status >> 8 & 0xff);
    kill_rest(container);
    for (int stream = 0; stream < 2; stream++) {
        container_read(container, stream, 1);
        struct stream *rest = &container->streams[stream];
        if (rest->fd < 0) continue;
        // Somebody outside still holds the other end; nothing more of it is the container's.
        log_lines(&container->log, rest, 1);
        unwatch(&container->sources[stream]);
        if (rest->fd != container->terminal) sys_close(rest->fd);
        rest->fd = -1;
    }
    for (int i = 0; i < max_clients; i++) close_all(container->clients[i], 2);
    close_all(&container->input, 1);
    close_all(&container->terminal, 1);
    close_all(&container->handle, 1);
    close_all(&container->group, 1);
    close_all(&container->log.directory, 1);
    close_all(&container->log.fd, 1);
}

long container_attach(struct container *container, struct packet *request, int *input) {
    int client = 0;
    while (client < max_clients && (container->clients[client][0] >= 0 || container->clients[client][1] >= 0)) client++;
    if (client == max_clients) return -EMFILE;
    for (int stream = 0; stream < 2; stream++) {
        if (request->descriptor_count <= stream || container->streams[stream].fd < 0) continue;
        container->clients[client][stream] = request->descriptors[stream];
        set_non_blocking(request->descriptors[stream]);
        // Kept: the packet's owner closes what is left in it.
        request->descriptors[stream] = -1;
    }
    *input = container->terminal >= 0 ? container->terminal : container->input;
    return 0;
}

void container_forget(struct container *container) {
    struct container **link = &containers;
    while (*link && *link != container) link = &(*link)->next;
    if (*link) *link = container->next;
    free_container(container);
}

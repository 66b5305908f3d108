// The loop of a pod's init: requests of the node agent, output of containers, ends of processes.
#include "pod.h"
#include "net.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct connection connections[max_connections];
static struct exec execs[max_execs];
// Behind the last place that has ever been used.
static int exec_count;
static struct packet packet;
static int epoll, exits_file;
static long process_leader;

void watch(struct source *source) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    SYS(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, source->fd, &event);
}

void unwatch(struct source *source) {
    struct epoll_event none = {0};
    SYS(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, source->fd, &none);
}

struct credentials {
    int process;
    u32 user, group;
};

// `credentials`: a process of this PID namespace, which the receiver gets in the numbers of its own (unix(7)).
long send_descriptor(int socket, const void *data, size_t size, int descriptor, int credentials) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct credentials))];
    } control;
    struct iovec vector = {(void *)data, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control};
    size_t used = 0;
    memset(&control, 0, sizeof control);
    if (descriptor >= 0) {
        struct cmsghdr *header = &control.header;
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
        used += CMSG_SPACE(sizeof(int));
    }
    if (credentials > 0) {
        struct cmsghdr *header = (struct cmsghdr *)(control.space + used);
        struct credentials sent = {credentials, 0, 0};
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_CREDENTIALS;
        header->cmsg_len = CMSG_LEN(sizeof sent);
        memcpy(CMSG_DATA(header), &sent, sizeof sent);
        used += CMSG_SPACE(sizeof sent);
    }
    message.msg_control = used ? &control : NULL;
    message.msg_controllen = used;
    return SYS(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

struct answer {
    struct init_header header;
    char body[1024];
    u32 size;
};

static void add(struct answer *answer, const void *data, size_t size) {
    if (answer->size + size > sizeof answer->body) return;
    memcpy(answer->body + answer->size, data, size);
    answer->size += (u32)size;
}

static void add_u32(struct answer *answer, u32 value) { add(answer, &value, sizeof value); }
static void add_moment(struct answer *answer, struct moment moment) { add(answer, &moment, sizeof moment); }
static void add_text(struct answer *answer, const char *text) { add(answer, text, strlen(text) + 1); }

static void send_answer(struct connection *to, struct answer *answer, int descriptor, long process) {
    send_descriptor(
        to->source.fd, &answer->header, sizeof answer->header + answer->size, descriptor,
        process > 0 ? (int)process : 0);
}

static void send_state(struct connection *to, struct container *container, u32 tag) {
    struct answer answer = {.header = {.type = event_state, .tag = tag}};
    add_u32(&answer, (u32)container->running);
    add_u32(&answer, container->code);
    add_u32(&answer, container->signal);
    add_moment(&answer, container->started);
    add_moment(&answer, container->ended);
    add_text(&answer, container->key);
    send_answer(to, &answer, -1, container->running ? container->process : 0);
}

static char *put_moment(char *to, struct moment moment) {
    to = put_number(to, moment.seconds, 1);
    *to++ = '.';
    to = put_number(to, moment.nanoseconds, 9);
    *to++ = ' ';
    return to;
}

// One line an exit: `CODE SIGNAL START END KEY`.
static void record_exit(struct container *container) {
    char line[max_key_size + 100], *end = put_number(line, container->code, 1);
    *end++ = ' ';
    end = put_number(end, container->signal, 1);
    *end++ = ' ';
    end = put_moment(end, container->started);
    end = put_moment(end, container->ended);
    end = put_text(end, container->key);
    *end++ = '\n';
    sys_write(exits_file, line, (size_t)(end - line));
}

static void close_connection(struct connection *connection) {
    unwatch(&connection->source);
    sys_close(connection->source.fd);
    connection->source.fd = -1;
    connection->wants_exits = 0;
    for (int i = 0; i < exec_count; i++)
        if (execs[i].process && execs[i].connection == connection - connections) execs[i].connection = -1;
}

static void accept_connection(int listener) {
    long fd = SYS(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
    if (fd < 0) return;
    for (int i = 0; i < max_connections; i++) {
        if (connections[i].source.fd >= 0) continue;
        connections[i].source = (struct source){source_connection, (int)fd, &connections[i]};
        watch(&connections[i].source);
        return;
    }
    sys_close((int)fd);
}

// Takes every ended process.
static void reap(void) {
    int status;
    long process;
    while ((process = SYS(SYS_wait4, -1, &status, 1 /* WNOHANG */, 0)) > 0) {
        // The kernel has killed all that was in its namespace, and nothing more can be started there.
        if (process == process_leader) sys_exit(1);
        for (struct container *container = containers; container; container = container->next) {
            if (container->process != process || !container->running) continue;
            container_ended(container, status);
            record_exit(container);
            for (int i = 0; i < max_connections; i++)
                if (connections[i].source.fd >= 0 && connections[i].wants_exits)
                    send_state(&connections[i], container, 0);
        }
        for (int i = 0; i < exec_count; i++) {
            if (execs[i].process != process) continue;
            execs[i].process = 0;
            if (execs[i].connection < 0) continue;
            struct answer answer = {.header = {.type = event_exec_exit, .tag = execs[i].tag}};
            u32 signal = (u32)(status & 0x7f);
            add_u32(&answer, signal ? 128 + signal : (u32)(status >> 8 & 0xff));
            add_u32(&answer, signal);
            send_answer(&connections[execs[i].connection], &answer, -1, 0);
        }
    }
}

static u32 body_u32(u32 offset) {
    u32 value = 0;
    if (offset + 4 <= packet.size) memcpy(&value, packet.body + offset, 4);
    return value;
}

static const char *body_text(u32 offset) {
    return offset < packet.size && memchr(packet.body + offset, 0, packet.size - offset) ? packet.body + offset : "";
}

static long start(struct answer *answer, long *process) {
    struct failure failure = {0};
    struct container *started = NULL;
    long result = container_start(&packet, &failure, &started);
    if (result < 0) {
        add_u32(answer, failure.operation);
        add_text(answer, failure.text);
    } else {
        add_moment(answer, started->started);
        *process = started->process;
    }
    return result;
}

static long execute(struct connection *from, struct answer *answer, int *terminal, long *process) {
    struct failure failure = {0};
    int slot = 0;
    while (slot < exec_count && execs[slot].process) slot++;
    if (slot == max_execs) return -EAGAIN;
    long result = container_exec(&packet, &failure, terminal, process);
    if (result < 0) {
        add_u32(answer, failure.operation);
        add_text(answer, failure.text);
    } else {
        add_moment(answer, now());
        execs[slot] = (struct exec){*process, (int)(from - connections), packet.header.tag};
        if (slot == exec_count) exec_count++;
    }
    return result;
}

static void handle_request(struct connection *from) {
    struct answer answer = {.header = {.type = packet.header.type | answer_bit, .tag = packet.header.tag}};
    struct container *container;
    long result = 0, process = 0;
    int descriptor = -1, owned = 0;
    switch (packet.header.type) {
    case request_network: result = net_configure("eth0", body_u32(0), body_u32(4)); break;
    case request_start: result = start(&answer, &process); break;
    case request_exec:
        result = execute(from, &answer, &descriptor, &process);
        owned = 1;
        break;
    case request_attach:
        container = container_named(body_text(0));
        result = container && container->running ? container_attach(container, &packet, &descriptor) : -ESRCH;
        break;
    case request_signal:
        container = container_named(body_text(4));
        result = container && container->running ? SYS(SYS_kill, container->process, body_u32(0)) : -ESRCH;
        break;
    case request_forget:
        container = container_named(body_text(0));
        if (!container) result = -ESRCH;
        else if (container->running) result = -EBUSY;
        else container_forget(container);
        break;
    case request_list:
        from->wants_exits = 1;
        for (container = containers; container; container = container->next)
            send_state(from, container, packet.header.tag);
        break;
    case request_socket:
        descriptor = (int)SYS(SYS_socket, body_u32(0), body_u32(4) | SOCK_CLOEXEC, 0);
        result = descriptor < 0 ? descriptor : 0;
        owned = 1;
        break;
    // The kernel kills everything in a PID namespace whose first process ends.
    case request_end: sys_exit(0);
    default: result = -ENOSYS;
    }
    answer.header.status = (u16)-result;
    send_answer(from, &answer, descriptor, process);
    if (descriptor >= 0 && owned) sys_close(descriptor);
    if (packet.header.type == request_attach && !result) {
        container = container_named(body_text(0));
        // stdinOnce: the client's copy is the last, and its end the program's end of input.
        if (container->input_once && container->input >= 0) {
            sys_close(container->input);
            container->input = -1;
        }
    }
}

static void receive(struct connection *from) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(max_descriptors * sizeof(int))];
    } control;
    struct iovec vector = {&packet.header, max_packet_size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    long count = SYS(SYS_recvmsg, from->source.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (count == -EAGAIN || count == -EINTR) return;
    if (count <= 0) return close_connection(from);
    packet.descriptor_count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        packet.descriptor_count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(packet.descriptors, CMSG_DATA(header), (size_t)packet.descriptor_count * sizeof(int));
    }
    if (count >= (long)sizeof packet.header) {
        packet.size = (u32)count - sizeof packet.header;
        handle_request(from);
    }
    for (int i = 0; i < packet.descriptor_count; i++)
        if (packet.descriptors[i] >= 0) sys_close(packet.descriptors[i]);
}

void serve_pod(int listener, int exits, long leader) {
    u64 all = ~0ULL;
    struct source listening = {source_listener, listener, NULL}, signals = {source_signals, -1, NULL};
    exits_file = exits;
    if (leader > 0) {
        process_leader = leader;
        shared_processes = (int)SYS(SYS_pidfd_open, leader, 0);
        if (shared_processes < 0) sys_exit(1);
    }
    for (int i = 0; i < max_connections; i++) connections[i].source.fd = -1;
    SYS(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
    epoll = (int)SYS(SYS_epoll_create1, EPOLL_CLOEXEC);
    signals.fd = (int)SYS(SYS_signalfd4, -1, &all, 8, O_CLOEXEC | O_NONBLOCK);
    if (epoll < 0 || signals.fd < 0) sys_exit(1);
    watch(&listening);
    watch(&signals);
    for (;;) {
        // One event a time: handling it may free what a later event of the same batch refers to.
        struct epoll_event event;
        if (SYS(SYS_epoll_pwait, epoll, &event, 1, -1, 0, 8) != 1) continue;
        struct source *source = event.data.ptr;
        switch (source->type) {
        case source_listener: accept_connection(listener); break;
        case source_signals: {
            char information[1024];
            while (sys_read(source->fd, information, sizeof information) > 0) {}
            reap();
            break;
        }
        case source_connection: receive(source->owner); break;
        case source_output: {
            struct container *container = source->owner;
            container_read(container, source == &container->sources[1], 0);
            break;
        }
        }
    }
}

#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_accept_client(int socket, uint32_t *address, uint16_t *port) {
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    int client = accept4(socket, (struct sockaddr *)&name, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    *address = ntohl(name.sin_addr.s_addr);
    *port = ntohs(name.sin_port);
    return client;
}

int clinux_connect(uint32_t address, uint16_t port) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server < 0) return -1;
    clinux_send_at_once(server);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
    if (connect(server, (struct sockaddr *)&name, sizeof name) == 0 || errno == EINPROGRESS) return server;
    int reason = errno;
    close(server);
    errno = reason;
    return -1;
}

int clinux_socket_error(int socket) {
    int reason = 0;
    socklen_t length = sizeof reason;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &length) < 0 ? errno : reason;
}

void clinux_reset_on_close(int socket) {
    struct linger none = {.l_onoff = 1};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void clinux_send_at_once(int socket) {
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int clinux_relay_pipe(int *ends, int size) {
    int result = pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    // Users have a max of memory in pipes; the kernel's own size does too.
    if (result == 0) fcntl(ends[0], F_SETPIPE_SZ, size);
    return result;
}

ssize_t clinux_splice(int from, int to, size_t size) {
    return splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

int clinux_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
void clinux_event_signal(int event) { (void)!eventfd_write(event, 1); }

void clinux_event_reset(int event) {
    eventfd_t count;
    (void)!eventfd_read(event, &count);
}

int clinux_connect_datagrams(uint32_t address, uint16_t port) {
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server < 0) return -1;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
    if (connect(server, (struct sockaddr *)&name, sizeof name) == 0) return server;
    int reason = errno;
    close(server);
    errno = reason;
    return -1;
}

void clinux_keep_datagrams(int socket, int size) {
    // Above the system's max where this process may do that.
    if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

enum { max_datagrams = 64 };

struct datagram_batch {
    struct mmsghdr messages[max_datagrams];
    struct iovec parts[max_datagrams];
    struct sockaddr_in names[max_datagrams];
};

static int prepare(struct datagram_batch *batch, const void *buffer, int count) {
    if (count > max_datagrams) count = max_datagrams;
    for (int i = 0; i < count; i++) {
        batch->parts[i] = (struct iovec){(char *)buffer + (size_t)i * clinux_datagram_max, clinux_datagram_max};
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &batch->names[i],
            .msg_namelen = sizeof batch->names[i],
            .msg_iov = &batch->parts[i],
            .msg_iovlen = 1};
    }
    return count;
}

int clinux_receive_datagrams(int socket, void *buffer, struct clinux_datagram *list, int count) {
    struct datagram_batch batch;
    count = recvmmsg(socket, batch.messages, (unsigned)prepare(&batch, buffer, count), MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        list[i].address = ntohl(batch.names[i].sin_addr.s_addr);
        list[i].port = ntohs(batch.names[i].sin_port);
        list[i].size = batch.messages[i].msg_len;
    }
    return count;
}

int clinux_send_datagrams(int socket, const void *buffer, const struct clinux_datagram *list, int count) {
    struct datagram_batch batch;
    count = prepare(&batch, buffer, count);
    for (int i = 0; i < count; i++) {
        batch.parts[i].iov_len = list[i].size;
        batch.names[i] = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons(list[i].port), .sin_addr = {htonl(list[i].address)}};
        if (!list[i].address) batch.messages[i].msg_hdr.msg_name = NULL, batch.messages[i].msg_hdr.msg_namelen = 0;
    }
    return sendmmsg(socket, batch.messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

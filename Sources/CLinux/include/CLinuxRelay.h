#pragma once
#include <stdint.h>
#include <sys/types.h>

// What carrying bytes between sockets needs; each answers -1 with errno as usual, and waits for nothing.

// accept4; the connection is non-blocking and closed on exec. *address and *port are the client's, in the machine's order
// of bytes.
int clinux_accept_client(int socket, uint32_t *address, uint16_t *port);
// Connects a new TCP socket that does not block; its connection is under way when this returns.
int clinux_connect(uint32_t address, uint16_t port);
// The reason why a connection failed, 0 where none did.
int clinux_socket_error(int socket);
// Makes the end of a connection a reset (SO_LINGER).
void clinux_reset_on_close(int socket);
void clinux_send_at_once(int socket);
// A pipe that does not block and, where the system allows it, holds `size` bytes.
int clinux_relay_pipe(int *ends, int size);
// Moves bytes between a socket and a pipe.
ssize_t clinux_splice(int from, int to, size_t size);

// Something to wait for beside sockets (eventfd(2)): readable from the signal on until it is reset.
int clinux_event(void);
void clinux_event_signal(int event);
void clinux_event_reset(int event);

// A datagram in a buffer of several, each in a slot of clinux_datagram_max bytes.
enum { clinux_datagram_max = 65536 };
struct clinux_datagram {
    // Who sent it or shall get it, in the machine's order of bytes; 0 for the one that the socket is connected to.
    uint32_t address;
    uint16_t port;
    uint32_t size;
};

// A new UDP socket that is connected.
int clinux_connect_datagrams(uint32_t address, uint16_t port);
// Lets a socket keep as many bytes as the system allows, up to `size`, so that a burst is not lost.
void clinux_keep_datagrams(int socket, int size);
// Receives at most `count` datagrams into the slots of `buffer`, or sends them from there; returns how many.
int clinux_receive_datagrams(int socket, void *buffer, struct clinux_datagram *list, int count);
int clinux_send_datagrams(int socket, const void *buffer, const struct clinux_datagram *list, int count);

#pragma once
#include "log.h"
#include "operations.h"

// Of programs that are run by request_exec at once; their memory counts as far as it has been used.
enum { max_connections = 8, max_execs = 8192, max_clients = 8 };

// What epoll watches: its event carries one of these.
enum source_type { source_listener, source_signals, source_connection, source_output };

struct source {
    enum source_type type;
    int fd;
    void *owner;
};

struct connection {
    struct source source;
    int wants_exits;
};

// A program that was run in a container by request_exec.
struct exec {
    long process;
    int connection;
    u32 tag;
};

struct container {
    struct container *next;
    char key[max_key_size];
    // cgroup.procs of the container, whose processes are killed at its end; -1 where it has its own PID namespace.
    int group;
    int running;
    long process;
    int handle;
    u32 code, signal;
    struct moment started, ended;
    // Write end of its standard input, or -1.
    int input;
    int input_once;
    // Master side of its terminal, or -1.
    int terminal;
    struct log log;
    struct source sources[2];
    // Attached clients: pipes for stdout and stderr, -1 where free.
    int clients[max_clients][2];
    // Last, as they are large: memory that is not touched is not used.
    struct stream streams[2];
};

struct packet {
    struct init_header header;
    char body[max_packet_size - sizeof(struct init_header)];
    u32 size;
    int descriptors[max_descriptors];
    int descriptor_count;
};

// leader: the first process of the PID namespace that the containers share, or 0.
_Noreturn void serve_pod(int listener, int exits, long leader);

// containers.c
extern struct container *containers;
// The pidfd of the process whose PID namespace the containers share, or -1.
extern int shared_processes;
struct container *container_named(const char *key);
long container_start(struct packet *request, struct failure *failure, struct container **started);
long container_exec(struct packet *request, struct failure *failure, int *terminal, long *process);
void container_forget(struct container *container);
// Takes what a stream has; closes it at its end.
void container_read(struct container *container, int stream, int until_empty);
void container_ended(struct container *container, int status);
long container_attach(struct container *container, struct packet *request, int *input);
// serve.c
void watch(struct source *source);
void unwatch(struct source *source);

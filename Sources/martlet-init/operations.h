#pragma once
#include "CInitProtocol.h"
#include "sys.h"

// What a new container's process has from its parent.
struct child {
    // Where errors go; close-on-exec.
    int errors;
    // Where the terminal's master side goes, or -1.
    int terminals;
    // The container to join, or -1.
    int process;
    // Those of the request; the first is the list of operations.
    const int *descriptors;
    int descriptor_count;
};

// How a start failed.
struct failure {
    u32 error;
    u32 operation;
    char text[256];
};

// Carries out the list and executes the program; on failure reports to the parent and ends the process.
_Noreturn void carry_out(struct child *child);
// Sends one descriptor with `size` bytes.
long send_descriptor(int socket, const void *data, size_t size, int descriptor, int credentials);

// operations.c: the operation at hand, and its arguments in their order.
extern struct child *child;
extern char *next, *limit;
u64 number(void);
char *string(void);
// One of the request's descriptors, by its place in the list.
int descriptor(void);
// Reports a failure to the parent and ends the process.
_Noreturn void fail(long error, const char *text);
// The result of a system call, unless that failed.
long must(long result, const char *text);

// root.c
void take_root(int mount);
void reopen_root(void);
void pivot(void);
long open_in_root(const char *path, u64 flags);
int is_device(int fd, u64 device);
// As find, and makes the directory and those above it where they are missing.
long find_or_make_directory(char *path, u32 mode);
void bind_mount(int mount, char *target);
void mount_filesystem(u64 attributes, const char *type, char *options, char *target);
void hide(char *path);
void make_read_only(char *path);
void make_device(u64 mode, u64 device, char *path);
void make_file(void);
void make_symlink(void);
void go_to(char *path);

// identity.c
void set_groups(void);
void keep_capabilities(u64 kept);
void set_ids(u64 user, u64 group);
void filter_system_calls(void);
void make_terminal(u64 size);

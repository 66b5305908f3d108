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
    // The list of operations.
    int operations;
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

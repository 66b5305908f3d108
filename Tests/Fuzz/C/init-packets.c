// A pod's init and all that comes to it: connections, requests, output of containers, their ends, errors of the kernel.
// An input is what the kernel answers, one call after the other (kernel.c); when it is used up the pod ends.
#include "kernel.h"
// Included: its variables begin anew with each input.
#include "serve.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    kernel_begin(data, size);
    memset(connections, 0, sizeof connections);
    memset(execs, 0, sizeof execs);
    memset(&packet, 0, sizeof packet);
    containers = NULL;
    shared_processes = -1;
    int listener = kernel_open(), exits = kernel_open();
    if (!setjmp(kernel.ended)) serve_pod(listener, exits, kernel_leader);
    kernel_end();
    return 0;
}

// libnftables, found at run time: its absence is a capability that the machine lacks, not a failure to start.
#pragma once

#include <stdbool.h>

struct cnftables;

// Loads the library once. Null on success, else why it cannot be had.
const char *cnftables_load(void);

// A context in the calling thread's network namespace; null where the library cannot be had or memory is short.
struct cnftables *cnftables_open(void);
void cnftables_close(struct cnftables *context);

// Runs commands as one transaction. Blocks. Returns 0 on success; then the output, else the error, is the text to read.
int cnftables_run(struct cnftables *context, const char *commands);
// Valid until the next run.
const char *cnftables_output(struct cnftables *context);
const char *cnftables_error(struct cnftables *context);

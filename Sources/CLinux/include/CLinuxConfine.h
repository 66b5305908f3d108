#pragma once
#include <linux/capability.h>
#include <stdint.h>
#include <sys/types.h>

// What the calling process may do from then on; -1 with `errno` and the step that failed.
struct clinux_confinement {
    // The only directory that is left of the file system: the process's root.
    const char *directory;
    // What root keeps; other users keep nothing.
    uint64_t capabilities;
    // Bytes of memory, of a file; seconds.
    uint64_t memory, file_size, time;
};

// Confines a process that has but one thread, with descriptors 0 to 2 open and no others: a root directory, network and
// other namespaces of its own where it may make them, no way back to the old ones, no programs, no memory that can be
// made executable, no sockets, few capabilities, and limits.
int clinux_confine(const struct clinux_confinement *confinement, const char **step);

// libseccomp, found at run time: its absence is a capability that the machine lacks, not a failure to start.
#pragma once

#include <stdint.h>

struct cseccomp;

// What is done with a system call.
enum {
    cseccomp_kill_process = 0x80000000U,
    cseccomp_kill_thread = 0x00000000U,
    cseccomp_trap = 0x00030000U,
    cseccomp_log = 0x7ffc0000U,
    cseccomp_allow = 0x7fff0000U,
    // Plus an errno.
    cseccomp_errno = 0x00050000U,
};

// How an argument of a system call is compared (`SCMP_CMP_*`).
enum cseccomp_operator {
    cseccomp_ne = 1,
    cseccomp_lt = 2,
    cseccomp_le = 3,
    cseccomp_eq = 4,
    cseccomp_ge = 5,
    cseccomp_gt = 6,
    // The argument and `first` are `second`.
    cseccomp_masked_eq = 7,
};

struct cseccomp_comparison {
    unsigned index;
    enum cseccomp_operator op;
    uint64_t first, second;
};

// Loads the library once. Null on success, else why it cannot be had.
const char *cseccomp_load(void);

// A filter for this machine's architecture, and the 32-bit one that it also runs; null where memory is short or the
// library is not there.
struct cseccomp *cseccomp_open(uint32_t default_action);
void cseccomp_close(struct cseccomp *filter);
// The number of a system call; -1 where the library does not know the name, another negative number where the call is
// not this architecture's.
int cseccomp_number(const char *name);
// The highest number that the library has a name for.
int cseccomp_last_number(void);
// All comparisons must hold. 0, or a negative errno: -EEXIST where the action is the default.
int cseccomp_add(
    struct cseccomp *filter, uint32_t action, int number, const struct cseccomp_comparison *comparisons,
    unsigned count);
// Writes the program to a file. 0, or a negative errno.
int cseccomp_export(struct cseccomp *filter, int file);

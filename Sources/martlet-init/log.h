#pragma once
#include "sys.h"

struct moment {
    u64 seconds, nanoseconds;
};

// A container's log file, in the format of the container runtime interface: `TIME stdout F text`.
enum { max_log_files = 5 };

struct log {
    int fd;
    // Where it and its older parts are.
    int directory;
    u64 size;
    // When its older parts were put away, the oldest first; zero where there is none.
    struct moment rotated[max_log_files - 1];
    char name[64];
};

enum { max_line = 16384 };

// One of a container's output streams, with the part of a line that is not complete yet.
struct stream {
    const char *name;
    int fd;
    u32 used;
    char text[max_line];
};

struct moment now(void);
long log_open(struct log *log);
// Writes the complete lines of a stream, and what is left of it too if this is the end.
void log_lines(struct log *log, struct stream *stream, int at_end);

#include "log.h"

#include <time.h>

enum { rotate_at = 10 << 20 };

// Lines are gathered here, so that a chatty program costs one write a chunk. Empty between calls.
static char gathered[max_line + 256];
static u32 gathered_size;

struct moment now(void) {
    struct timespec time = {0, 0};
    SYS(SYS_clock_gettime, CLOCK_REALTIME, &time);
    return (struct moment){(u64)time.tv_sec, (u64)time.tv_nsec};
}

long log_open(struct log *log) {
    long fd = SYS(SYS_openat, log->directory, log->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fd;
    long size = SYS(SYS_lseek, fd, 0, 2 /* SEEK_END */);
    log->fd = (int)fd;
    log->size = size > 0 ? (u64)size : 0;
    return 0;
}

// `2006-01-02T15:04:05.000000000Z`, after Howard Hinnant's days-to-civil algorithm.
static char *put_time(char *to, struct moment time) {
    u64 days = time.seconds / 86400 + 719468, second = time.seconds % 86400;
    u64 era = days / 146097, day_of_era = days % 146097;
    u64 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    u64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    u64 shifted = (5 * day_of_year + 2) / 153;
    u64 month = shifted < 10 ? shifted + 3 : shifted - 9;
    to = put_number(to, era * 400 + year_of_era + (month <= 2), 4);
    *to++ = '-';
    to = put_number(to, month, 2);
    *to++ = '-';
    to = put_number(to, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
    *to++ = 'T';
    to = put_number(to, second / 3600, 2);
    *to++ = ':';
    to = put_number(to, second / 60 % 60, 2);
    *to++ = ':';
    to = put_number(to, second % 60, 2);
    *to++ = '.';
    to = put_number(to, time.nanoseconds, 9);
    *to++ = 'Z';
    return to;
}

// A part that was put away is named by its moment, much as by the kubelet: `0.log.20060102-150405.000000000`. The node
// agent compresses all but the latest one.
static void rotated_name(char *to, const char *name, struct moment time, const char *suffix) {
    char text[40], *end = put_time(text, time);
    to = put_text(to, name);
    *to++ = '.';
    for (char *from = text; from < end; from++) {
        if (*from == 'T') *to++ = '-';
        else if (*from != '-' && *from != ':' && *from != 'Z') *to++ = *from;
    }
    *put_text(to, suffix) = 0;
}

// Puts what is written so far away and begins a new file; the oldest part goes.
static void rotate(struct log *log) {
    enum { last = max_log_files - 2 };
    char name[128];
    if (log->rotated[0].seconds) {
        rotated_name(name, log->name, log->rotated[0], "");
        SYS(SYS_unlinkat, log->directory, name, 0);
        rotated_name(name, log->name, log->rotated[0], ".gz");
        SYS(SYS_unlinkat, log->directory, name, 0);
    }
    memmove(&log->rotated[0], &log->rotated[1], last * sizeof log->rotated[0]);
    log->rotated[last] = now();
    rotated_name(name, log->name, log->rotated[last], "");
    SYS(SYS_renameat, log->directory, log->name, log->directory, name);
    int old = log->fd;
    // Where no new file can be made (the directory is gone, the disk is full) the old one goes on.
    if (log_open(log) == 0) sys_close(old);
    else log->size = 0;
}

static void flush(struct log *log) {
    for (u32 written = 0; written < gathered_size;) {
        long result = sys_write(log->fd, gathered + written, gathered_size - written);
        if (result == -EINTR) continue;
        if (result <= 0) break;
        written += (u32)result;
    }
    log->size += gathered_size;
    gathered_size = 0;
    if (log->size >= rotate_at) rotate(log);
}

static void add_line(struct log *log, struct moment time, const char *stream, const char *text, u32 size, int full) {
    if (gathered_size + size + 64 > sizeof gathered) flush(log);
    char *to = put_time(gathered + gathered_size, time);
    *to++ = ' ';
    to = put_text(to, stream);
    to = put_text(to, full ? " F " : " P ");
    memcpy(to, text, size);
    to += size;
    *to++ = '\n';
    gathered_size = (u32)(to - gathered);
}

void log_lines(struct log *log, struct stream *stream, int at_end) {
    struct moment time = now();
    char *text = stream->text, *end = stream->text + stream->used, *line_end;
    while (text < end && (line_end = memchr(text, '\n', (size_t)(end - text)))) {
        add_line(log, time, stream->name, text, (u32)(line_end - text), 1);
        text = line_end + 1;
    }
    // A line that is longer than the buffer, or that the program never finished, is a part.
    if (text < end && (at_end || (text == stream->text && stream->used == max_line))) {
        add_line(log, time, stream->name, text, (u32)(end - text), 0);
        text = end;
    }
    stream->used = (u32)(end - text);
    if (text != stream->text) memmove(stream->text, text, stream->used);
    flush(log);
}

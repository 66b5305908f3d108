// The shims of C (Sources/C*), built with the sanitizers (scripts/build-sanitized): each call as Swift makes it, and with
// what it should refuse, or has no room for.
#define _GNU_SOURCE
#include "CArchive.h"
#include "CLinux.h"
#include "CNftables.h"
#include "CSystemd.h"
#include "CZlib.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(1); \
        } \
    } while (0)

static int open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

static void pair(int type, int *ends) {
    int on = 1;
    CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
}

// More descriptors come than there is room for: the rest is closed.
static void descriptors_in_messages(void) {
    int ends[2], sent[254] = {0}, received[2], count, before = open_descriptors();
    char text[8];
    pid_t process;
    pair(SOCK_SEQPACKET, ends);
    for (int total = 0; total <= 253; total += 23) {
        CHECK(clinux_send(ends[0], "abcdefghijkl", 12, sent, total, 0) == 12);
        count = 2;
        // A message that is longer than the room for it is cut.
        CHECK(clinux_receive(ends[1], text, sizeof text, received, &count, &process, 0) == sizeof text);
        CHECK(count == (total ? 2 : 0) && process == getpid());
        for (int i = 0; i < count; i++) CHECK(fcntl(received[i], F_GETFD) == FD_CLOEXEC && !close(received[i]));
        CHECK(open_descriptors() == before + 2);
    }
    CHECK(clinux_send(ends[0], "a", 1, sent, 254, 0) == -1 && errno == EINVAL);
    CHECK(clinux_send_descriptors(ends[0], "a", 1, sent, 17) == -1 && errno == EINVAL);
    CHECK(clinux_send_descriptors(ends[0], "a", 1, sent, 16) == 1);
    count = 1;
    CHECK(clinux_receive_descriptors(ends[1], text, sizeof text, received, &count) == 1 && count == 1);
    close(received[0]);
    close(ends[0]);
    count = 1;
    CHECK(clinux_receive_descriptors(ends[1], text, sizeof text, received, &count) == 0 && count == 0);
    CHECK(clinux_receive(ends[1], NULL, 0, NULL, &count, &process, MSG_DONTWAIT) == 0);
    close(ends[1]);
    CHECK(open_descriptors() == before);
}

static void processes(void) {
    int code, signal, memory = clinux_memfd("shims"), ends[2];
    pid_t child = fork();
    if (!child) pause();
    int handle = clinux_pidfd_open(child);
    CHECK(clinux_reap(child, &code, &signal) == 0);
    CHECK(handle >= 0 && clinux_pidfd_send_signal(handle, SIGKILL) == 0);
    // A pidfd can be read from when its process has ended (pidfd_open(2)).
    struct pollfd ended = {handle, POLLIN, 0};
    CHECK(poll(&ended, 1, 10000) == 1 && clinux_reap(child, &code, &signal) == 1);
    CHECK(code == 0 && signal == SIGKILL && clinux_reap(child, &code, &signal) == -1);
    CHECK(clinux_pidfd_open(-1) == -1 && clinux_pidfd_getfd(handle, 0) == -1);
    CHECK(memory >= 0 && clinux_set_window(memory, 80, 24) == -1 && clinux_get_flags(memory) >= 0);
    CHECK(clinux_pipe(ends) == 0 && clinux_set_flags(ends[0], O_NONBLOCK) == 0);
    CHECK(clinux_socket_in(memory, AF_INET, SOCK_DGRAM, 0) == -1);
    clinux_name_thread("a name that is longer than the kernel has room for");
    close(ends[0]), close(ends[1]), close(handle), close(memory);
}

// A datagram for the supervisor's notify socket may have descriptors, which nobody asked for.
static void datagrams(void) {
    int ends[2], sent[16] = {0}, before = open_descriptors();
    char text[4];
    int32_t process;
    uint64_t usec;
    pair(SOCK_DGRAM, ends);
    CHECK(clinux_send_descriptors(ends[0], "READY=1", 7, sent, 16) == 7);
    CHECK(csystemd_receive(ends[1], text, sizeof text, &process) == sizeof text && process == getpid());
    CHECK(open_descriptors() == before + 2);
    CHECK(csystemd_receive(ends[1], text, sizeof text, &process) == -1);
    close(ends[0]), close(ends[1]);
    csystemd_available();
    unsetenv("WATCHDOG_USEC");
    csystemd_watchdog_enabled(&usec);
}

static size_t observed;
static void observe(void *context, const void *bytes, size_t size) {
    CHECK(context == &observed && size && memchr(bytes, *(const char *)bytes, size));
    observed += size;
}

static void archives(void) {
    if (carchive_load_error()) return;
    int file = clinux_memfd("layer");
    char contents[3];
    carchive_writer *writer = carchive_writer_open(file);
    struct carchive_entry entry = {.path = "a/\xff", .mode = S_IFREG | 0644, .size = 5, .mtime = 1};
    CHECK(writer && carchive_writer_add(writer, &entry) == 0 && carchive_writer_write(writer, "hello", 5) == 0);
    entry = (struct carchive_entry){.path = "l", .symlink = "\xc3\xa9", .mode = S_IFLNK | 0777};
    CHECK(carchive_writer_add(writer, &entry) == 0);
    entry = (struct carchive_entry){.path = "c", .mode = S_IFCHR | 0600, .major = 1, .minor = 3};
    CHECK(carchive_writer_add(writer, &entry) == 0 && carchive_writer_error(writer));
    CHECK(carchive_writer_close(writer) == 0);
    struct stat status;
    CHECK(fstat(file, &status) == 0);
    // Whole, and then ever shorter; with room for all of it, and for too little.
    for (off_t length = status.st_size; length > 0; length -= length > 600 ? 600 : length) {
        CHECK(ftruncate(file, length) == 0);
        for (int64_t limit = 0; limit <= 1 << 20; limit += 1 << 19) {
            CHECK(lseek(file, 0, SEEK_SET) == 0);
            observed = 0;
            carchive_reader *reader = carchive_reader_open(file, limit, observe, &observed);
            CHECK(reader);
            int count = 0, result;
            while ((result = carchive_reader_next(reader, &entry)) > 0) {
                count++;
                if ((entry.mode & S_IFMT) != S_IFREG) continue;
                while (carchive_reader_read(reader, contents, sizeof contents) > 0) {}
            }
            CHECK(*carchive_reader_error(reader) && (off_t)observed <= limit);
            if (length == status.st_size && limit) {
                CHECK(count == 3 && result == 0 && carchive_reader_finish(reader) == 0);
                CHECK((off_t)observed == length);
            }
            carchive_reader_close(reader);
        }
    }
    // It begins as a compressed one, and is none.
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, "\x1f\x8bgarbage", 9, 0) == 9 && lseek(file, 0, SEEK_SET) == 0);
    carchive_reader *none = carchive_reader_open(file, 1 << 20, NULL, NULL);
    if (none) {
        CHECK(carchive_reader_next(none, &entry) <= 0);
        carchive_reader_close(none);
    }
    close(file);
    CHECK(!carchive_reader_open(file, 1 << 20, NULL, NULL));
}

static void rules(void) {
    if (cnftables_load()) return;
    struct cnftables *context = cnftables_open();
    CHECK(context && cnftables_run(context, "no such command") != 0 && *cnftables_error(context));
    CHECK(cnftables_output(context));
    cnftables_close(context);
}

static void compression(void) {
    z_stream stream = {0};
    CHECK(czlib_inflate_init(&stream) == Z_OK && inflateEnd(&stream) == Z_OK);
    CHECK(czlib_deflate_init(&stream) == Z_OK && deflateEnd(&stream) == Z_OK);
}

int main(void) {
    descriptors_in_messages();
    processes();
    datagrams();
    archives();
    rules();
    compression();
    return 0;
}

#include "CArchive.h"

#include "CSystemLibrary.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct archive;
struct archive_entry;

enum { ARCHIVE_EOF = 1, ARCHIVE_OK = 0, ARCHIVE_WARN = -20, ARCHIVE_FATAL = -30 };

static struct {
    struct archive *(*read_new)(void);
    int (*read_support_filter_gzip)(struct archive *);
    int (*read_support_filter_zstd)(struct archive *);
    int (*read_support_format_tar)(struct archive *);
    int (*read_support_format_raw)(struct archive *);
    int (*read_support_format_empty)(struct archive *);
    int (*read_open_fd)(struct archive *, int, size_t);
    int (*read_open)(struct archive *, void *, void *, ssize_t (*)(struct archive *, void *, const void **), void *);
    void (*set_error)(struct archive *, int, const char *, ...);
    int (*read_next_header)(struct archive *, struct archive_entry **);
    ssize_t (*read_data)(struct archive *, void *, size_t);
    int (*read_free)(struct archive *);
    struct archive *(*write_new)(void);
    int (*write_set_format_pax_restricted)(struct archive *);
    int (*write_set_bytes_in_last_block)(struct archive *, int);
    int (*write_open_fd)(struct archive *, int);
    int (*write_header)(struct archive *, struct archive_entry *);
    ssize_t (*write_data)(struct archive *, const void *, size_t);
    int (*write_close)(struct archive *);
    int (*write_free)(struct archive *);
    const char *(*error_string)(struct archive *);
    struct archive_entry *(*entry_new)(void);
    void (*entry_free)(struct archive_entry *);
    const char *(*entry_pathname)(struct archive_entry *);
    const char *(*entry_pathname_utf8)(struct archive_entry *);
    const char *(*entry_hardlink)(struct archive_entry *);
    const char *(*entry_hardlink_utf8)(struct archive_entry *);
    const char *(*entry_symlink)(struct archive_entry *);
    const char *(*entry_symlink_utf8)(struct archive_entry *);
    mode_t (*entry_mode)(struct archive_entry *);
    int64_t (*entry_uid)(struct archive_entry *);
    int64_t (*entry_gid)(struct archive_entry *);
    int64_t (*entry_size)(struct archive_entry *);
    time_t (*entry_mtime)(struct archive_entry *);
    dev_t (*entry_rdevmajor)(struct archive_entry *);
    dev_t (*entry_rdevminor)(struct archive_entry *);
    int (*entry_xattr_reset)(struct archive_entry *);
    int (*entry_xattr_next)(struct archive_entry *, const char **, const void **, size_t *);
    void (*entry_set_pathname)(struct archive_entry *, const char *);
    int (*entry_update_pathname_utf8)(struct archive_entry *, const char *);
    void (*entry_set_hardlink)(struct archive_entry *, const char *);
    void (*entry_set_symlink)(struct archive_entry *, const char *);
    int (*entry_update_symlink_utf8)(struct archive_entry *, const char *);
    void (*entry_set_mode)(struct archive_entry *, mode_t);
    void (*entry_set_uid)(struct archive_entry *, int64_t);
    void (*entry_set_gid)(struct archive_entry *, int64_t);
    void (*entry_set_size)(struct archive_entry *, int64_t);
    void (*entry_set_mtime)(struct archive_entry *, time_t, long);
    void (*entry_set_rdev)(struct archive_entry *, dev_t);
} lib;

static const char *load_error;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *handle = csystem_library_open("libarchive.so.13", NULL);
    if (!handle) {
        load_error = "libarchive.so.13 cannot be loaded";
        return;
    }
    const struct {
        void *slot;
        const char *name;
    } symbols[] = {
        {&lib.read_new, "archive_read_new"},
        {&lib.read_support_filter_gzip, "archive_read_support_filter_gzip"},
        {&lib.read_support_filter_zstd, "archive_read_support_filter_zstd"},
        {&lib.read_support_format_tar, "archive_read_support_format_tar"},
        {&lib.read_support_format_raw, "archive_read_support_format_raw"},
        {&lib.read_support_format_empty, "archive_read_support_format_empty"},
        {&lib.read_open_fd, "archive_read_open_fd"},
        {&lib.read_open, "archive_read_open"},
        {&lib.set_error, "archive_set_error"},
        {&lib.read_next_header, "archive_read_next_header"},
        {&lib.read_data, "archive_read_data"},
        {&lib.read_free, "archive_read_free"},
        {&lib.write_new, "archive_write_new"},
        {&lib.write_set_format_pax_restricted, "archive_write_set_format_pax_restricted"},
        {&lib.write_set_bytes_in_last_block, "archive_write_set_bytes_in_last_block"},
        {&lib.write_open_fd, "archive_write_open_fd"},
        {&lib.write_header, "archive_write_header"},
        {&lib.write_data, "archive_write_data"},
        {&lib.write_close, "archive_write_close"},
        {&lib.write_free, "archive_write_free"},
        {&lib.error_string, "archive_error_string"},
        {&lib.entry_new, "archive_entry_new"},
        {&lib.entry_free, "archive_entry_free"},
        {&lib.entry_pathname, "archive_entry_pathname"},
        {&lib.entry_pathname_utf8, "archive_entry_pathname_utf8"},
        {&lib.entry_hardlink, "archive_entry_hardlink"},
        {&lib.entry_hardlink_utf8, "archive_entry_hardlink_utf8"},
        {&lib.entry_symlink, "archive_entry_symlink"},
        {&lib.entry_symlink_utf8, "archive_entry_symlink_utf8"},
        {&lib.entry_mode, "archive_entry_mode"},
        {&lib.entry_uid, "archive_entry_uid"},
        {&lib.entry_gid, "archive_entry_gid"},
        {&lib.entry_size, "archive_entry_size"},
        {&lib.entry_mtime, "archive_entry_mtime"},
        {&lib.entry_rdevmajor, "archive_entry_rdevmajor"},
        {&lib.entry_rdevminor, "archive_entry_rdevminor"},
        {&lib.entry_xattr_reset, "archive_entry_xattr_reset"},
        {&lib.entry_xattr_next, "archive_entry_xattr_next"},
        {&lib.entry_set_pathname, "archive_entry_set_pathname"},
        {&lib.entry_update_pathname_utf8, "archive_entry_update_pathname_utf8"},
        {&lib.entry_set_hardlink, "archive_entry_set_hardlink"},
        {&lib.entry_set_symlink, "archive_entry_set_symlink"},
        {&lib.entry_update_symlink_utf8, "archive_entry_update_symlink_utf8"},
        {&lib.entry_set_mode, "archive_entry_set_mode"},
        {&lib.entry_set_uid, "archive_entry_set_uid"},
        {&lib.entry_set_gid, "archive_entry_set_gid"},
        {&lib.entry_set_size, "archive_entry_set_size"},
        {&lib.entry_set_mtime, "archive_entry_set_mtime"},
        {&lib.entry_set_rdev, "archive_entry_set_rdev"},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (!address) {
            load_error = "libarchive.so.13 lacks a function that layers need";
            dlclose(handle);
            return;
        }
        memcpy(symbols[i].slot, &address, sizeof address);
    }
}

const char *carchive_load_error(void) {
    pthread_once(&load_once, load);
    return load_error;
}

// Two archives: one of libarchive's "raw" format takes the compression off, where there is one; the other reads the tar
// that comes out of it. So the tar's bytes can be counted and observed on their way.
struct carchive_reader {
    struct archive *compressed;  // NULL where the file is the tar itself
    struct archive *archive;
    struct archive_entry *entry;
    int file;
    int64_t left;
    carchive_observer *observe;
    void *context;
    char buffer[1 << 16];
};

// How many bytes of the tar came into the buffer; 0 at its end; -1 with the reason set in `reader->archive`.
static ssize_t fill(carchive_reader *reader) {
    ssize_t count;
    if (reader->compressed) {
        count = lib.read_data(reader->compressed, reader->buffer, sizeof reader->buffer);
        if (count < 0) {
            const char *text = lib.error_string(reader->compressed);
            lib.set_error(reader->archive, EIO, "%s", text ? text : "cannot be decompressed");
            return -1;
        }
    } else {
        do count = read(reader->file, reader->buffer, sizeof reader->buffer);
        while (count < 0 && errno == EINTR);
        if (count < 0) {
            lib.set_error(reader->archive, errno, "%s", strerror(errno));
            return -1;
        }
    }
    if (count > reader->left) {
        lib.set_error(reader->archive, EFBIG, "it is larger than a layer may be");
        return -1;
    }
    reader->left -= count;
    if (count > 0 && reader->observe) reader->observe(reader->context, reader->buffer, (size_t)count);
    return count;
}

static ssize_t give(struct archive *archive, void *data, const void **buffer) {
    (void)archive;
    carchive_reader *reader = data;
    *buffer = reader->buffer;
    return fill(reader);
}

// By the first bytes, as container engines do, not by what a manifest says. Nothing but what libarchive has built in:
// for what it has not it would start programs.
static int open_compressed(carchive_reader *reader) {
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    unsigned char start[4] = {0};
    if (pread(reader->file, start, sizeof start, 0) < 0) return -1;
    int (*support)(struct archive *) = !memcmp(start, gzip, sizeof gzip) ? lib.read_support_filter_gzip
        : !memcmp(start, zstd, sizeof zstd)                              ? lib.read_support_filter_zstd
                                                                         : NULL;
    if (!support) return 0;
    struct archive_entry *entry;
    reader->compressed = lib.read_new();
    if (!reader->compressed) return -1;
    errno = ENOTSUP;
    if (support(reader->compressed) != ARCHIVE_OK) return -1;
    lib.read_support_format_raw(reader->compressed);
    lib.read_support_format_empty(reader->compressed);
    errno = EBADMSG;
    if (lib.read_open_fd(reader->compressed, reader->file, 1 << 16) != ARCHIVE_OK) return -1;
    int result = lib.read_next_header(reader->compressed, &entry);
    return result == ARCHIVE_OK || result == ARCHIVE_EOF ? 0 : -1;
}

carchive_reader *carchive_reader_open(int file, int64_t limit, carchive_observer *observe, void *context) {
    if (carchive_load_error()) {
        errno = ENOSYS;
        return NULL;
    }
    carchive_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->file = file;
    reader->left = limit;
    reader->observe = observe;
    reader->context = context;
    errno = ENOMEM;
    reader->archive = lib.read_new();
    if (!reader->archive || open_compressed(reader) < 0) {
        int reason = errno;
        carchive_reader_close(reader);
        errno = reason;
        return NULL;
    }
    lib.read_support_format_tar(reader->archive);
    lib.read_support_format_empty(reader->archive);
    // A failure shows in the first `next`, with its text.
    lib.read_open(reader->archive, reader, NULL, give, NULL);
    return reader;
}

int carchive_reader_finish(carchive_reader *reader) {
    ssize_t count;
    do count = fill(reader);
    while (count > 0);
    return count < 0 ? -1 : 0;
}

// libarchive converts names to the locale's encoding, which fails in the C locale; UTF-8 is what layers hold.
static const char *either(const char *utf8, const char *raw) { return utf8 ? utf8 : raw; }

int carchive_reader_next(carchive_reader *reader, struct carchive_entry *out) {
    int result = lib.read_next_header(reader->archive, &reader->entry);
    if (result == ARCHIVE_EOF) return 0;
    if (result < ARCHIVE_WARN) return -1;
    struct archive_entry *entry = reader->entry;
    out->path = either(lib.entry_pathname_utf8(entry), lib.entry_pathname(entry));
    out->hardlink = either(lib.entry_hardlink_utf8(entry), lib.entry_hardlink(entry));
    out->symlink = either(lib.entry_symlink_utf8(entry), lib.entry_symlink(entry));
    out->mode = lib.entry_mode(entry);
    out->uid = lib.entry_uid(entry);
    out->gid = lib.entry_gid(entry);
    out->size = lib.entry_size(entry);
    out->mtime = lib.entry_mtime(entry);
    out->major = (uint32_t)lib.entry_rdevmajor(entry);
    out->minor = (uint32_t)lib.entry_rdevminor(entry);
    lib.entry_xattr_reset(entry);
    return out->path ? 1 : -1;
}

int carchive_reader_next_xattr(carchive_reader *reader, const char **name, const void **value, size_t *size) {
    return lib.entry_xattr_next(reader->entry, name, value, size) == ARCHIVE_OK;
}

ssize_t carchive_reader_read(carchive_reader *reader, void *buffer, size_t size) {
    ssize_t count = lib.read_data(reader->archive, buffer, size);
    return count < 0 ? -1 : count;
}

const char *carchive_reader_error(carchive_reader *reader) {
    const char *text = lib.error_string(reader->archive);
    return text ? text : "unreadable archive";
}

void carchive_reader_close(carchive_reader *reader) {
    if (reader->archive) lib.read_free(reader->archive);
    if (reader->compressed) lib.read_free(reader->compressed);
    free(reader);
}

struct carchive_writer {
    struct archive *archive;
};

carchive_writer *carchive_writer_open(int fd) {
    if (carchive_load_error()) {
        errno = ENOSYS;
        return NULL;
    }
    carchive_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return NULL;
    writer->archive = lib.write_new();
    if (!writer->archive) {
        free(writer);
        errno = ENOMEM;
        return NULL;
    }
    lib.write_set_format_pax_restricted(writer->archive);
    lib.write_set_bytes_in_last_block(writer->archive, 1);
    lib.write_open_fd(writer->archive, fd);
    return writer;
}

int carchive_writer_add(carchive_writer *writer, const struct carchive_entry *in) {
    struct archive_entry *entry = lib.entry_new();
    if (!entry) return -1;
    // In the C locale the UTF-8 form is refused for bytes that are not UTF-8; then the bytes go in as they are.
    if (!lib.entry_update_pathname_utf8(entry, in->path)) lib.entry_set_pathname(entry, in->path);
    lib.entry_set_mode(entry, in->mode);
    lib.entry_set_uid(entry, in->uid);
    lib.entry_set_gid(entry, in->gid);
    lib.entry_set_mtime(entry, in->mtime, 0);
    lib.entry_set_size(entry, S_ISREG(in->mode) ? in->size : 0);
    if (in->hardlink) lib.entry_set_hardlink(entry, in->hardlink);
    if (in->symlink && !lib.entry_update_symlink_utf8(entry, in->symlink)) lib.entry_set_symlink(entry, in->symlink);
    if (S_ISCHR(in->mode) || S_ISBLK(in->mode)) lib.entry_set_rdev(entry, makedev(in->major, in->minor));
    int result = lib.write_header(writer->archive, entry);
    lib.entry_free(entry);
    return result < ARCHIVE_WARN ? -1 : 0;
}

int carchive_writer_write(carchive_writer *writer, const void *bytes, size_t size) {
    const char *next = bytes;
    while (size > 0) {
        ssize_t count = lib.write_data(writer->archive, next, size);
        if (count <= 0) return -1;
        next += count;
        size -= (size_t)count;
    }
    return 0;
}

const char *carchive_writer_error(carchive_writer *writer) {
    const char *text = lib.error_string(writer->archive);
    return text ? text : "archive cannot be written";
}

int carchive_writer_close(carchive_writer *writer) {
    int result = lib.write_close(writer->archive);
    lib.write_free(writer->archive);
    free(writer);
    return result < ARCHIVE_WARN ? -1 : 0;
}

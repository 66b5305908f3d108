// libarchive, loaded at run time.
//
// The functions that layers need, on top of libarchive.so.13, which is opened by the first call: so neither building
// nor starting Martlet needs it, and a machine without it reports it when it first packs or unpacks a layer. The
// declarations are our own, of libarchive's stable ABI (version 3). All calls block. Not for use by several threads on
// one archive.
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <sys/xattr.h>      // unpacked layers keep extended attributes; Swift's Glibc has not these calls,
extern int syncfs(int fd);  // nor this one

// NULL when libarchive is there, else why not.
const char *carchive_load_error(void);

struct carchive_entry {
    const char *path;
    const char *hardlink;  // NULL if it is none
    const char *symlink;   // NULL if it is none
    uint32_t mode;         // file type and permissions, as in stat; the type is 0 for a hard link
    int64_t uid, gid;      // as written
    int64_t size;
    int64_t mtime;
    uint32_t major, minor;  // of a device
};

// A tar file being read, compressed by gzip or zstd or not. The strings in an entry live until the next call.
typedef struct carchive_reader carchive_reader;
// Receives the bytes of the tar as they are read, decompressed.
typedef void carchive_observer(void *context, const void *bytes, size_t size);
// Reads from the descriptor, which stays the caller's, at its offset 0; the tar may have at most `limit` bytes.
// NULL with `errno` set: ENOTSUP where libarchive lacks the compression, EBADMSG for damaged data, ENOMEM, or ENOSYS
// where libarchive is missing.
carchive_reader *carchive_reader_open(int file, int64_t limit, carchive_observer *observe, void *context);
// 1: an entry; 0: the end; -1: an error.
int carchive_reader_next(carchive_reader *reader, struct carchive_entry *entry);
// The current entry's next extended attribute: 1, or 0 when there are no more.
int carchive_reader_next_xattr(carchive_reader *reader, const char **name, const void **value, size_t *size);
// The current entry's next bytes: how many, 0 at its end, -1 for an error.
ssize_t carchive_reader_read(carchive_reader *reader, void *buffer, size_t size);
// Reads what follows the last entry, so that all of the tar has been observed; 0, or -1 for an error.
int carchive_reader_finish(carchive_reader *reader);
const char *carchive_reader_error(carchive_reader *reader);
void carchive_reader_close(carchive_reader *reader);

// A tar file (pax, as plain as its contents allow) being written to a descriptor, which stays open.
typedef struct carchive_writer carchive_writer;
carchive_writer *carchive_writer_open(int fd);
// 0, or -1 for an error.
int carchive_writer_add(carchive_writer *writer, const struct carchive_entry *entry);
int carchive_writer_write(carchive_writer *writer, const void *bytes, size_t size);
const char *carchive_writer_error(carchive_writer *writer);
// Writes the end of the archive; 0, or -1 for an error. Frees the writer in any case.
int carchive_writer_close(carchive_writer *writer);

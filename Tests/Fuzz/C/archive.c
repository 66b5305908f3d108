// A layer's tar, compressed or not, as the unpacker reads it.
#define _GNU_SOURCE
#include "CArchive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void observe(void *context, const void *bytes, size_t size) {
    (void)context;
    if (!memchr(bytes, ((const char *)bytes)[size - 1], size)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int file = -1;
    char contents[4096];
    if (carchive_load_error()) return 0;
    if (file < 0) file = memfd_create("layer", MFD_CLOEXEC);
    if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size) abort();
    lseek(file, 0, SEEK_SET);
    carchive_reader *reader = carchive_reader_open(file, 1 << 22, observe, NULL);
    if (!reader) return 0;
    struct carchive_entry entry;
    int result;
    // A small archive can be of a sparse file that is endless.
    size_t left = 1 << 20;
    while ((result = carchive_reader_next(reader, &entry)) > 0) {
        size_t length = strlen(entry.path);
        if (entry.hardlink) length += strlen(entry.hardlink);
        if (entry.symlink) length += strlen(entry.symlink);
        if (length > left) break;
        const char *name;
        const void *value;
        size_t value_size;
        while (carchive_reader_next_xattr(reader, &name, &value, &value_size)) {
            length = name ? strlen(name) + value_size : value_size;
            if (length > left) break;
            left -= length;
        }
        ssize_t count;
        while ((count = carchive_reader_read(reader, contents, sizeof contents)) > 0 && (size_t)count <= left)
            left -= (size_t)count;
        if (count > 0) break;
    }
    if (result < 0 && !*carchive_reader_error(reader)) abort();
    if (!result) carchive_reader_finish(reader);
    carchive_reader_close(reader);
    return 0;
}

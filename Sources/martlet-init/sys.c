#include "sys.h"

void sys_exit(int code) {
    for (;;) SYS(SYS_exit_group, code);
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t length) {
    for (; length && *a && *a == *b; length--) a++, b++;
    return length ? (u8)*a - (u8)*b : 0;
}

void *memcpy(void *to, const void *from, size_t size) {
    u8 *target = to;
    const u8 *source = from;
    while (size--) *target++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    u8 *target = to;
    const u8 *source = from;
    if (target <= source) return memcpy(to, from, size);
    while (size--) target[size] = source[size];
    return to;
}

void *memset(void *to, int value, size_t size) {
    u8 *target = to;
    while (size--) *target++ = (u8)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const u8 *left = a, *right = b;
    for (; size; size--, left++, right++)
        if (*left != *right) return *left - *right;
    return 0;
}

void *memchr(const void *data, int value, size_t size) {
    const u8 *byte = data;
    for (; size; size--, byte++)
        if (*byte == (u8)value) return (void *)byte;
    return NULL;
}

long parse_number(const char *text) {
    long value = 0;
    if (!text || !*text) return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > 1L << 40) return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

char *put_number(char *to, u64 value, int width) {
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (width-- > count) *to++ = '0';
    while (count) *to++ = digits[--count];
    return to;
}

char *put_text(char *to, const char *text) {
    while (*text) *to++ = *text++;
    return to;
}

void die(const char *what, long error) {
    char text[512], *end = put_text(text, "martlet-init: ");
    size_t length = strlen(what);
    if (length > 400) length = 400;
    memcpy(end, what, length);
    end += length;
    if (error) {
        end = put_text(end, ": errno ");
        end = put_number(end, (u64)(error < 0 ? -error : error), 1);
    }
    *end++ = '\n';
    sys_write(2, text, (size_t)(end - text));
    sys_exit(125);
}

int write_file(const char *path, const char *text) {
    long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return (int)fd;
    long result = sys_write((int)fd, text, strlen(text));
    sys_close((int)fd);
    return result < 0 ? (int)result : 0;
}

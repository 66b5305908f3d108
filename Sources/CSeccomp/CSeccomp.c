#include "CSeccomp.h"

#include "CSystemLibrary.h"

#include <errno.h>
#include <linux/audit.h>
#include <pthread.h>
#include <stdlib.h>

// As in seccomp.h, which is not needed to build.
enum { ATTRIBUTE_OPTIMIZE = 8, OPTIMIZE_TREE = 2 };

static struct {
    struct cseccomp *(*init)(uint32_t);
    void (*release)(struct cseccomp *);
    int (*arch_add)(struct cseccomp *, uint32_t);
    int (*attr_set)(struct cseccomp *, int, uint32_t);
    int (*resolve_name)(const char *);
    char *(*resolve_num)(uint32_t, int);
    int (*rule_add)(struct cseccomp *, uint32_t, int, unsigned, const struct cseccomp_comparison *);
    int (*export)(struct cseccomp *, int);
    const char *failure;
} library;

static void load(void) {
    const struct csystem_symbol symbols[] = {
        {(void **)&library.init, "seccomp_init"},
        {(void **)&library.release, "seccomp_release"},
        {(void **)&library.arch_add, "seccomp_arch_add"},
        {(void **)&library.attr_set, "seccomp_attr_set"},
        {(void **)&library.resolve_name, "seccomp_syscall_resolve_name"},
        {(void **)&library.resolve_num, "seccomp_syscall_resolve_num_arch"},
        {(void **)&library.rule_add, "seccomp_rule_add_array"},
        {(void **)&library.export, "seccomp_export_bpf"},
    };
    library.failure = csystem_library_load("libseccomp.so.2", symbols, sizeof symbols / sizeof *symbols);
}

const char *cseccomp_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return library.failure;
}

struct cseccomp *cseccomp_open(uint32_t default_action) {
    if (cseccomp_load()) return 0;
    struct cseccomp *filter = library.init(default_action);
    if (!filter) return 0;
#if defined(__x86_64__)
    library.arch_add(filter, AUDIT_ARCH_I386);
#elif defined(__aarch64__)
    library.arch_add(filter, AUDIT_ARCH_ARM);
#endif
    // Searched in a few steps where it is asked at each call. Versions before 2.5 have only the other way.
    library.attr_set(filter, ATTRIBUTE_OPTIMIZE, OPTIMIZE_TREE);
    return filter;
}

void cseccomp_close(struct cseccomp *filter) { library.release(filter); }
int cseccomp_number(const char *name) { return library.resolve_name(name); }

int cseccomp_last_number(void) {
#if defined(__x86_64__)
    const uint32_t architecture = AUDIT_ARCH_X86_64;
#else
    const uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif
    for (int number = 1000; number > 0; number--) {
        char *name = library.resolve_num(architecture, number);
        free(name);
        if (name) return number;
    }
    return 1000;
}

int cseccomp_add(
    struct cseccomp *filter, uint32_t action, int number, const struct cseccomp_comparison *comparisons,
    unsigned count) {
    return library.rule_add(filter, action, number, count, comparisons);
}

int cseccomp_export(struct cseccomp *filter, int file) { return library.export(filter, file); }

#include "CSystemLibrary.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Debian's directories for this architecture, then those of other distributions.
static const char *const directories[] = {
#if defined(__x86_64__)
    "/usr/lib/x86_64-linux-gnu",
    "/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
    "/usr/lib/aarch64-linux-gnu",
    "/lib/aarch64-linux-gnu",
#endif
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/lib",
};

void *csystem_library_open(const char *name, const char **problem) {
    const char *reason = "it is not installed";
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        char path[256];
        if ((size_t)snprintf(path, sizeof path, "%s/%s", directories[i], name) >= sizeof path) continue;
        if (access(path, F_OK) != 0) continue;
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library) return library;
        const char *text = dlerror();
        if (text) reason = text;
    }
    if (problem) *problem = reason;
    return NULL;
}

const char *csystem_library_load(const char *name, const struct csystem_symbol *symbols, unsigned count) {
    char text[512];
    const char *problem;
    void *library = csystem_library_open(name, &problem);
    if (!library) {
        snprintf(text, sizeof text, "%s cannot be loaded: %s", name, problem);
    } else {
        const char *missing = NULL;
        for (unsigned i = 0; i < count; i++) {
            *symbols[i].place = dlsym(library, symbols[i].name);
            if (!*symbols[i].place) missing = symbols[i].name;
        }
        if (!missing) return NULL;
        snprintf(text, sizeof text, "%s lacks a function that Martlet needs: %s", name, missing);
    }
    const char *kept = strdup(text);
    return kept ? kept : "out of memory";
}

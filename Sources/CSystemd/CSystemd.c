#include "CSystemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int (*sd_notify)(int, const char *);
static int (*sd_listen_fds_with_names)(int, char ***);
static int (*sd_watchdog_enabled)(int, uint64_t *);

static void load(void) {
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    sd_notify = (int (*)(int, const char *))dlsym(library, "sd_notify");
    sd_listen_fds_with_names = (int (*)(int, char ***))dlsym(library, "sd_listen_fds_with_names");
    sd_watchdog_enabled = (int (*)(int, uint64_t *))dlsym(library, "sd_watchdog_enabled");
}

bool csystemd_available(void) {
    pthread_once(&once, load);
    return sd_notify != NULL;
}

int csystemd_notify(const char *state) {
    pthread_once(&once, load);
    return sd_notify == NULL ? -ENOSYS : sd_notify(0, state);
}

int csystemd_listen_fds_with_names(char ***names) {
    pthread_once(&once, load);
    return sd_listen_fds_with_names == NULL ? -ENOSYS : sd_listen_fds_with_names(1, names);
}

int csystemd_watchdog_enabled(uint64_t *usec) {
    pthread_once(&once, load);
    return sd_watchdog_enabled == NULL ? -ENOSYS : sd_watchdog_enabled(0, usec);
}

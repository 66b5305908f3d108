#include "CSystemd.h"

#include "CSystemLibrary.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int (*sd_watchdog_enabled)(int, uint64_t *);
static int (*sd_bus_open_system)(void **);
static int (*sd_bus_set_method_call_timeout)(void *, uint64_t);
static int (*sd_bus_call_method)(
    void *, const char *, const char *, const char *, const char *, void *, void **, const char *, ...);
static void *(*sd_bus_flush_close_unref)(void *);

static void load(void) {
    void *library = csystem_library_open("libsystemd.so.0", NULL);
    if (library == NULL) return;
    sd_watchdog_enabled = (int (*)(int, uint64_t *))dlsym(library, "sd_watchdog_enabled");
    sd_bus_open_system = (int (*)(void **))dlsym(library, "sd_bus_open_system");
    sd_bus_set_method_call_timeout = (int (*)(void *, uint64_t))dlsym(library, "sd_bus_set_method_call_timeout");
    sd_bus_call_method = (__typeof__(sd_bus_call_method))dlsym(library, "sd_bus_call_method");
    sd_bus_flush_close_unref = (void *(*)(void *))dlsym(library, "sd_bus_flush_close_unref");
}

bool csystemd_available(void) {
    pthread_once(&once, load);
    return sd_watchdog_enabled != NULL;
}

int csystemd_watchdog_enabled(uint64_t *usec) {
    pthread_once(&once, load);
    return sd_watchdog_enabled == NULL ? -ENOSYS : sd_watchdog_enabled(0, usec);
}

int csystemd_start_scope(const char *name, const char *description, uint32_t pid) {
    pthread_once(&once, load);
    if (sd_bus_open_system == NULL || sd_bus_set_method_call_timeout == NULL || sd_bus_call_method == NULL ||
        sd_bus_flush_close_unref == NULL)
        return -ENOSYS;
    void *bus = NULL;
    int result = sd_bus_open_system(&bus);
    if (result < 0) return result;
    sd_bus_set_method_call_timeout(bus, 5000000);
    // Stopped with the machine: what is left of it is killed after a few seconds, for the holders of namespaces heed
    // no other signal.
    // clang-format off
    result = sd_bus_call_method(
        bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "StartTransientUnit", NULL, NULL, "ssa(sv)a(sa(sv))", name, "fail", 6,
        "Description", "s", description,
        "Slice", "s", "system.slice",
        "Delegate", "b", 1,
        "CollectMode", "s", "inactive-or-failed",
        "TimeoutStopUSec", "t", (uint64_t)5000000,
        "PIDs", "au", 1, pid,
        0);
    // clang-format on
    sd_bus_flush_close_unref(bus);
    return result < 0 ? result : 0;
}

#pragma once
#include <stdbool.h>
#include <stdint.h>

// libsystemd, loaded at run time (libsystemd.so.0) so that Martlet also starts where it is not installed.
// Functions answer -ENOSYS there. Declarations follow sd-daemon(3), sd_watchdog_enabled(3), sd-bus(3).

bool csystemd_available(void);
int csystemd_watchdog_enabled(uint64_t *usec);

// Asks the machine's manager for a scope in system.slice with Delegate=yes and moves a process into it (StartTransientUnit
// of org.freedesktop.systemd1(5)). Returns when systemd has taken the order, not when it has carried it out; 0, or a
// negative errno: -EEXIST where there is such a unit.
int csystemd_start_scope(const char *name, const char *description, uint32_t pid);

// Receives one datagram with its sender's pid (SO_PASSCRED is set); the length, or -1 with errno.
long csystemd_receive(int descriptor, char *text, unsigned long capacity, int32_t *pid);

#pragma once

// Which devices the processes of a control group may use, as a program of the kernel's (BPF_PROG_TYPE_CGROUP_DEVICE).

enum { clinux_device_any = -1, clinux_device_make = 1, clinux_device_read = 2, clinux_device_write = 4 };

struct clinux_device_rule {
    // 'b' or 'c'.
    char type;
    // clinux_device_any for each of them.
    int major, minor;
    // What is allowed: clinux_device_make and others, added up.
    int access;
};

// Loads a program that allows what any of the rules does. -1 and errno on failure, else its descriptor.
int clinux_load_device_program(const struct clinux_device_rule *rules, int count);
// Has a program decide for the group, by its directory, and those below it. -1 and errno on failure.
int clinux_attach_device_program(int program, int group);

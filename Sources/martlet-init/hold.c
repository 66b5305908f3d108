// hold [--ready-fd N] [--present] [--user] [--mnt] [--net] [--sysctl PATH=VALUE]...
//
// Creates namespaces (--mnt and --net where none is named) and sleeps, so that they exist as long as this process.
// When they are ready it writes "READY=1\n" to the descriptor N and closes it.
#include "modes.h"
#include "net.h"

#include <sched.h>
#include <sys/mount.h>

static void become_root_of_user_namespace(void) {
    char map[64], *end;
    u64 user = (u64)SYS(SYS_geteuid), group = (u64)SYS(SYS_getegid);
    long result = SYS(SYS_unshare, CLONE_NEWUSER);
    if (result < 0) die("unshare user namespace", result);
    end = put_text(map, "0 ");
    end = put_number(end, user, 1);
    *put_text(end, " 1") = 0;
    if ((result = write_file("/proc/self/uid_map", map)) < 0) die("write uid_map", result);
    // The kernel wants this before a group map by an unprivileged process (user_namespaces(7)).
    write_file("/proc/self/setgroups", "deny");
    end = put_text(map, "0 ");
    end = put_number(end, group, 1);
    *put_text(end, " 1") = 0;
    if ((result = write_file("/proc/self/gid_map", map)) < 0) die("write gid_map", result);
}

static void set_sysctl(char *assignment) {
    char path[256], *value = assignment;
    while (*value && *value != '=') value++;
    if (!*value || value - assignment > 200) die("--sysctl wants PATH=VALUE", 0);
    *value++ = 0;
    *put_text(put_text(path, "/proc/sys/"), assignment) = 0;
    int result = write_file(path, value);
    if (result < 0) die(path, result);
}

int hold(int count, char **arguments) {
    int ready = -1, user = 0, present = 0;
    unsigned long flags = 0;
    long result;
    for (int i = 0; i < count; i++) {
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        if (!strcmp(arguments[i], "--ready-fd")) ready = (int)parse_number(value), i++;
        else if (!strcmp(arguments[i], "--user")) user = 1;
        else if (!strcmp(arguments[i], "--present")) present = 1;
        else if (!strcmp(arguments[i], "--mnt")) flags |= CLONE_NEWNS;
        else if (!strcmp(arguments[i], "--net")) flags |= CLONE_NEWNET;
        else if (!strcmp(arguments[i], "--sysctl")) i++;
        else die("hold: unknown option", 0);
    }
    // --present: those that it is in already, whose holder has died.
    if (!flags && !present) flags = CLONE_NEWNS | CLONE_NEWNET;
    SYS(SYS_setsid);
    if (user) become_root_of_user_namespace();
    if (flags && (result = SYS(SYS_unshare, flags)) < 0) die("unshare", result);
    if (flags & CLONE_NEWNS) {
        // Slave: what the host unmounts goes here too, and nothing goes from here to the host.
        result = SYS(SYS_mount, "none", "/", 0, MS_REC | MS_SLAVE, 0);
        if (result == -EINVAL) die("the root directory is no mount point: " NO_CHROOT, 0);
        if (result < 0) die("make mounts slave", result);
    }
    if (flags & CLONE_NEWNET) {
        if ((result = net_up("lo")) < 0) die("bring lo up", result);
        if ((result = write_file("/proc/sys/net/ipv4/ip_forward", "1")) < 0) die("enable ip_forward", result);
    }
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(arguments[i], "--sysctl")) set_sysctl(arguments[++i]);
    SYS(SYS_chdir, "/");
    if (ready >= 0) {
        sys_write(ready, "READY=1\n", 8);
        sys_close(ready);
    }
    // Whoever started this may be waiting for the end of these.
    long null = sys_open("/dev/null", O_RDWR, 0);
    for (int fd = 0; fd < 3 && null >= 0; fd++) sys_dup3((int)null, fd, 0);
    SYS(SYS_close_range, 3, ~0U, 0);
    for (;;) SYS(SYS_ppoll, 0, 0, 0, 0, 8);
}

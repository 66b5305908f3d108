// Who the program is: its ids, capabilities, terminal, and the system calls it may use.
#include "operations.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void set_groups(void) {
    enum { max_groups = 65536 };
    u64 count = number();
    if (count > max_groups || count > (u64)(limit - next) / 8) fail(EBADMSG, "groups");
    u32 *groups = (u32 *)SYS(SYS_mmap, 0, (count + 1) * sizeof(u32), 3, 0x22, -1, 0);
    if ((long)groups < 0 && (long)groups > -4096) fail((long)groups, "groups");
    for (u64 i = 0; i < count; i++) {
        u64 group = number();
        if (group > INT32_MAX) fail(EINVAL, "groups");
        groups[i] = (u32)group;
    }
    long result = SYS(SYS_setgroups, count, groups);
    // A user namespace with a single id denies it; its one group is the process's already (user_namespaces(7)).
    if (result != -EPERM || count > 1) must(result, "set groups");
}

// What the program may have, if it is root's.
static u64 kept_capabilities = ~0ULL;

void keep_capabilities(u64 kept) {
    kept_capabilities = kept;
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        long result = SYS(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (result == -EINVAL) break;
        must(result, "drop capability");
    }
    SYS(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

// Until the program is executed, what it may have, for looking it up is done in its name, and CAP_SYS_ADMIN for a
// filter of system calls. Inheritable are none: a file's capabilities could add to them (CVE-2022-24769).
static void set_capabilities(u64 wanted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2] = {{0}};
    must(SYS(SYS_capget, &header, sets), "get capabilities");
    wanted |= 1ULL << CAP_SYS_ADMIN;
    for (int i = 0; i < 2; i++) {
        sets[i].permitted &= (u32)(wanted >> (32 * i));
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    must(SYS(SYS_capset, &header, sets), "set capabilities");
}

// The program's streams are its user's, who else could not open them again by /dev/stdout (proc(5)). They are pipes or
// the terminal; the null device in their place is the pod's. One that cannot be given stays as it is.
static void give_streams(u64 user) {
    struct stat status;
    for (int fd = 0; fd < 3; fd++) {
        if (SYS(SYS_fstat, fd, &status) < 0 || status.st_uid == user) continue;
        if (!is_device(fd, makedev(1, 3))) SYS(SYS_fchown, fd, user, -1);
    }
}

void set_ids(u64 user, u64 group) {
    // The last one is no id but "as it is" (setresuid(2)); Kubernetes has ids up to 2^31 - 1.
    if (user > INT32_MAX) fail(EINVAL, "user");
    if (group > INT32_MAX) fail(EINVAL, "group");
    give_streams(user);
    must(SYS(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities");
    must(SYS(SYS_setresgid, group, group, group), "set group");
    must(SYS(SYS_setresuid, user, user, user), "set user");
    set_capabilities(user ? 0 : kept_capabilities);
}

void filter_system_calls(void) {
    u64 count = number();
    if (!count || count > (u64)(limit - next) / sizeof(struct sock_filter)) fail(EBADMSG, "seccomp");
    long size = (long)(count * sizeof(struct sock_filter)), memory = SYS(SYS_mmap, 0, size, 3, 0x22, -1, 0);
    if (memory < 0 && memory > -4096) fail(memory, "seccomp");
    memcpy((void *)memory, next, (size_t)size);
    next += size;
    struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)memory};
    must(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

void make_terminal(u64 size) {
    int unlocked = 0, master = (int)must(open_in_root("/dev/ptmx", O_RDWR | O_NOCTTY), "/dev/ptmx");
    // In a running container it may have been replaced.
    if (!is_device(master, makedev(5, 2))) fail(ENODEV, "/dev/ptmx");
    must(SYS(SYS_ioctl, master, TIOCSPTLCK, &unlocked), "unlock terminal");
    struct winsize window = {.ws_col = (unsigned short)(size >> 16), .ws_row = (unsigned short)size};
    if (size) must(SYS(SYS_ioctl, master, TIOCSWINSZ, &window), "set terminal size");
    int slave = (int)must(SYS(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), "open terminal");
    must(SYS(SYS_ioctl, slave, TIOCSCTTY, 0), "take terminal");
    for (int fd = 0; fd < 3; fd++) must(sys_dup3(slave, fd, 0), "terminal");
    must(send_descriptor(child->terminals, "t", 1, master, 0), "hand over terminal");
    sys_close(master);
    if (slave > 2) sys_close(slave);
}

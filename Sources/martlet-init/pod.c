// pod --socket-fd N --exits-fd N [--pod NAMESPACE/NAME] [--hostname NAME] [--host-network] [--host-ipc]
//     [--share-processes] [--join-fd N]... [--sysctl PATH=VALUE]... [--mounts-fd N] [--directory PATH]
//
// Starts a pod's init in namespaces of its own (PID, mount, UTS and, unless the options say otherwise, IPC and network),
// writes its process number to standard output, and ends. The init, PID 1 of the pod, listens on the socket N for the
// node agent; it lives until request_end. It appends the exits of containers, which must survive it, to the file N.
// --mounts-fd is the mount namespace of another such init, which saves making one; --pod and --directory are for lists
// of processes.
//
// It may do whatever containers must not, so they get no hold of it: none of them is in its PID namespace, and its root
// is empty and read-only. With --share-processes the containers share a namespace of another process, which can do nothing.
#include "modes.h"
#include "net.h"
#include "pod.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char *value_of(int count, char **arguments, const char *name) {
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) return arguments[i + 1];
    return NULL;
}

static void each(int count, char **arguments, const char *name, void (*apply)(char *)) {
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) apply(arguments[i + 1]);
}

static void join_group(char *number) {
    long result = sys_write((int)parse_number(number), "0", 1);
    if (result < 0) die("--join-fd", result);
}

static int begins(const char *text, const char *start) { return !strncmp(text, start, strlen(start)); }

// Whether a kernel parameter is of a namespace that the pod has for itself: all others are the machine's.
static int is_own(const char *path, unsigned long namespaces) {
    for (const char *part = path; *part; part++)
        if ((part == path || part[-1] == '/') && (*part == '.' || *part == '/')) return 0;
    if (begins(path, "net/")) return (namespaces & CLONE_NEWNET) != 0;
    if (begins(path, "kernel/shm") || begins(path, "kernel/msg") || begins(path, "fs/mqueue/") ||
        !strcmp(path, "kernel/sem"))
        return (namespaces & CLONE_NEWIPC) != 0;
    return 0;
}

static unsigned long own_namespaces;

static void set_sysctl(char *assignment) {
    char path[512], *value = assignment;
    while (*value && *value != '=') value++;
    if (!*value || value - assignment > 400) die("--sysctl wants PATH=VALUE", 0);
    *value++ = 0;
    if (!is_own(assignment, own_namespaces)) die("--sysctl is not of the pod's own namespaces", EPERM);
    *put_text(put_text(path, "/proc/sys/"), assignment) = 0;
    long result = write_file(path, value);
    if (result < 0) die(path, result);
}

// Descriptors 0 to 2 become a null device of the pod's own: the host's could be made useless through them (fchmod).
static void take_null(int null) {
    for (int fd = 0; fd < 3; fd++) sys_dup3(null, fd, 0);
}

// Leaves the host's filesystem for an empty one that cannot be written.
static void empty_root(void) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    long result = SYS(SYS_mount, "none", "/", 0, MS_REC | MS_PRIVATE, 0);
    if (result < 0) die("make mounts private", result);
    long context = SYS(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) die("fsopen", context);
    SYS(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "555", 0);
    if ((result = SYS(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0)) < 0) die("an empty root", result);
    long root = SYS(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    if (root < 0) die("an empty root", root);
    if ((result = SYS(SYS_mknodat, root, "null", S_IFCHR | 0666, makedev(1, 3))) < 0) die("a null device", result);
    long null = SYS(SYS_openat, root, "null", O_RDWR | O_CLOEXEC, 0);
    if (null < 0) die("a null device", null);
    if ((result = SYS(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &attributes, sizeof attributes)) < 0)
        die("an empty root", result);
    if ((result = SYS(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH)) < 0)
        die("an empty root", result);
    if ((result = SYS(SYS_fchdir, root)) < 0) die("an empty root", result);
    // Both on one directory: the old root lies over the new one, and goes (pivot_root(2)).
    if ((result = SYS(SYS_pivot_root, ".", ".")) < 0) die("pivot_root", result);
    if ((result = SYS(SYS_umount2, ".", MNT_DETACH)) < 0) die("detach the host's root", result);
    SYS(SYS_chdir, "/");
    take_null((int)null);
}

// Joins the empty root of another pod's init.
static void join_empty_root(int mounts) {
    long result = SYS(SYS_setns, mounts, CLONE_NEWNS);
    if (result < 0) die("--mounts-fd", result);
    long null = sys_open("/null", O_RDWR | O_CLOEXEC, 0);
    if (null < 0) die("/null", null);
    take_null((int)null);
}

// The first process of the namespace that the pod's containers share: takes those whose parents have ended, and has
// nothing that would be worth having.
_Noreturn static void lead(int count, char **arguments) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    u64 all = ~0ULL;
    SYS(SYS_prctl, PR_SET_NAME, "pause", 0, 0, 0);
    // What /proc shows as its command line, from the program's name on.
    char *first = arguments[-2], *last = count ? arguments[count - 1] : arguments[-1];
    memset(first, 0, (size_t)(last + strlen(last) - first));
    SYS(SYS_setgroups, 0, 0);
    if (SYS(SYS_setresgid, 65535, 65535, 65535) < 0 || SYS(SYS_setresuid, 65535, 65535, 65535) < 0) sys_exit(1);
    if (SYS(SYS_capset, &header, none) < 0 || SYS(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) sys_exit(1);
    SYS(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    SYS(SYS_close_range, 3, ~0U, 0);
    SYS(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
    for (;;) {
        u64 child = 1ULL << (SIGCHLD - 1);
        SYS(SYS_rt_sigtimedwait, &child, 0, 0, 8);
        while (SYS(SYS_wait4, -1, 0, 1 /* WNOHANG */, 0) > 0) {}
    }
}

int pod(int count, char **arguments) {
    const char *socket = value_of(count, arguments, "--socket-fd"), *state = value_of(count, arguments, "--exits-fd");
    const char *hostname = value_of(count, arguments, "--hostname");
    const char *mounts = value_of(count, arguments, "--mounts-fd");
    unsigned long flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | (mounts ? 0 : CLONE_NEWNS);
    long result, leader = 0;
    int shares = 0;
    if (!socket || !state) die("pod --socket-fd N --exits-fd N ...", 0);
    for (int i = 0; i < count; i++) {
        if (!strcmp(arguments[i], "--host-network")) flags &= ~(unsigned long)CLONE_NEWNET;
        if (!strcmp(arguments[i], "--host-ipc")) flags &= ~(unsigned long)CLONE_NEWIPC;
        if (!strcmp(arguments[i], "--share-processes")) shares = 1;
    }
    SYS(SYS_setsid);
    SYS(SYS_chdir, "/");
    each(count, arguments, "--join-fd", join_group);
    // The parent waits on this pipe until the init is set up, and reports its failure.
    int pipe[2];
    if ((result = SYS(SYS_pipe2, pipe, O_CLOEXEC)) < 0) die("pipe", result);
    long process = SYS(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (process < 0) die("clone", process);
    if (process > 0) {
        char text[24], ready;
        sys_close(pipe[1]);
        if (sys_read(pipe[0], &ready, 1) != 1) return 125;
        char *end = put_number(text, (u64)process, 1);
        *end++ = '\n';
        sys_write(1, text, (size_t)(end - text));
        return 0;
    }
    SYS(SYS_setsid);
    SYS(SYS_prctl, PR_SET_NAME, "martlet-init", 0, 0, 0);
    if (hostname && (result = SYS(SYS_sethostname, hostname, strlen(hostname))) < 0) die("sethostname", result);
    if (flags & CLONE_NEWNET) {
        if ((result = net_up("lo")) < 0) die("bring lo up", result);
        // As container engines do: a pod's programs need no privilege for low ports and for ping.
        write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    }
    own_namespaces = flags;
    each(count, arguments, "--sysctl", set_sysctl);
    if (mounts) join_empty_root((int)parse_number(mounts));
    // Above all that a shell may have left open, then to the first places; the rest goes.
    long own[3] = {parse_number(socket), parse_number(state), pipe[1]};
    const char *names[3] = {"--socket-fd", "--exits-fd", "pipe"};
    for (int i = 0; i < 3; i++)
        if ((own[i] = SYS(SYS_fcntl, own[i], F_DUPFD_CLOEXEC, 64)) < 0) die(names[i], own[i]);
    for (int i = 0; i < 3; i++) sys_dup3((int)own[i], 3 + i, O_CLOEXEC);
    SYS(SYS_close_range, 6, ~0U, 0);
    if (!mounts) empty_root();
    if (shares) {
        leader = SYS(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
        if (leader < 0) die("clone", leader);
        if (leader == 0) lead(count, arguments);
    }
    SYS(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys_write(5, "r", 1);
    SYS(SYS_close_range, 5, ~0U, 0);
    serve_pod(3, 4, leader);
}

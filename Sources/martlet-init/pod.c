// pod --socket-fd N --state PATH [--hostname NAME] [--host-network] [--host-ipc] [--cgroup PATH]... [--sysctl PATH=VALUE]...
//
// Starts a pod's init in namespaces of its own (PID, UTS and, unless the options say otherwise, IPC and network), writes its process
// number to standard output, and ends. The init, PID 1 of the pod, listens on the socket N for the node agent; it lives
// until request_end. It appends the exits of containers, which must survive it, to the file --state.
#include "modes.h"
#include "net.h"
#include "pod.h"

#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>

static const char *value_of(int count, char **arguments, const char *name) {
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) return arguments[i + 1];
    return NULL;
}

static void each(int count, char **arguments, const char *name, void (*apply)(char *)) {
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) apply(arguments[i + 1]);
}

static void join_cgroup(char *path) {
    long result = write_file(path, "0");
    if (result < 0) die(path, result);
}

static void set_sysctl(char *assignment) {
    char path[256], *value = assignment;
    while (*value && *value != '=') value++;
    if (!*value || value - assignment > 200) die("--sysctl wants PATH=VALUE", 0);
    *value++ = 0;
    *put_text(put_text(path, "/proc/sys/"), assignment) = 0;
    long result = write_file(path, value);
    if (result < 0) die(path, result);
}

int pod(int count, char **arguments) {
    const char *socket = value_of(count, arguments, "--socket-fd"), *state = value_of(count, arguments, "--state");
    const char *hostname = value_of(count, arguments, "--hostname");
    unsigned long flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    long result;
    if (!socket || !state) die("pod --socket-fd N --state PATH ...", 0);
    for (int i = 0; i < count; i++) {
        if (!strcmp(arguments[i], "--host-network")) flags &= ~(unsigned long)CLONE_NEWNET;
        if (!strcmp(arguments[i], "--host-ipc")) flags &= ~(unsigned long)CLONE_NEWIPC;
    }
    SYS(SYS_setsid);
    SYS(SYS_chdir, "/");
    each(count, arguments, "--cgroup", join_cgroup);
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
    each(count, arguments, "--sysctl", set_sysctl);
    long listener = SYS(SYS_fcntl, parse_number(socket), F_DUPFD_CLOEXEC, 100);
    long exits = sys_open(state, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (listener < 0) die("--socket-fd", listener);
    if (exits < 0) die(state, exits);
    exits = SYS(SYS_fcntl, exits, F_DUPFD_CLOEXEC, 100);
    sys_write(pipe[1], "r", 1);
    long null = sys_open("/dev/null", O_RDWR, 0);
    for (int fd = 0; fd < 3 && null >= 0; fd++) sys_dup3((int)null, fd, 0);
    SYS(SYS_close_range, 3, 99, 0);
    serve_pod((int)listener, (int)exits);
}

// enter --pid N [--net] [--mnt] [--user] [--newnet] [--await-go] -- COMMAND...
//
// Joins the namespaces of the process N (network and mount where none is named) and executes COMMAND, in the same
// process and directory. --newnet gives it a new network namespace after that. With --await-go it does so only once
// there is a byte to read on standard input, which is /dev/null then. Fails within a chroot: joining a mount namespace
// leaves it.
#include "modes.h"
#include "net.h"

#include <sched.h>
#include <sys/stat.h>

static const char *search_path(char **environment) {
    for (; *environment; environment++)
        if (!strncmp(*environment, "PATH=", 5)) return *environment + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

_Noreturn static void execute(char **arguments, char **environment) {
    const char *name = arguments[0];
    long result = -ENOENT;
    if (memchr(name, '/', strlen(name))) {
        result = SYS(SYS_execve, name, arguments, environment);
    } else {
        for (const char *directory = search_path(environment); *directory;) {
            char path[4096];
            size_t length = 0;
            while (directory[length] && directory[length] != ':') length++;
            if (length + strlen(name) + 2 < sizeof path) {
                memcpy(path, directory, length);
                path[length] = '/';
                *put_text(path + length + 1, name) = 0;
                result = SYS(SYS_execve, path, arguments, environment);
            }
            directory += length + (directory[length] == ':');
        }
    }
    die(name, result);
}

// Sockets are passed to a pid (sd_listen_fds(3)), which is known only here: LISTEN_PID comes with room for it.
static void claim_sockets(char **environment) {
    static const char name[] = "LISTEN_PID=";
    for (; *environment; environment++)
        if (!strncmp(*environment, name, sizeof name - 1))
            *put_number(*environment + sizeof name - 1, (u64)SYS(SYS_getpid), 1) = 0;
}

static struct stat root_directory(void) {
    struct stat status;
    long result = SYS(SYS_newfstatat, AT_FDCWD, "/", &status, 0);
    if (result < 0) die("/", result);
    return status;
}

int enter(int count, char **arguments, char **environment) {
    char directory[4096];
    long pid = -1, result;
    unsigned long flags = 0;
    int fresh = 0, go = 0, i;
    for (i = 0; i < count && strcmp(arguments[i], "--"); i++) {
        if (!strcmp(arguments[i], "--pid")) pid = parse_number(i + 1 < count ? arguments[i + 1] : ""), i++;
        else if (!strcmp(arguments[i], "--net")) flags |= CLONE_NEWNET;
        else if (!strcmp(arguments[i], "--mnt")) flags |= CLONE_NEWNS;
        else if (!strcmp(arguments[i], "--user")) flags |= CLONE_NEWUSER;
        else if (!strcmp(arguments[i], "--newnet")) fresh = 1;
        else if (!strcmp(arguments[i], "--await-go")) go = 1;
        else die("enter: unknown option", 0);
    }
    if (pid <= 0 || i + 1 >= count)
        die("enter --pid N [--net] [--mnt] [--user] [--newnet] [--await-go] -- COMMAND...", 0);
    if (go) await_go();
    if (!flags) flags = CLONE_NEWNET | CLONE_NEWNS;
    if ((result = SYS(SYS_getcwd, directory, sizeof directory)) < 0) directory[0] = 0;
    struct stat before = root_directory();
    long process = SYS(SYS_pidfd_open, pid, 0);
    if (process < 0) die("open the process to join", process);
    // The kernel joins all or none, the user namespace first (setns(2), Linux 5.8).
    if ((result = SYS(SYS_setns, process, flags)) < 0) die("join namespaces", result);
    sys_close((int)process);
    struct stat after = root_directory();
    if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
        die("joining a mount namespace leaves a changed root directory: " NO_CHROOT, 0);
    if (fresh) {
        if ((result = SYS(SYS_unshare, CLONE_NEWNET)) < 0) die("unshare network namespace", result);
        if ((result = net_up("lo")) < 0) die("bring lo up", result);
    }
    // Joining a mount namespace moves to its root.
    if (directory[0] == '/') SYS(SYS_chdir, directory);
    if (go) {
        long null = sys_open("/dev/null", O_RDWR, 0);
        if (null >= 0) sys_dup3((int)null, 0, 0), sys_close((int)null);
    }
    claim_sockets(environment);
    execute(arguments + i + 1, environment);
}

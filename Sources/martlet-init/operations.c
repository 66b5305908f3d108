// Runs in the process that becomes a container's program: carries out what the list says, then execve.
#include "operations.h"

#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

struct child *child;
static u32 current_operation;

_Noreturn void fail(long error, const char *text) {
    struct failure failure = {.error = (u32)(error < 0 ? -error : error), .operation = current_operation};
    size_t length = strlen(text);
    if (length >= sizeof failure.text) length = sizeof failure.text - 1;
    memcpy(failure.text, text, length);
    failure.text[length] = 0;
    sys_write(child->errors, &failure, sizeof failure);
    sys_exit(127);
}

long must(long result, const char *text) {
    if (result < 0) fail(result, text);
    return result;
}

// The arguments of the operation at hand.
char *next, *limit;

u64 number(void) {
    u64 value;
    if (limit - next < 8) fail(EBADMSG, "operations");
    memcpy(&value, next, 8);
    next += 8;
    return value;
}

char *string(void) {
    char *text = next, *end = memchr(next, 0, (size_t)(limit - next));
    if (!end) fail(EBADMSG, "operations");
    next = end + 1;
    return text;
}

int descriptor(void) {
    u64 index = number();
    if (!index || index >= (u64)child->descriptor_count) fail(EBADMSG, "descriptors");
    return child->descriptors[index];
}

_Noreturn static void execute(void) {
    u64 arguments_count = number(), variables_count = number();
    // Each is a byte at least.
    u64 most = (u64)(limit - next), total = arguments_count + variables_count + 2;
    if (!arguments_count || arguments_count > most || variables_count > most - arguments_count)
        fail(EINVAL, "no command");
    char **arguments = (char **)SYS(SYS_mmap, 0, total * sizeof(char *), 3, 0x22, -1, 0);
    if ((long)arguments < 0 && (long)arguments > -4096) fail((long)arguments, "memory");
    char **variables = arguments + arguments_count + 1;
    const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (u64 i = 0; i < arguments_count; i++) arguments[i] = string();
    for (u64 i = 0; i < variables_count; i++) {
        variables[i] = string();
        if (!strncmp(variables[i], "PATH=", 5)) path = variables[i] + 5;
    }
    u64 none = 0;
    SYS(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
    SYS(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
    char *name = arguments[0];
    long error = -ENOENT;
    if (memchr(name, '/', strlen(name))) {
        error = SYS(SYS_execve, name, arguments, variables);
    } else {
        while (*path && *name) {
            char candidate[4096];
            size_t length = 0;
            while (path[length] && path[length] != ':') length++;
            if (length + strlen(name) + 2 < sizeof candidate) {
                memcpy(candidate, path, length);
                candidate[length] = '/';
                *put_text(candidate + length + 1, name) = 0;
                long result = SYS(SYS_execve, candidate, arguments, variables);
                // A file that is there but may not be executed says more than one that is not there.
                if (result != -ENOENT && result != -ENOTDIR) error = result;
            }
            path += length + (path[length] == ':');
        }
    }
    fail(error, name);
}

static void set_limit(void) {
    u64 resource = number(), values[2] = {number(), number()};
    SYS(SYS_prlimit64, 0, resource, values, 0);
}

static void carry_out_one(void) {
    switch (current_operation) {
    case op_group: {
        u64 optional = number();
        long result = sys_write(descriptor(), "0", 1);
        if (!optional) must(result, "control group");
        break;
    }
    case op_root: take_root(descriptor()); break;
    case op_make_directory: {
        u64 mode = number();
        char *path = string();
        sys_close((int)must(find_or_make_directory(path, (u32)mode), path));
        break;
    }
    case op_symlink: make_symlink(); break;
    case op_device: {
        u64 mode = number(), device = number();
        make_device(mode, device, string());
        break;
    }
    case op_bind: {
        int mount = descriptor();
        bind_mount(mount, string());
        break;
    }
    case op_filesystem: {
        u64 attributes = number();
        char *type = string(), *options = string(), *target = string();
        mount_filesystem(attributes, type, options, target);
        break;
    }
    case op_pivot: pivot(); break;
    case op_hide: hide(string()); break;
    case op_read_only: make_read_only(string()); break;
    case op_group_namespace: must(SYS(SYS_unshare, CLONE_NEWCGROUP), "cgroup namespace"); break;
    case op_groups: set_groups(); break;
    case op_ids: {
        u64 user = number(), group = number();
        set_ids(user, group);
        break;
    }
    case op_capabilities: keep_capabilities(number()); break;
    case op_no_new_privileges: must(SYS(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs"); break;
    case op_rlimit: set_limit(); break;
    case op_change_directory: go_to(string()); break;
    case op_execute: execute();
    case op_join:
        must(SYS(SYS_setns, child->process, CLONE_NEWNS | CLONE_NEWCGROUP), "join the container");
        reopen_root();
        break;
    case op_terminal: make_terminal(number()); break;
    case op_umask: SYS(SYS_umask, number()); break;
    case op_file: make_file(); break;
    // Else the host's would be reached (session-keyring(7)); a kernel without keyrings has none to reach.
    case op_keyring: SYS(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0); break;
    case op_seccomp: filter_system_calls(); break;
    default: fail(EBADMSG, "unknown operation");
    }
}

void carry_out(struct child *described) {
    child = described;
    struct stat status;
    if (child->descriptor_count < 1) fail(EBADMSG, "operations");
    must(SYS(SYS_fstat, child->descriptors[0], &status), "operations");
    // Private, so that the strings can be cut in place.
    char *list = (char *)SYS(SYS_mmap, 0, status.st_size, 3, 2, child->descriptors[0], 0);
    if ((long)list < 0 && (long)list > -4096) fail((long)list, "operations");
    char *end = list + status.st_size;
    SYS(SYS_umask, 022);
    while (end - list >= 8) {
        u32 head[2];
        memcpy(head, list, 8);
        current_operation = head[0];
        next = list + 8;
        if (head[1] > (u64)(end - next)) fail(EBADMSG, "operations");
        limit = list = next + head[1];
        carry_out_one();
    }
    fail(EBADMSG, "operations end without a program");
}

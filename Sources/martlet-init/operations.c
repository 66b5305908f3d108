// Runs in the process that becomes a container's program: mounts, ids and limits, as the list says, then execve.
//
// Paths in the container's root are resolved with RESOLVE_IN_ROOT, so that an image's links cannot lead outside, and
// mounts are put on descriptors (move_mount), not on paths.
#include "operations.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct child *child;
static u32 current_operation;
static int root = -1;

_Noreturn static void fail(long error, const char *text) {
    struct failure failure = {.error = (u32)(error < 0 ? -error : error), .operation = current_operation};
    size_t length = strlen(text);
    if (length >= sizeof failure.text) length = sizeof failure.text - 1;
    memcpy(failure.text, text, length);
    failure.text[length] = 0;
    sys_write(child->errors, &failure, sizeof failure);
    sys_exit(127);
}

static long must(long result, const char *text) {
    if (result < 0) fail(result, text);
    return result;
}

// The arguments of the operation at hand.
static char *next, *limit;

static u64 number(void) {
    u64 value;
    if (limit - next < 8) fail(EBADMSG, "operations");
    memcpy(&value, next, 8);
    next += 8;
    return value;
}

static char *string(void) {
    char *text = next, *end = memchr(next, 0, (size_t)(limit - next));
    if (!end) fail(EBADMSG, "operations");
    next = end + 1;
    return text;
}

// Opens a path in the container's root.
static long find(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return SYS(SYS_openat2, root, path, &how, sizeof how);
}

// Opens the parent directory of `path`, and makes it and those above it where they are missing. `*name` becomes the
// last part of the path.
static long find_parent(char *path, char **name);

static long find_or_make_directory(char *path, u32 mode) {
    char *name;
    long found = find(path);
    if (found != -ENOENT) return found;
    long parent = find_parent(path, &name);
    if (parent < 0) return parent;
    long result = SYS(SYS_mkdirat, parent, name, mode);
    sys_close((int)parent);
    if (result < 0 && result != -EEXIST) return result;
    return find(path);
}

static long find_parent(char *path, char **name) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') path[--length] = 0;
    char *slash = path + length;
    while (slash > path && slash[-1] != '/') slash--;
    *name = slash;
    if (slash <= path + 1) return find("/");
    slash[-1] = 0;
    long parent = find_or_make_directory(path, 0755);
    slash[-1] = '/';
    return parent;
}

static long find_or_make_file(char *path, u32 mode) {
    char *name;
    long found = find(path);
    if (found != -ENOENT) return found;
    long parent = find_parent(path, &name);
    if (parent < 0) return parent;
    long file = SYS(SYS_openat, parent, name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
    sys_close((int)parent);
    if (file < 0) return file;
    sys_close((int)file);
    return find(path);
}

static void put_mount(int mount, int target, const char *text) {
    must(SYS(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), text);
    sys_close(mount);
    sys_close(target);
}

static long clone_tree(const char *path, int recursive) {
    return SYS(
        SYS_open_tree, AT_FDCWD, path,
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0));
}

static long set_attributes(int mount, u64 set, int recursive) {
    struct mount_attr attributes = {.attr_set = set};
    return SYS(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? 0x8000 : 0), &attributes, sizeof attributes);
}

static int is_directory(int fd) {
    struct stat status;
    return !SYS(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) && (status.st_mode & S_IFMT) == S_IFDIR;
}

static void bind_path(u64 flags, const char *source, char *target) {
    long mount = clone_tree(source, 1);
    if (mount == -ENOENT && flags & bind_optional) return;
    must(mount, source);
    if (flags & bind_read_only) must(set_attributes((int)mount, MOUNT_ATTR_RDONLY, 1), source);
    long place = is_directory((int)mount) ? find_or_make_directory(target, 0755) : find_or_make_file(target, 0644);
    put_mount((int)mount, (int)must(place, target), target);
}

static long new_filesystem(u64 attributes, const char *type, char *options) {
    long context = SYS(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0) return context;
    long result = 0;
    while (*options && result >= 0) {
        char *option = options, *value = NULL;
        while (*options && *options != ',') {
            if (*options == '=' && !value) *options = 0, value = options + 1;
            options++;
        }
        if (*options) *options++ = 0;
        result = SYS(SYS_fsconfig, context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0);
    }
    if (result >= 0) result = SYS(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (result >= 0) result = SYS(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    sys_close((int)context);
    return result;
}

static void mount_filesystem(u64 attributes, const char *type, char *options, char *target) {
    long mount = new_filesystem(attributes, type, options);
    // Without a network namespace of its own user namespace a process may only see the host's (hostNetwork, rootless).
    if (mount == -EPERM && !strcmp(type, "sysfs")) mount = clone_tree("/sys", 1);
    must(mount, target);
    put_mount((int)mount, (int)must(find_or_make_directory(target, 0755), target), target);
}

static void hide(char *path) {
    char options[] = "size=0k";
    long place = find(path);
    if (place < 0) return;
    long mount = is_directory((int)place) ? new_filesystem(MOUNT_ATTR_RDONLY, "tmpfs", options)
                                          : clone_tree("/dev/null", 0);
    put_mount((int)must(mount, path), (int)place, path);
}

static void make_read_only(char *path) {
    long place = find(path);
    if (place < 0) return;
    long mount = SYS(SYS_open_tree, place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | 0x8000);
    must(mount, path);
    must(set_attributes((int)mount, MOUNT_ATTR_RDONLY, 1), path);
    put_mount((int)mount, (int)place, path);
}

static void make_device(u64 mode, u64 device, char *path, const char *host) {
    char *name;
    int parent = (int)must(find_parent(path, &name), path);
    long result = SYS(SYS_mknodat, parent, name, mode, device);
    if (result >= 0) SYS(SYS_fchmodat, parent, name, mode & 0777);
    sys_close(parent);
    if (result == -EPERM) bind_path(0, host, path);
    else if (result != -EEXIST) must(result, path);
}

static void pivot(void) {
    must(SYS(SYS_fchdir, root), "container's root");
    // Both on one directory: the old root lies over the new one, and goes (pivot_root(2)).
    must(SYS(SYS_pivot_root, ".", "."), "pivot_root");
    must(SYS(SYS_umount2, ".", 2 /* MNT_DETACH */), "detach the old root");
    must(SYS(SYS_chdir, "/"), "/");
    sys_close(root);
    root = (int)must(sys_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), "/");
}

static void set_ids(u64 user, u64 group) {
    must(SYS(SYS_setresgid, group, group, group), "set group");
    must(SYS(SYS_setresuid, user, user, user), "set user");
}

static void keep_capabilities(u64 kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        long result = SYS(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (result == -EINVAL) break;
        must(result, "drop capability");
    }
    SYS(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void make_terminal(u64 size) {
    int unlocked = 0, master = (int)must(sys_open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0), "/dev/ptmx");
    must(SYS(SYS_ioctl, master, TIOCSPTLCK, &unlocked), "unlock terminal");
    struct winsize window = {.ws_col = (unsigned short)(size >> 16), .ws_row = (unsigned short)size};
    if (size) must(SYS(SYS_ioctl, master, TIOCSWINSZ, &window), "set terminal size");
    int slave = (int)must(SYS(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), "open terminal");
    must(SYS(SYS_ioctl, slave, TIOCSCTTY, 0), "take terminal");
    for (int fd = 0; fd < 3; fd++) must(sys_dup3(slave, fd, 0), "terminal");
    must(send_descriptor(child->terminals, "t", 1, master, 0), "hand over terminal");
    sys_close(master);
    if (slave > 2) sys_close(slave);
    SYS(SYS_fchown, 0, SYS(SYS_getuid), -1);
}

static void go_to(char *path) {
    long result = SYS(SYS_chdir, path);
    if (result == -ENOENT) {
        long directory = find_or_make_directory(path, 0755);
        if (directory >= 0) sys_close((int)directory);
        result = SYS(SYS_chdir, path);
    }
    must(result, path);
}

_Noreturn static void execute(void) {
    u64 arguments_count = number(), variables_count = number();
    u64 total = arguments_count + variables_count + 2;
    if (total > (u64)(limit - next) + 2 || !arguments_count) fail(EINVAL, "no command");
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

static void set_groups(void) {
    u32 groups[64];
    u64 count = number();
    for (u64 i = 0; i < count; i++) {
        u64 group = number();
        if (i < 64) groups[i] = (u32)group;
    }
    long result = SYS(SYS_setgroups, count < 64 ? count : 64, groups);
    // A user namespace with a single id denies it; its one group is the process's already (user_namespaces(7)).
    if (result != -EPERM || count > 1) must(result, "set groups");
}

static void set_limit(void) {
    u64 resource = number(), values[2] = {number(), number()};
    SYS(SYS_prlimit64, 0, resource, values, 0);
}

static void make_file(void) {
    u64 mode = number();
    char *path = string(), *text = string(), *name;
    int parent = (int)must(find_parent(path, &name), path);
    long file = SYS(SYS_openat, parent, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    must(file, path);
    must(sys_write((int)file, text, strlen(text)), path);
    sys_close((int)file);
    sys_close(parent);
}

static void make_symlink(void) {
    char *target = string(), *path = string(), *name;
    int parent = (int)must(find_parent(path, &name), path);
    long result = SYS(SYS_symlinkat, target, parent, name);
    if (result != -EEXIST) must(result, path);
    sys_close(parent);
}

static void carry_out_one(void) {
    switch (current_operation) {
    case op_mount: {
        u64 flags = number();
        char *source = string(), *target = string(), *type = string(), *options = string();
        must(SYS(SYS_mount, source, target, type, flags, options), target);
        break;
    }
    case op_root: {
        char *path = string();
        root = (int)must(sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0), path);
        break;
    }
    case op_make_directory: {
        u64 mode = number();
        char *path = string();
        sys_close((int)must(find_or_make_directory(path, (u32)mode), path));
        break;
    }
    case op_symlink: make_symlink(); break;
    case op_device: {
        u64 mode = number(), device = number();
        char *path = string(), *host = string();
        make_device(mode, device, path, host);
        break;
    }
    case op_bind: {
        u64 flags = number();
        char *source = string(), *target = string();
        bind_path(flags, source, target);
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
    case op_write: {
        u64 optional = number();
        char *path = string(), *text = string();
        int result = write_file(path, text);
        if (!optional) must(result, path);
        break;
    }
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
        must(SYS(SYS_setns, child->process, CLONE_NEWNS), "join the container");
        root = (int)must(sys_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), "/");
        break;
    case op_terminal: make_terminal(number()); break;
    case op_umask: SYS(SYS_umask, number()); break;
    case op_file: make_file(); break;
    default: fail(EBADMSG, "unknown operation");
    }
}

void carry_out(struct child *described) {
    child = described;
    struct stat status;
    must(SYS(SYS_fstat, child->operations, &status), "operations");
    // Private, so that the strings can be cut in place.
    char *list = (char *)SYS(SYS_mmap, 0, status.st_size, 3, 2, child->operations, 0);
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

// The container's root: what is mounted and made in it.
//
// What comes from the host comes as a descriptor. Paths are the container's own: they are resolved with RESOLVE_IN_ROOT,
// so that an image's links cannot lead outside, and with RESOLVE_NO_MAGICLINKS, so that /proc cannot either. Mounts are
// put on descriptors (move_mount), not on paths.
#include "operations.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static int root = -1, empty = -1;

long open_in_root(const char *path, u64 flags) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return SYS(SYS_openat2, root, path, &how, sizeof how);
}

static long find(const char *path) { return open_in_root(path, O_PATH); }

// Opens the parent directory of `path`, and makes it and those above it where they are missing. `*name` becomes the
// last part of the path.
static long find_parent(char *path, char **name);

long find_or_make_directory(char *path, u32 mode) {
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

static long set_attributes(int mount, u64 set, int recursive) {
    struct mount_attr attributes = {.attr_set = set};
    return SYS(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? 0x8000 : 0), &attributes, sizeof attributes);
}

static int is_directory(int fd) {
    struct stat status;
    return !SYS(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) && (status.st_mode & S_IFMT) == S_IFDIR;
}

int is_device(int fd, u64 device) {
    struct stat status;
    return !SYS(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) && (status.st_mode & S_IFMT) == S_IFCHR &&
        status.st_rdev == device;
}

static int is_proc(int fd) {
    struct statfs status;
    return !SYS(SYS_fstatfs, fd, &status) && status.f_type == PROC_SUPER_MAGIC;
}

void bind_mount(int mount, char *target) {
    int place = (int)must(
        is_directory(mount) ? find_or_make_directory(target, 0755) : find_or_make_file(target, 0644), target);
    // What lies in /proc is the kernel's, for this process too: another file in its place would be believed.
    if (is_proc(place) && !is_proc(mount)) fail(EPERM, target);
    put_mount(mount, place, target);
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

void mount_filesystem(u64 attributes, const char *type, char *options, char *target) {
    long mount = new_filesystem(attributes, type, options);
    must(mount, target);
    put_mount((int)mount, (int)must(find_or_make_directory(target, 0755), target), target);
}

static long clone_tree(int place, int recursive) {
    return SYS(
        SYS_open_tree, place, "",
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0));
}

// A file is hidden by the container's own null device, read-only: its mode cannot be changed there.
static long null_device(void) {
    long device = find("/dev/null");
    if (device < 0) return device;
    if (!is_device((int)device, makedev(1, 3))) return -ENODEV;
    long mount = clone_tree((int)device, 0);
    sys_close((int)device);
    long result = mount < 0 ? mount : set_attributes((int)mount, MOUNT_ATTR_RDONLY, 0);
    return result < 0 ? result : mount;
}

// A directory is hidden by an empty one, the same for all.
static long empty_directory(void) {
    char options[] = "size=0k,mode=555";
    return empty < 0 ? new_filesystem(MOUNT_ATTR_RDONLY, "tmpfs", options) : clone_tree(empty, 0);
}

void hide(char *path) {
    long place = find(path);
    if (place < 0) return;
    int directory = is_directory((int)place);
    put_mount((int)must(directory ? empty_directory() : null_device(), path), (int)place, path);
    // A mount can be cloned once it is somewhere (open_tree(2)).
    if (directory && empty < 0) empty = (int)find(path);
}

void make_read_only(char *path) {
    // The root alone: what is mounted in it keeps its own attributes.
    if (!strcmp(path, "/")) {
        must(set_attributes(root, MOUNT_ATTR_RDONLY, 0), path);
        return;
    }
    long place = find(path);
    if (place < 0) return;
    long mount = must(clone_tree((int)place, 1), path);
    must(set_attributes((int)mount, MOUNT_ATTR_RDONLY, 1), path);
    put_mount((int)mount, (int)place, path);
}

void make_device(u64 mode, u64 device, char *path) {
    char *name;
    int parent = (int)must(find_parent(path, &name), path);
    long result = SYS(SYS_mknodat, parent, name, mode, device);
    if (result >= 0) SYS(SYS_fchmodat, parent, name, mode & 0777);
    sys_close(parent);
    if (result != -EEXIST) must(result, path);
}

void take_root(int mount) {
    must(SYS(SYS_move_mount, mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH), "container's root");
    root = mount;
}

// Takes the process's own root for the container's.
void reopen_root(void) { root = (int)must(sys_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), "/"); }

void pivot(void) {
    must(SYS(SYS_fchdir, root), "container's root");
    // Both on one directory: the old root lies over the new one, and goes (pivot_root(2)).
    must(SYS(SYS_pivot_root, ".", "."), "pivot_root");
    must(SYS(SYS_umount2, ".", 2 /* MNT_DETACH */), "detach the old root");
    must(SYS(SYS_chdir, "/"), "/");
    sys_close(root);
    reopen_root();
}

void make_file(void) {
    u64 mode = number();
    char *path = string(), *text = string(), *name;
    int parent = (int)must(find_parent(path, &name), path);
    long file = SYS(SYS_openat, parent, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    must(file, path);
    must(sys_write((int)file, text, strlen(text)), path);
    sys_close((int)file);
    sys_close(parent);
}

void make_symlink(void) {
    char *target = string(), *path = string(), *name;
    int parent = (int)must(find_parent(path, &name), path);
    long result = SYS(SYS_symlinkat, target, parent, name);
    if (result != -EEXIST) must(result, path);
    sys_close(parent);
}

void go_to(char *path) {
    long directory = find(path);
    if (directory == -ENOENT) directory = find_or_make_directory(path, 0755);
    must(directory, path);
    must(SYS(SYS_fchdir, directory), path);
    sys_close((int)directory);
}

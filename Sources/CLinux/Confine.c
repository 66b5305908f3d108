#define _GNU_SOURCE
#include "CLinuxConfine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_alone(void) {
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return 0;
    int count = 0;
    while (readdir(threads)) count++;
    closedir(threads);
    return count == 3;  // with . and ..
}

static int write_map(const char *path, unsigned id) {
    char text[32];
    int size = snprintf(text, sizeof text, "%u %u 1", id, id), file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, (size_t)size);
    close(file);
    return written == size ? 0 : -1;
}

// Namespaces in which there is nothing. An ordinary user may make them where it is root of one of its own.
static int enter_namespaces(void) {
    int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    unsigned user = geteuid(), group = getegid();
    if (user == 0) return unshare(flags);
    if (unshare(flags | CLONE_NEWUSER) != 0) return -1;
    // The kernel wants this before a group map by an unprivileged process (user_namespaces(7)).
    int file = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t written = write(file, "deny", 4);
        (void)written;
        close(file);
    }
    return write_map("/proc/self/uid_map", user) == 0 && write_map("/proc/self/gid_map", group) == 0 ? 0 : -1;
}

static int change_root(const char *directory) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    if (mount(directory, directory, NULL, MS_BIND, NULL) != 0) return -1;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount(NULL, directory, NULL, flags, NULL) != 0) return -1;
    if (chdir(directory) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    // Both on one directory: the old root lies over the new one, and goes (pivot_root(2)).
    return umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 ? 0 : -1;
}

static int keep_capabilities(uint64_t kept) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        // Past the last one, or without the right to it: it is then not permitted either.
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL) break;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    for (int half = 0; half < 2; half++) {
        data[half].permitted &= (uint32_t)(kept >> (32 * half));
        data[half].effective = data[half].permitted;
        data[half].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
#define LOAD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(name))
#define END(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), END(SECCOMP_RET_ERRNO | EPERM)

// What files are made by needs none of these. All fail, so that a library that tries one goes on without it.
static int filter_calls(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        END(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#if defined(__x86_64__)
        // Of the x32 ABI.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        END(SECCOMP_RET_KILL_PROCESS),
        DENY(fork),
        DENY(vfork),
#endif
        DENY(execve),
        DENY(execveat),
        DENY(clone),
        DENY(clone3),
        DENY(ptrace),
        DENY(process_vm_readv),
        DENY(process_vm_writev),
        DENY(kcmp),
        DENY(pidfd_open),
        DENY(pidfd_getfd),
        DENY(pidfd_send_signal),
        DENY(kill),
        DENY(tkill),
        DENY(socket),
        DENY(socketpair),
        DENY(mount),
        DENY(umount2),
        DENY(pivot_root),
        DENY(chroot),
        DENY(open_tree),
        DENY(move_mount),
        DENY(fsopen),
        DENY(fspick),
        DENY(fsconfig),
        DENY(fsmount),
        DENY(mount_setattr),
        DENY(unshare),
        DENY(setns),
        DENY(bpf),
        DENY(perf_event_open),
        DENY(userfaultfd),
        DENY(keyctl),
        DENY(add_key),
        DENY(request_key),
        DENY(io_uring_setup),
        DENY(io_uring_enter),
        DENY(io_uring_register),
        DENY(open_by_handle_at),
        DENY(name_to_handle_at),
        DENY(init_module),
        DENY(finit_module),
        DENY(delete_module),
        DENY(kexec_load),
        DENY(reboot),
        DENY(swapon),
        DENY(swapoff),
        DENY(acct),
        DENY(quotactl),
        DENY(setrlimit),
        DENY(prlimit64),
        DENY(personality),
        DENY(memfd_create),
        DENY(inotify_init1),
        DENY(fanotify_init),
        DENY(pkey_mprotect),
        // A library of the layer's own would have to be mapped to be run.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        LOAD(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        END(SECCOMP_RET_ERRNO | EPERM),
        END(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int limit(int resource, uint64_t value) {
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    return setrlimit(resource, &limit);
}

static int set_limits(const struct clinux_confinement *confinement) {
    return limit(RLIMIT_AS, confinement->memory) == 0 && limit(RLIMIT_FSIZE, confinement->file_size) == 0 &&
            limit(RLIMIT_CPU, confinement->time) == 0 && limit(RLIMIT_NOFILE, 64) == 0 && limit(RLIMIT_CORE, 0) == 0
        ? 0
        : -1;
}

int clinux_confine(const struct clinux_confinement *confinement, const char **step) {
    *step = "have but one thread";
    errno = EBUSY;
    if (!is_alone()) return -1;
    *step = "close descriptors";
    if (syscall(SYS_close_range, 3, ~0U, 0) != 0) return -1;
    *step = "change the root directory";
    if (enter_namespaces() != 0 || change_root(confinement->directory) != 0) {
        // Root of a container may have the right to no more than this, and others to nothing.
        if (chdir(confinement->directory) != 0) return -1;
        if (chroot(".") != 0 && errno != EPERM) return -1;
    }
    *step = "set limits";
    if (set_limits(confinement) != 0) return -1;
    *step = "drop capabilities";
    if (keep_capabilities(geteuid() == 0 ? confinement->capabilities : 0) != 0) return -1;
    *step = "end with the parent";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
    *step = "filter system calls";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_calls() != 0) return -1;
    return 0;
}

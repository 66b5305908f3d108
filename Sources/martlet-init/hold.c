// hold [--ready-fd N] [--await-go] [--sockets] [--present] [--user] [--mnt] [--net] [--sysctl PATH=VALUE]...
//
// Creates namespaces (--mnt and --net where none is named) and sleeps, so that they exist as long as this process.
// When they are ready it writes "READY=1\n" to the descriptor N and closes it. With --await-go it goes on only once
// there is a byte to read on standard input. With --sockets it keeps sockets for whoever sends them (keep_sockets).
#include "modes.h"
#include "net.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

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

// Descriptors: its own end of a pair of sockets, the other end, and from there on what it keeps. Whoever may trace this
// process takes the other end, and what is kept, from it by pidfd_getfd(2): so both outlive everybody but this process.
enum { own_end = 14, other_end = 15, first_kept = 16 };

struct keep_request {
    u32 sequence;
    // The descriptor that the socket gets here, or whose socket is dropped where none is sent.
    u32 place;
};

static void open_keeper(void) {
    int pair[2];
    long result = SYS(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, pair);
    if (result < 0) die("make a pair of sockets", result);
    // In this order nothing is overwritten: the lowest numbers were free.
    for (int i = 0; i < 2; i++) {
        result = sys_dup3(pair[i], own_end + i, 0);
        if (result < 0) die("make a pair of sockets", result);
        if (pair[i] != own_end + i) sys_close(pair[i]);
    }
}

// Answers each request with its sequence once it is carried out.
_Noreturn static void keep_sockets(void) {
    for (;;) {
        struct keep_request request;
        union {
            struct cmsghdr header;
            char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec vector = {&request, sizeof request};
        struct msghdr message = {
            .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        long size = SYS(SYS_recvmsg, own_end, &message, MSG_CMSG_CLOEXEC);
        if (size < 0) continue;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        int socket = -1;
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            memcpy(&socket, CMSG_DATA(header), sizeof socket);
        if (size == sizeof request && request.place >= first_kept && request.place <= 1 << 20) {
            if (socket >= 0) sys_dup3(socket, (int)request.place, O_CLOEXEC);
            else sys_close((int)request.place);
            SYS(SYS_sendto, own_end, &request.sequence, sizeof request.sequence, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (socket >= 0) sys_close(socket);
    }
}

void await_go(void) {
    char byte;
    long result;
    do result = sys_read(0, &byte, 1);
    while (result == -EINTR);
    if (result != 1) sys_exit(1);
}

int hold(int count, char **arguments) {
    int ready = -1, user = 0, present = 0, go = 0, sockets = 0;
    unsigned long flags = 0;
    long result;
    for (int i = 0; i < count; i++) {
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        if (!strcmp(arguments[i], "--ready-fd")) ready = (int)parse_number(value), i++;
        else if (!strcmp(arguments[i], "--user")) user = 1;
        else if (!strcmp(arguments[i], "--present")) present = 1;
        else if (!strcmp(arguments[i], "--await-go")) go = 1;
        else if (!strcmp(arguments[i], "--sockets")) sockets = 1;
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
    if (sockets) open_keeper();
    if (ready >= 0) {
        sys_write(ready, "READY=1\n", 8);
        sys_close(ready);
    }
    if (go) await_go();
    // Whoever started this may be waiting for the end of these.
    long null = sys_open("/dev/null", O_RDWR, 0);
    for (int fd = 0; fd < 3 && null >= 0; fd++) sys_dup3((int)null, fd, 0);
    SYS(SYS_close_range, 3, own_end - 1, 0);
    SYS(SYS_close_range, sockets ? first_kept : own_end, ~0U, 0);
    if (sockets) keep_sockets();
    for (;;) SYS(SYS_ppoll, 0, 0, 0, 0, 8);
}

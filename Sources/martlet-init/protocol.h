// What the node agent and a pod's init say to each other, over a SOCK_SEQPACKET connection. The Swift side is
// PodRuntime/Sandbox/InitProtocol.swift: change both.
//
// Each packet: a header, then a body of numbers (little-endian) and NUL-terminated strings, and descriptors.
#pragma once
#include "sys.h"

struct header {
    u8 type;
    u8 flags;
    // In an answer: 0, or an errno.
    u16 status;
    // Chosen by who asks; the answer has the same.
    u32 tag;
};

enum { packet_size = 4096 };

// Requests. The answer has the same type and `is_answer`.
enum {
    // u32 address, u32 gateway, in network byte order: sets eth0 up.
    request_network = 1,
    // key, log path, cgroup.procs path or "", key of the container whose PID namespace it joins or "": starts a
    // container; descriptor 0 holds its operations. Answer: u64 seconds, u64 nanoseconds of the start, with the container's process as SCM_CREDENTIALS; or u32 operation and a
    // text of what failed.
    request_start = 2,
    // key: runs one more program; descriptors: operations, then stdin, stdout, stderr unless flag_terminal. Answer:
    // as of start, with the terminal's master side as descriptor. When it ends: event_exec_exit with the same tag.
    request_exec = 3,
    // key; descriptors: pipes for stdout and stderr. Answer: stdin, or the terminal's master side, as descriptor.
    request_attach = 4,
    // u32 signal, key
    request_signal = 5,
    // key: of a dead container.
    request_forget = 6,
    // Answered by an event_state for each container, then the answer; from then on also for each exit.
    request_list = 7,
    // u32 domain, u32 type: a socket in the pod's network namespace, as descriptor.
    request_socket = 8,
    // Ends the pod: everything in it is killed.
    request_end = 9,
    is_answer = 0x80,
    // u32 running, u32 exit code, u32 signal, u64 + u64 start, u64 + u64 end, key.
    event_state = 0x40,
    // u32 exit code, u32 signal
    event_exec_exit = 0x41,
};

// Of start and exec.
enum {
    flag_terminal = 1,
    flag_stdin = 2,
    flag_stdin_once = 4,
    // The container gets a PID namespace of its own.
    flag_own_processes = 8,
};

// Operations that a container's process carries out before it becomes the program. In the list each is u32 type,
// u32 size of the arguments, then these: u64 numbers and NUL-terminated strings, in the order given here.
enum {
    op_mount = 1,        // flags, source, target, type, options: mount(2), with host paths
    op_root = 2,         // path: what op_bind and others take for the container's root
    op_folder = 3,       // mode, path in the root
    op_symlink = 4,      // target, path in the root
    op_device = 5,       // mode, device number, path in the root, host path to bind where mknod is not permitted
    op_bind = 6,         // flags, host path, path in the root
    op_filesystem = 7,   // mount attributes, type, options, path in the root: a new filesystem
    op_pivot = 8,        // makes the root the process's own
    op_hide = 9,         // path in the root: hides a file or folder if it is there
    op_read_only = 10,   // path in the root: makes it so, if it is there
    op_write = 11,       // optional, path, text: into a file that exists
    op_groups = 12,      // count, ids...
    op_ids = 13,         // user, group
    op_capabilities = 14,  // set that stays in the bounding set
    op_no_new_privileges = 15,
    op_rlimit = 16,      // resource, soft, hard
    op_directory = 17,   // path: changes to it, and makes it if need be
    op_execute = 18,     // argument count, variable count, arguments..., variables...
    op_join = 19,        // joins the mount namespace of the container (exec)
    op_terminal = 20,    // makes the container's terminal and this process its leader
    op_umask = 21,       // mask
    op_file = 22,        // mode, path in the root, text: makes a file
};

// Of op_bind.
enum { bind_read_only = 1, bind_optional = 2 };

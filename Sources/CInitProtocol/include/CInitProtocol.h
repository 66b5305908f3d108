// What the node agent and a pod's init say to each other, over a SOCK_SEQPACKET connection. C for martlet-init, and
// imported by Swift for PodRuntime (Protocol/), under the names in SWIFT_NAME.
//
// Each packet: a header, then a body of numbers (little-endian) and NUL-terminated strings, and descriptors. What an init
// needs of the host comes as a descriptor, for it lives in an empty root; numbers called `descriptor` are places in the
// packet's list of them, in which 0 holds the operations.
#pragma once

#include <stdint.h>

#define SWIFT_NAME(name) __attribute__((swift_name(#name)))
#define CLOSED __attribute__((enum_extensibility(closed)))
#define FLAGS __attribute__((flag_enum, enum_extensibility(open)))

enum {
    // Of a packet, header included.
    max_packet_size = 4096,
    // Of a packet: the kernel takes 253 (unix(7)).
    max_descriptors = 250,
    // Of a container's key, its NUL included: `NAME/RESTART`.
    max_key_size = 320,
};

struct init_header {
    // A request; with `answer_bit` its answer; or an event.
    uint8_t type;
    uint8_t flags;
    // In an answer: 0, or an errno.
    uint16_t status;
    // Chosen by who asks; the answer has the same.
    uint32_t tag;
} SWIFT_NAME(InitHeader);

// The answer has the same type and `answer_bit`.
enum CLOSED init_request : uint8_t {
    // u32 address, u32 gateway, in network byte order: sets eth0 up.
    request_network SWIFT_NAME(network) = 1,
    // u32 descriptor of the log's directory, u32 descriptor of the container's cgroup.procs or 0, key, name of the log,
    // key of the container whose PID namespace it joins or "": starts a container. Answer: u64 seconds, u64 nanoseconds
    // of the start, with the container's process as SCM_CREDENTIALS; or u32 operation and a text of what failed.
    request_start SWIFT_NAME(start) = 2,
    // u32 descriptors of stdin, stdout and stderr, 0 for none, key: runs one more program. Answer: as of start, with
    // flag_terminal with the terminal's master side as descriptor. When it ends: event_exec_exit with the same tag.
    request_exec SWIFT_NAME(exec) = 3,
    // key; descriptors: pipes for stdout and stderr. Answer: stdin, or the terminal's master side, as descriptor.
    request_attach SWIFT_NAME(attach) = 4,
    // u32 signal, key
    request_signal SWIFT_NAME(signal) = 5,
    // key: of a dead container.
    request_forget SWIFT_NAME(forget) = 6,
    // Answered by an event_state for each container, then the answer; from then on also for each exit.
    request_list SWIFT_NAME(list) = 7,
    // u32 domain, u32 type: a socket in the pod's network namespace, as descriptor.
    request_socket SWIFT_NAME(socket) = 8,
    // Ends the pod: everything in it is killed.
    request_end SWIFT_NAME(end) = 9,
} SWIFT_NAME(InitRequest);

enum { answer_bit = 0x80 };

enum CLOSED init_event : uint8_t {
    // u32 running, u32 exit code, u32 signal, u64 + u64 start, u64 + u64 end, key.
    event_state SWIFT_NAME(state) = 0x40,
    // u32 exit code, u32 signal
    event_exec_exit SWIFT_NAME(execExit) = 0x41,
} SWIFT_NAME(InitEvent);

// Of start and exec.
enum FLAGS init_flags : uint8_t {
    flag_terminal SWIFT_NAME(terminal) = 1,
    flag_stdin SWIFT_NAME(stdin) = 2,
    flag_stdin_once SWIFT_NAME(stdinOnce) = 4,
    // The container gets a PID namespace of its own.
    flag_own_processes SWIFT_NAME(ownProcesses) = 8,
} SWIFT_NAME(InitFlags);

// Operations that a container's process carries out before it becomes the program. In the list each is u32 type,
// u32 size of the arguments, then these: u64 numbers and NUL-terminated strings, in the order given here.
enum CLOSED init_operation : uint32_t {
    // optional, descriptor of a file that takes 0 from who joins its control group: joins it
    op_group SWIFT_NAME(group) = 1,
    // descriptor of a mount: what op_bind and others take for the container's root
    op_root SWIFT_NAME(root) = 2,
    // mode, path in the root
    op_make_directory SWIFT_NAME(makeDirectory) = 3,
    // target, path in the root
    op_symlink SWIFT_NAME(symlink) = 4,
    // mode, device number, path in the root
    op_device SWIFT_NAME(device) = 5,
    // descriptor of a mount, path in the root
    op_bind SWIFT_NAME(bind) = 6,
    // mount attributes, type, options, path in the root: a new filesystem
    op_filesystem SWIFT_NAME(filesystem) = 7,
    // makes the root the process's own
    op_pivot SWIFT_NAME(pivot) = 8,
    // path in the root: hides a file or directory if it is there
    op_hide SWIFT_NAME(hide) = 9,
    // path in the root: makes it so, if it is there
    op_read_only SWIFT_NAME(readOnly) = 10,
    // The groups that it is in become the root of what it sees of control groups.
    op_group_namespace SWIFT_NAME(groupNamespace) = 11,
    // count, ids...
    op_groups SWIFT_NAME(groups) = 12,
    // user, group
    op_ids SWIFT_NAME(ids) = 13,
    // set that stays in the bounding set
    op_capabilities SWIFT_NAME(capabilities) = 14,
    op_no_new_privileges SWIFT_NAME(noNewPrivileges) = 15,
    // resource, soft, hard
    op_rlimit SWIFT_NAME(rlimit) = 16,
    // path in the root: changes to it, and makes it if need be
    op_change_directory SWIFT_NAME(changeDirectory) = 17,
    // argument count, variable count, arguments..., variables...
    op_execute SWIFT_NAME(execute) = 18,
    // joins the mount and cgroup namespaces of the container (exec)
    op_join SWIFT_NAME(join) = 19,
    // columns << 16 | rows, or 0: makes the container's terminal and this process its leader
    op_terminal SWIFT_NAME(terminal) = 20,
    // mask
    op_umask SWIFT_NAME(umask) = 21,
    // mode, path in the root, text: makes a file
    op_file SWIFT_NAME(file) = 22,
    // a session keyring of its own
    op_keyring SWIFT_NAME(keyring) = 23,
    // count, instructions...: a filter of system calls, last before op_execute
    op_seccomp SWIFT_NAME(seccomp) = 24,
} SWIFT_NAME(InitOperation);

import Glibc
import KubernetesModel
import Linux
import PodRuntime
import SandboxNode
import TestSupport
import Testing

/// System calls that a container has no business with.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct SeccompTests {
    private static let status = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t'"

    @Test(arguments: [0, 1000]) func everyProgramIsFiltered(user: UInt32) async throws {
        try await withRuntime { node in
            try await node.start("one")
            #expect(try await node.output(Self.status, name: "a") { $0.user = user } == ["NoNewPrivs:0", "Seccomp:2"])
            let id = try await node.run("one", ["sleep", "1000"], name: "b") { $0.user = user }
            #expect(try await node.output(of: Self.status, in: id) == "NoNewPrivs:0\nSeccomp:2\n")
            let bare = try await node.output(Self.status, name: "c") {
                $0.seccomp = .unconfined
                $0.noNewPrivileges = true
            }
            #expect(bare == ["NoNewPrivs:1", "Seccomp:0"])
            #expect(try await node.output(Self.status, name: "d") { $0.privileged = true }.last == "Seccomp:0")
        }
    }

    /// Numbers are those of x86_64.
    #if arch(x86_64)
        @Test(
            .enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"),
            arguments: [
                ("keyctl", 250, 0), ("add_key", 248, 0), ("bpf", 321, 0), ("userfaultfd", 323, 0), ("mount", 165, 0),
                ("umount2", 166, 0), ("unshare", 272, 0x1000_0000), ("setns", 308, 0), ("pivot_root", 155, 0),
                ("kexec_load", 246, 0), ("init_module", 175, 0), ("perf_event_open", 298, 0),
                ("open_by_handle_at", 304, 0),
                ("io_uring_setup", 425, 0), ("move_mount", 429, 0), ("fsopen", 430, 0), ("swapon", 167, 0),
                ("reboot", 169, 0), ("settimeofday", 164, 0), ("clone", 56, 0x1000_0000), ("ptrace", 101, -1),
            ] as [(String, Int, Int)])
        func aCallIsRefused(name: String, number: Int, argument: Int) async throws {
            try await withRuntime { node in
                try await node.start("one")
                let script = """
                    python3 -c 'import ctypes; c = ctypes.CDLL(None, use_errno=True); r = c.syscall(\(number), \(argument), 0, 0, 0, 0)
                    print(r, ctypes.get_errno())'
                    """
                let lines = try await node.output(script) { $0.droppedCapabilities = ["SYS_CHROOT"] }
                // ptrace is allowed, and refuses a request that is none (EIO, ESRCH).
                #expect(
                    lines == (name == "ptrace" ? ["-1 \(EIO)"] : ["-1 \(EPERM)"])
                        || (name == "ptrace" && lines == ["-1 \(ESRCH)"]), "\(lines)")
            }
        }
    #endif

    /// A call that is newer than the library's names seems not to be there, so that programs turn to an older one.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
    func anUnknownCallIsNotThere() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let script = """
                python3 -c 'import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall(999); print(ctypes.get_errno())'
                """
            #expect(try await node.output(script) == ["\(ENOSYS)"])
        }
    }

    @Test func aProfileOfTheNodesOwnHolds() async throws {
        let profile: JSON = [
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [
                ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": .integer(Int64(ENOSPC))]
            ],
        ]
        try await withRuntime { node in
            try await node.start("one")
            let lines = try await node.output("mkdir /x 2>&1; touch /y && echo on") { $0.seccomp = .profile(profile) }
            #expect(lines.count == 2 && lines[0].hasSuffix("No space left on device") && lines[1] == "on", "\(lines)")
        }
    }

    @Test(
        arguments: [
            ([], "a seccomp profile is a JSON object"),
            (["defaultAction": "ALLOW"], "defaultAction: \"ALLOW\" is no action"),
            (
                ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [["action": "SCMP_ACT_ERRNO"]]],
                "syscalls[0].names: required"
            ),
            (
                [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["read"], "action": "SCMP_ACT_TRAP", "args": [["index": 7]]]],
                ], "syscalls[0].args[0].index"
            ),
            (["defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"], "listenerPath is not supported"),
            (["defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 70_000], "defaultErrnoRet: 70000 is no errno"),
        ] as [(JSON, String)])
    func aProfileThatIsNoneIsNamed(profile: JSON, message: String) async throws {
        try await withRuntime { node in
            try await node.start("one")
            let error = await #expect(throws: RuntimeError.self) {
                try await node.run("one", ["true"]) { $0.seccomp = .profile(profile) }
            }
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        }
    }
}

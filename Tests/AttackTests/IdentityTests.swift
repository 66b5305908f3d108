import Glibc
import KubernetesModel
import Linux
import PodRuntime
import SandboxNode
import TestSupport
import Testing

/// Rights that a container's programs should not have.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct IdentityTests {
    /// setresuid(2) takes the last number for "as it is": root.
    @Test(arguments: [UInt32.max, 1 << 31]) func anIDThatIsNoneIsRefused(id: UInt32) async throws {
        try await withRuntime { node in
            try await node.start("one")
            for change in [{ $0.user = id }, { $0.group = id }, { $0.supplementaryGroups = [id] }]
                as [(inout ContainerConfiguration) -> Void]
            {
                await #expect(throws: RuntimeError.self) { try await node.run("one", ["id"], change) }
            }
        }
    }

    @Test(arguments: [0, 1000]) func nothingIsInherited(user: UInt32) async throws {
        try await withRuntime { node in
            try await node.start("one")
            let script = """
                grep -E '^Cap(Inh|Amb|Eff):' /proc/self/status | tr -d '\\t'; ls /proc/self/fd | wc -l
                cut -d: -f3 /proc/self/cgroup | sort -u
                """
            let lines = try await node.output(script) { $0.user = user }
            let none = String(repeating: "0", count: 16)
            #expect(lines.contains("CapInh:\(none)") && lines.contains("CapAmb:\(none)"), "\(lines)")
            #expect(lines.contains("CapEff:\(none)") == (user != 0), "\(lines)")
            // 0, 1, 2 and that of the directory.
            #expect(lines.contains("4"), "\(lines)")
            #expect(lines.last == "/", "what it is in is the root of its groups: \(lines)")
        }
    }

    /// A container's own group of 100 is one of them.
    @Test func allGroupsAreSet() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let groups = Array(1000..<UInt32(1100))
            let lines = try await node.output("id -G | wc -w") { $0.supplementaryGroups = groups }
            #expect(lines == ["101"])
        }
    }

    /// Else all pods would have one session keyring: that of the agent, or of the user root.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
    func keyringsAreNotShared() async throws {
        try await withRuntime { node in
            let script = """
                python3 -c 'import ctypes, platform; n = {"x86_64": 250}.get(platform.machine(), 219)
                print(ctypes.CDLL(None).syscall(n, 0, -3, 0))'
                """
            var rings: [String] = []
            for pod in ["one", "two"] {
                try await node.start(pod)
                rings += try await node.output(script, pod: pod, name: "\(pod)-a") { $0.seccomp = .unconfined }
            }
            #expect(rings.count == 2 && rings[0] != rings[1] && !rings.contains("-1"), "\(rings)")
        }
    }
}

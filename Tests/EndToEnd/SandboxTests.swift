import Foundation
import TestSupport
import Testing

/// What keeps pods from the machine, as a user of kubectl sees it.
struct SandboxTests {
    private static let shape = """
        allowedUnsafeSysctls: [net.core.somaxconn]
        hostHide: [/etc/hostname]
        """

    @Test(.timeLimit(.minutes(2)))
    func podsHaveWhatTheyAskForAndNoMore() async throws {
        let directory = FileManager.default.temporaryDirectory.path
        let shape = "\(directory)/shape-\(UUID().uuidString).yaml"
        try Self.shape.write(toFile: shape, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: shape) }
        try await Cluster.running(options: ["--node-shape", shape, "--host-show", "/etc/ssh"]) { cluster in
            try await refusesSysctls(cluster)
            try await filtersSystemCalls(cluster)
            try await hidesSecrets(cluster)
            let invalid = try await cluster.attemptKubectl(
                "apply", "-f", "-", input: Self.pod("root", context: "runAsUser: 4294967295"))
            #expect(invalid.errors.contains("must be between 0 and 2147483647, inclusive"), "\(invalid)")
        }
    }

    private func refusesSysctls(_ cluster: Cluster) async throws {
        func sysctl(_ name: String) -> String { "sysctls: [{name: \(name), value: \"4000\"}]" }
        try await cluster.apply(Self.pod("allowed", context: sysctl("net.core.somaxconn")))
        try await cluster.apply(Self.pod("forbidden", context: sysctl("kernel.core_pattern")))
        try await cluster.kubectl("wait", "--for=condition=Ready", "pod/allowed", "--timeout=30s")
        #expect(try await cluster.kubectl("exec", "allowed", "--", "cat", "/proc/sys/net/core/somaxconn") == "4000")
        try await cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/forbidden", "--timeout=30s")
        let status = try await cluster.kubectl(
            "get", "pod", "forbidden", "-o", "jsonpath={.status.reason}: {.status.message}")
        #expect(status == #"SysctlForbidden: forbidden sysctl: "kernel.core_pattern" not allowlisted"#)
        let odd = try await cluster.attemptKubectl(
            "apply", "-f", "-", input: Self.pod("odd", context: sysctl("net/../kernel/core_pattern")))
        #expect(odd.status != 0 && odd.errors.contains("spec.securityContext.sysctls[0].name"), "\(odd)")
    }

    private func filtersSystemCalls(_ cluster: Cluster) async throws {
        let profiles = "\(cluster.state)/nodes/node-1/seccomp"
        try
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}"#
            .write(toFile: "\(profiles)/still.json", atomically: true, encoding: .utf8)
        func profile(_ name: String) -> String {
            "seccompProfile: {type: Localhost, localhostProfile: \(name)}"
        }
        try await cluster.apply(Self.pod("still", context: profile("still.json")))
        try await cluster.apply(Self.pod("lost", context: profile("absent.json")))
        try await cluster.apply(Self.pod("bare", context: "seccompProfile: {type: Unconfined}"))
        try await cluster.kubectl("wait", "--for=condition=Ready", "pod/still", "pod/bare", "--timeout=30s")
        let made = try await cluster.attemptKubectl("exec", "still", "--", "mkdir", "/made")
        #expect(made.status != 0 && made.errors.contains("Operation not permitted"), "\(made)")
        for (pod, mode) in ["allowed": "2", "still": "2", "bare": "0"] {
            let text = try await cluster.kubectl("exec", pod, "--", "grep", "^Seccomp:", "/proc/self/status")
            #expect(text == "Seccomp:\t\(mode)", "\(pod)")
        }
        try await eventually("the profile that is not there is named", within: .seconds(30)) {
            try await cluster.kubectl("get", "pod", "lost", "-o", "jsonpath={..waiting.message}")
                .contains("cannot load seccomp profile \"\(profiles)/absent.json\"")
        }
    }

    private func hidesSecrets(_ cluster: Cluster) async throws {
        let script = "wc -c </etc/shadow; wc -c </etc/hostname; ls -A /root | wc -l; ls -A /etc/ssh 2>/dev/null | wc -l"
        let lines = try await cluster.kubectl("exec", "bare", "--", "sh", "-c", script)
            .split(separator: "\n").map(String.init)
        let ssh = (try? FileManager.default.contentsOfDirectory(atPath: "/etc/ssh").count) ?? 0
        // The node gives each container a /etc/hostname.
        #expect(lines.count == 4 && lines[0] == "0" && lines[2] == "0" && lines[3] == "\(ssh)", "\(lines)")
    }

    private static func pod(_ name: String, context: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name)}
        spec:
          terminationGracePeriodSeconds: 0
          securityContext: {\(context)}
          containers:
          - {name: main, image: host, command: [sleep, "1000"]}
        """
    }
}

import Foundation
import TestSupport
import Testing

/// What other users of the machine find of a running cluster, and what users of a container do in spite of that.
struct PrivacyTests {
    @Test(.timeLimit(.minutes(1)))
    func otherUsersFindNothing() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Self.pod)
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/private", "--timeout=30s")
            let directories = [cluster.state, cluster.runtime]

            // As another user, by every means that the modes leave.
            let listing = try await cluster.shell.attempt(
                "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "find"] + directories)
            #expect(Set(listing.output.split(separator: "\n").map(String.init)).isSubset(of: directories), "\(listing)")
            let guesses = [
                "\(cluster.state)/store.db", "\(cluster.state)/store.db-wal", "\(cluster.state)/pki/ca.key",
                "\(cluster.state)/nodes/node-1/pods", "\(cluster.runtime)/supervisor.sock",
                "\(cluster.runtime)/notify.sock", "\(cluster.runtime)/node-node-1.sock",
            ]
            for path in guesses {
                #expect(FileManager.default.fileExists(atPath: path), "\(path)")
                let seen = try await cluster.shell.attempt(
                    "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "stat", path])
                #expect(seen.status != 0 && seen.errors.contains("Permission denied"), "\(seen)")
            }

            // Were the doors above them open, files and sockets would still be closed.
            let open = try await cluster.shell.sh(
                "find \(directories.joined(separator: " ")) \\( -type f -o -type s \\) -perm /077 -not -path '*/nodes/*'"
            )
            #expect(open == "", "files that others may open")
            let node = try await cluster.shell.attempt("stat", ["-c", "%a", "\(cluster.state)/nodes/node-1"])
            #expect(node.text == "700")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func secretsAreNeverOnDisk() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Self.pod)
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/private", "--timeout=30s")
            // On the disk, as the host's own mounts show it.
            let found = try await cluster.shell.attempt(
                "grep", ["-rlE", "known-to-none|eyJ[A-Za-z0-9_-]{20,}[.]", "\(cluster.state)/nodes"])
            #expect(found.output == "", "\(found)")
            let filesystem = try await cluster.kubectl(
                "exec", "private", "--", "stat", "-f", "-c", "%T", "/secret",
                "/var/run/secrets/kubernetes.io/serviceaccount")
            #expect(filesystem == "tmpfs\ntmpfs")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func usersOfAContainerReachWhatIsTheirs() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Self.pod)
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/private", "--timeout=30s")
            let checks = [
                "id -u": "4711", "echo $MINE": "known-to-none", "umask": "0022", "cat /secret/key": "known-to-none",
                "cat /config/key": "plain",
                "cat /config-part/key": "plain", "touch /disk/mine /memory/mine /dev/shm/mine && echo done": "done",
                "test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo done": "done",
                "stat -c %a /": "755", "ls /sys/fs/cgroup > /dev/null && echo done": "done",
                "cat /etc/hostname": "private", "mkdir /disk/new && stat -c %a /disk/new": "755",
                "find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -readable | head -n 1 | wc -l": "1",
            ]
            for (command, wanted) in checks {
                let result = try await cluster.attemptKubectl("exec", "private", "--", "/bin/sh", "-c", command)
                #expect(result.text == wanted, "\(command): \(result)")
            }
            #expect(try await cluster.kubectl("logs", "private") == "0022", "also of what the image's program makes")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func usersOfAContainerRunWhatIsInLayers() async throws {
        try await Cluster.prepared { cluster in
            try cluster.useExampleImages()
            let images = cluster.directory + "/s/images/."
            // As an earlier version has left it.
            try await cluster.shell.run("chmod", ["755", images])
            try await cluster.martlet("start")
            #expect(try await cluster.shell.attempt("stat", ["-c", "%a", images]).text == "700")
            try await cluster.apply(
                Manifest.pod("hello", image: "hello:1.0.0", container: "securityContext: {runAsUser: 4711}"))
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=30s")
            let program = try await cluster.shell.sh("find \(images)/layers/*/ -type f -perm /111 | head -n 1")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let run = try await cluster.shell.attempt(
                "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", program])
            #expect(run.errors.contains("Permission denied"), "\(run)")
        }
    }

    private static let pod = """
        apiVersion: v1
        kind: Secret
        metadata: {name: mine}
        stringData: {key: known-to-none}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: mine}
        data: {key: plain}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: private}
        spec:
          terminationGracePeriodSeconds: 0
          securityContext: {runAsUser: 4711, runAsGroup: 4711}
          containers:
          - name: main
            image: host
            command: [/bin/sh, -c, "umask; exec sleep 1000"]
            env: [{name: MINE, valueFrom: {secretKeyRef: {name: mine, key: key}}}]
            volumeMounts:
            - {name: secret, mountPath: /secret}
            - {name: config, mountPath: /config}
            - {name: config, mountPath: /config-part/key, subPath: key}
            - {name: disk, mountPath: /disk}
            - {name: memory, mountPath: /memory}
          volumes:
          - {name: secret, secret: {secretName: mine}}
          - {name: config, configMap: {name: mine}}
          - {name: disk, emptyDir: {}}
          - {name: memory, emptyDir: {medium: Memory}}
        """
}

import Foundation
import Testing

/// A start that cannot succeed names the file, the field and the remedy, and leaves nothing half started.
struct StartFaultTests {
    /// Expects that `martlet start` fails with all of `words` in what it says, and that nothing of the cluster runs.
    ///
    /// - Parameter mounts: a shell line that mounts something first, which nobody else sees.
    private func startFails(
        _ cluster: Cluster, _ arguments: [String] = [], with mounts: String = ":", saying words: [String]
    ) async throws {
        let result = try await cluster.shell.attempt(
            "unshare",
            ["--mount", "/bin/sh", "-ec", mounts + "\nexec \"$0\" \"$@\"", Repository.martlet]
                + ["start", "--profile", cluster.profile] + arguments)
        #expect(result.status == 1, "\(result)")
        for word in words { #expect(result.errors.contains(word), "\(word): \(result)") }
        #expect(try cluster.processes().isEmpty, "nothing half started is left: \(result)")
        #expect(try Cgroups.directories(containing: cluster.profile).isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func namesATakenPort() async throws {
        try await Cluster.prepared { cluster in
            let taken = try #require(HostPort.takeOne(of: 20000...29999), "some port is free")
            defer { taken.release() }
            try await startFails(
                cluster, ["--api-port", "\(taken.port)"],
                saying: ["127.0.0.1:\(taken.port)", "Address already in use", "--api-port PORT"])
            #expect(!FileManager.default.fileExists(atPath: cluster.state), "a new cluster leaves no directory")
            #expect(!FileManager.default.fileExists(atPath: cluster.runtime), "a new cluster leaves no directory")
            try await startFails(cluster, ["--api-port", "99999"], saying: ["--api-port 99999", "1 to 65535"])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func namesADirectoryThatCannotBeWritten() async throws {
        try await Cluster.prepared { cluster in
            for (path, problem) in [
                ("/proc/martlet", "cannot make the directory: No such file or directory"),
                (cluster.directory + "/file", "Not a directory"),
            ] {
                try "".write(toFile: cluster.directory + "/file", atomically: true, encoding: .utf8)
                var shell = cluster.shell
                shell.environment["MARTLET_STATE_HOME"] = path
                let other = Cluster(profile: cluster.profile, directory: cluster.directory, shell: shell)
                try await startFails(other, saying: [path, problem])
            }
            let state = cluster.directory + "/s"
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            try await startFails(
                cluster, with: "mount -t tmpfs -o ro none \(state)", saying: [state, "Read-only file system"])
            #expect(!FileManager.default.fileExists(atPath: cluster.state))
            #expect(!FileManager.default.fileExists(atPath: cluster.runtime))

            // One that could be written when the cluster was made.
            try await cluster.martlet("start")
            try await cluster.martlet("stop")
            try await startFails(
                cluster, with: "mount --bind \(state) \(state); mount -o remount,bind,ro \(state)",
                saying: [cluster.state, "Read-only file system"])
            try await cluster.martlet("start")
        }
    }

    /// A shape's text, and what the message says beside the file's name.
    static let shapes: [(text: String, words: [String])] = [
        ("capacity: {cpu: 2x}", ["capacity.cpu: \"2x\" is no quantity", "500m, 4 or 8Gi"]),
        ("capacity: {memory: -1Gi}", ["capacity.memory: \"-1Gi\" is no quantity of 0 or more"]),
        ("capacity: {cpus: 2}", ["capacity.cpus: unknown resource; there are cpu, ephemeral-storage, memory, pods"]),
        ("capacity: 3", ["capacity: expected a mapping"]),
        ("capacity: [", ["this is no YAML", "line 2"]),
        ("zones: a", ["zones: unknown field; a node shape has capacity, labels, taints, zone"]),
        ("podPidsLimit: 0", ["podPidsLimit: expected a number of processes from 1 to 4194304, or -1"]),
        ("labels: {a b: c}", ["labels.a b: name part must consist of alphanumeric characters"]),
        ("taints: [{key: a, effect: Never}]", ["taints[0].effect: must be one of NoSchedule"]),
        ("taints: [{effect: NoSchedule}]", ["taints[0].key: required"]),
    ]

    @Test(.timeLimit(.minutes(1)))
    func namesTheFaultOfANodeShape() async throws {
        try await Cluster.prepared { cluster in
            let file = cluster.directory + "/shape.yaml"
            for shape in Self.shapes {
                try shape.text.write(toFile: file, atomically: true, encoding: .utf8)
                try await startFails(cluster, ["--node-shape", file], saying: [file + ": "] + shape.words)
            }
            try await startFails(
                cluster, ["--node-shape", file + ".not"], saying: [file + ".not", "No such file or directory"])
            #expect(!FileManager.default.fileExists(atPath: cluster.state))
        }
    }

    /// A file of the state directory, how it is damaged, and what the message says beside the file's name.
    struct Damage {
        let file: String
        let content: String
        let words: [String]
    }

    static let damages = [
        Damage(
            file: "cluster.json", content: #"{"apiPort": 1"#,
            words: ["damaged: the file is no JSON", "restore the file, or remove the cluster with: martlet delete"]),
        Damage(
            file: "cluster.json", content: #"{"apiPort": 123456, "loadBalancerOctet": 16, "nextIndex": 2}"#,
            words: ["damaged: apiPort is no port: 123456", "martlet delete"]),
        Damage(
            file: "cluster.json", content: #"{"apiPort": 12345, "loadBalancerOctet": 16, "nextIndex": 2}"#,
            words: ["damaged: nodes is missing or empty", "martlet delete"]),
        Damage(
            file: "store.db", content: String(repeating: "no database ", count: 2000),
            words: ["the database is damaged", "restore it from a copy, or remove it"]),
        Damage(
            file: "pki/ca.crt", content: "no certificate",
            words: ["certificate authority", "is damaged", "restore both, or remove the cluster with: martlet delete"]),
    ]

    @Test(.timeLimit(.minutes(1)))
    func namesADamagedFile() async throws {
        try await Cluster.running { cluster in
            try await cluster.kubectl("create", "configmap", "kept", "--from-literal=a=b")
            try await cluster.martlet("stop")
            for damage in Self.damages {
                let path = "\(cluster.state)/\(damage.file)"
                let sound = try Data(contentsOf: URL(filePath: path))
                try damage.content.write(toFile: path, atomically: true, encoding: .utf8)
                try await startFails(cluster, saying: [path + ": "] + damage.words)
                try sound.write(to: URL(filePath: path))
            }
            // What the cluster can make anew is no reason to fail.
            try "no certificate".write(
                toFile: "\(cluster.state)/pki/apiserver.crt", atomically: true, encoding: .utf8)
            try await cluster.martlet("start")
            #expect(try await cluster.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}") == "b")
        }
    }
}

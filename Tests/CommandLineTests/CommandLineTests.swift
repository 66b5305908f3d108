/// CommandLineTests: the `martlet` program by its arguments, output and exit status, without any cluster.

import Foundation
import KubernetesModel
import Subprocess
import TestSupport
import Testing

/// A directory with state, sockets and a kubeconfig that no other test has.
private final class Home: Sendable {
    let directory = NSTemporaryDirectory() + "martlet-cli-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    struct Result: CustomStringConvertible {
        let status: Int32
        let output: String
        let errors: String

        var description: String { "→ \(status)\n\(output)\(errors)" }
    }

    func martlet(_ arguments: [String]) async throws -> Result {
        let variables: [Environment.Key: String?] = [
            "MARTLET_STATE_HOME": "\(directory)/s", "MARTLET_RUNTIME_DIR": "\(directory)/r",
            "KUBECONFIG": "\(directory)/kubeconfig",
        ]
        let result = try await Subprocess.run(
            .path(.init(Products.path("martlet"))), arguments: .init(arguments),
            environment: .inherit.updating(variables),
            workingDirectory: .init(directory), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard case .exited(let status) = result.terminationStatus else {
            throw RunError(description: "\(arguments) ended by a signal: \(result.standardError)")
        }
        return Result(status: status, output: result.standardOutput, errors: result.standardError)
    }

    struct RunError: Error, CustomStringConvertible {
        let description: String
    }

    func write(_ text: String, to name: String) throws {
        let path = "\(directory)/\(name)"
        let above = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(directory)/\(name)") }
}

@Suite struct CommandLineTests {
    /// What a person or a script gets for arguments alone: the exit status, and a part of what is printed.
    static let outcomes: [(arguments: [String], status: Int32, text: String)] = [
        (["version"], 0, "martlet \(Version.martlet) (Kubernetes \(Version.kubernetes))\n"),
        (["--version"], 0, "martlet \(Version.martlet) (Kubernetes \(Version.kubernetes))\n"),
        (["version", "-o", "json"], 0, "\"kubernetes\": \"\(Version.kubernetes)\""),
        (["version", "-o", "yaml"], 64, "The value 'yaml' is invalid for '-o <output>'"),
        (["help"], 0, "SUBCOMMANDS:"),
        (["nonsense"], 64, "Unexpected argument 'nonsense'"),
        (["start", "--nodes", "two"], 64, "The value 'two' is invalid for '--nodes <nodes>'"),
        (["start", "--nodes", "0"], 1, "--nodes 0"),
        (["start", "--nodes", "251"], 1, "--nodes 251"),
        (["start", "--api-port", "0"], 1, "--api-port 0: a port is a number from 1 to 65535"),
        (["start", "--api-port", "65536"], 1, "--api-port 65536"),
        (["start", "--egress", "world"], 64, "The value 'world' is invalid for '--egress <egress>'"),
        (["start", "--node-shape", "absent.yaml"], 1, "absent.yaml: cannot read the node shape"),
        (["start", "-p", "Prod"], 1, "--profile \"Prod\": a profile's name has 1 to 32 lower-case letters"),
        (["start", "-p", ""], 1, "--profile \"\""),
        (["start", "-p", String(repeating: "a", count: 33)], 1, "1 to 32"),
        (["start", "-p", "images"], 1, "--profile \"images\""),
        (["start", "--ttl", "soon"], 1, "--ttl \"soon\": write a time from 1s to 365d such as 90m, 1h30m or 2d"),
        (["list"], 0, "PROFILE  STATE  NODES  AGE  EXPIRES\n"),
        (["list", "-o", "json"], 0, "[]\n"),
        (["delete", "--all"], 0, "There is no cluster.\n"),
        (["delete", "--all", "-p", "one"], 64, "leave out --profile"),
        (["status"], 1, "cluster \"martlet\" is not running; start it with: martlet start\n"),
        (["status", "-p", "other"], 1, "start it with: martlet start --profile other\n"),
        (["stop"], 1, "is not running"),
        (["delete"], 0, "Cluster \"martlet\" is gone.\n"),
        (["node", "list"], 1, "is not running"),
        (["node", "add"], 1, "is not running"),
        (["node", "remove", "node-1"], 1, "is not running"),
        (["node", "remove"], 64, "Missing expected argument '<name>'"),
        (["logs"], 1, "is not running"),
        (["kubeconfig"], 1, "is not running"),
        (["image", "list"], 0, "REPOSITORY  TAG  IMAGE ID  CREATED  SIZE\n"),
        (["image", "list", "-o", "json"], 0, "[]\n"),
        (["image", "inspect", "absent"], 1, "absent"),
        (["image", "build", "absent"], 1, "absent"),
        (["image", "build", "--build-arg", "=x", "."], 64, "--build-arg =x: there is no name before the ="),
        (["image", "tag", "absent", "new"], 1, "absent"),
        (["image", "pull", "nginx"], 1, "image pull: this version of Martlet exchanges no images with registries"),
        (["image", "load", "-i", "x.tar"], 1, "martlet image build -t NAME DIRECTORY"),
        (["ps"], 1, "is not running"),
        (["ps", "a", "b"], 64, "Unexpected argument 'b'"),
        (["completion", "bash"], 0, "_martlet"),
        (["completion", "tcsh"], 64, "'tcsh'"),
        (["supervisor"], 1, "martlet: "),
        (["control-plane"], 1, "is not running"),
        (["node-agent", "--node", "node-1"], 1, "has no node \"node-1\""),
    ]

    @Test(arguments: outcomes)
    func answers(_ arguments: [String], _ status: Int32, _ text: String) async throws {
        let home = try Home()
        let result = try await home.martlet(arguments)
        #expect(result.status == status, "\(result)")
        // What is a result goes to standard output, what is a fault to standard error.
        let (expected, other) = status == 0 ? (result.output, result.errors) : (result.errors, result.output)
        #expect(expected.contains(text), "\(result)")
        #expect(other.isEmpty, "\(result)")
        #expect(!home.exists("kubeconfig"))
    }

    static let cluster = """
        {"apiPort": 6443, "loadBalancerOctet": 16, "nextIndex": 3, "nodes": [
          {"name": "node-1", "index": 1, "shape": {"zone": "east"}, "stopped": false},
          {"name": "node-2", "index": 2, "shape": {"capacity": {"cpu": "16", "memory": "32Gi"}}, "stopped": true}]}
        """

    @Test func listsTheNodesOfAStoppedCluster() async throws {
        let home = try Home()
        try home.write(Self.cluster, to: "s/martlet/cluster.json")
        let result = try await home.martlet(["node", "list"])
        #expect(
            result.output == """
                NAME    STATE    CPU  MEMORY  ZONE
                node-1  Running  4    8Gi     east
                node-2  Stopped  16   32Gi    -

                """, "\(result)")
    }

    /// A cluster's file that cannot be read as one is named, with the field and the remedy, and stays as it is.
    @Test(arguments: [
        ("{", "the file is no JSON"), ("{}", "apiPort is missing"),
        (#"{"apiPort": 1, "loadBalancerOctet": 300, "nextIndex": 1}"#, "loadBalancerOctet is not from"),
        (#"{"apiPort": 1, "loadBalancerOctet": 16, "nextIndex": 1, "nodes": []}"#, "nodes is missing or empty"),
    ]) func namesWhatIsDamaged(_ text: String, _ problem: String) async throws {
        let home = try Home()
        try home.write(text, to: "s/martlet/cluster.json")
        for command in [["status"], ["stop"], ["node", "list"], ["start"]] {
            let result = try await home.martlet(command)
            #expect(result.status == 1 && result.errors.contains("cluster.json"), "\(result)")
            #expect(result.errors.contains(problem) && result.errors.contains("martlet delete"), "\(result)")
        }
        let kept = try String(contentsOfFile: "\(home.directory)/s/martlet/cluster.json", encoding: .utf8)
        #expect(kept == text)
    }

    @Test func printsLogs() async throws {
        let home = try Home()
        try home.write(Self.cluster, to: "s/martlet/cluster.json")
        try home.write("one\ntwo\nthree\n", to: "s/martlet/logs/control-plane.log")
        try home.write("", to: "s/martlet/logs/supervisor.log")
        #expect(try await home.martlet(["logs"]).output == "control-plane\nsupervisor\n")
        #expect(try await home.martlet(["logs", "control-plane"]).output == "one\ntwo\nthree\n")
        #expect(try await home.martlet(["logs", "control-plane", "--tail", "2"]).output == "two\nthree\n")
        let absent = try await home.martlet(["logs", "etcd"])
        #expect(absent.status == 1 && absent.errors.contains("there are control-plane, supervisor"), "\(absent)")
    }

    @Test func printsAndMergesAKubeconfig() async throws {
        let home = try Home()
        let document = """
            apiVersion: v1
            kind: Config
            current-context: martlet
            clusters: [{name: martlet, cluster: {server: "https://127.0.0.1:6443"}}]
            contexts: [{name: martlet, context: {cluster: martlet, user: martlet}}]
            users: [{name: martlet, user: {token: t}}]
            """
        try home.write(document, to: "s/martlet/pki/admin.kubeconfig")
        let printed = try await home.martlet(["kubeconfig"])
        #expect(try JSON(yaml: printed.output) == JSON(yaml: document), "\(printed)")
        let path = try await home.martlet(["kubeconfig", "--path"])
        #expect(path.output == "\(home.directory)/s/martlet/pki/admin.kubeconfig\n")
        #expect(!home.exists("kubeconfig"))
        let merged = try await home.martlet(["kubeconfig", "--merge"])
        #expect(merged.status == 0 && merged.output.isEmpty, "\(merged)")
        let user = try JSON(yaml: String(contentsOfFile: "\(home.directory)/kubeconfig", encoding: .utf8))
        #expect(user["current-context"] == "martlet")
        #expect(user["users"][0]["user"]["token"] == "t")
    }

    /// A start that the kubeconfig stands in the way of is refused before anything is started.
    @Test func refusesAForeignContextBeforeItStarts() async throws {
        let home = try Home()
        let text = "users:\n- name: martlet\n  user: {token: mine}\n"
        try home.write(text, to: "kubeconfig")
        let result = try await home.martlet(["start"])
        #expect(result.status == 1 && result.errors.contains("not Martlet's"), "\(result)")
        #expect(!home.exists("s") && !home.exists("r"))
        #expect(try String(contentsOfFile: "\(home.directory)/kubeconfig", encoding: .utf8) == text)
    }

    /// `delete` removes what a cluster that never ran has left, and only that cluster's.
    @Test func deletesOneOfTwoClusters() async throws {
        let home = try Home()
        try home.write(Self.cluster, to: "s/a/cluster.json")
        try home.write(Self.cluster, to: "s/b/cluster.json")
        let result = try await home.martlet(["delete", "-p", "a"])
        #expect(result.status == 0 && result.output == "Cluster \"a\" is gone.\n", "\(result)")
        #expect(!home.exists("s/a") && home.exists("s/b/cluster.json"))
    }

    /// What cannot be read does not keep the others from being listed, and all are removed.
    @Test func listsAndDeletesAllClusters() async throws {
        let home = try Home()
        try home.write(Self.cluster, to: "s/a/cluster.json")
        try home.write("{", to: "s/b/cluster.json")
        try home.write("", to: "s/.c.deleted/store.db")
        try home.write("mine", to: "s/notes/text")
        let list = try await home.martlet(["list"])
        #expect(
            list.output == """
                PROFILE  STATE    NODES  AGE  EXPIRES
                a        Stopped  2      -    never
                b        Damaged  -      -    never

                """, "\(list)")
        let result = try await home.martlet(["delete", "--all"])
        #expect(result.status == 0 && result.output.contains("Cluster \"b\" is gone.\n"), "\(result)")
        for name in ["s/a", "s/b", "s/.c.deleted", "r"] { #expect(!home.exists(name), "\(name)") }
        #expect(home.exists("s/notes/text"), "what is no cluster stays")
    }

    /// What a deletion that was killed has left is no part of the cluster that comes after it.
    @Test func aRemovedClusterIsNotFoundAgain() async throws {
        let home = try Home()
        try home.write(Self.cluster, to: "s/.martlet.deleted/cluster.json")
        for command in [["status"], ["stop"], ["node", "list"]] {
            let result = try await home.martlet(command)
            #expect(result.status == 1 && result.errors.contains("is not running"), "\(result)")
        }
        #expect(try await home.martlet(["delete"]).status == 0)
        #expect(!home.exists("s") && !home.exists("r"))
    }

    @Test(arguments: [
        ("capacity: {cpu: lots}\n", "capacity"),
        ("capacity: {pods: 260}\n", "capacity.pods: a node has addresses for 253"), ("colour: red\n", "colour"),
        ("- a\n", "expected a mapping"),
        ("a: [\n", "no YAML"),
    ]) func refusesABadNodeShape(_ text: String, _ problem: String) async throws {
        let home = try Home()
        try home.write(text, to: "shape.yaml")
        let result = try await home.martlet(["start", "--node-shape", "shape.yaml"])
        #expect(result.status == 1 && result.errors.contains(problem), "\(result)")
        #expect(result.errors.contains("shape.yaml") && result.errors.contains("nothing was started"), "\(result)")
        #expect(!home.exists("s") && !home.exists("r"))
    }
}

import Foundation
import TestSupport
import Testing

/// A machine of a test's own: a network namespace in which the cluster's host side is, with a link to another one that
/// stands for the outside. The machine that runs the test gets no link and no file.
struct Outside: Sendable {
    /// The cluster as programs of that machine see it.
    let cluster: Cluster
    private let machine: Int32
    private let peer: Int32
    private let directory: String

    /// The addresses of the outside and of the machine.
    static let address = "198.51.100.1"
    static let machineAddress = "198.51.100.2"

    /// Runs `body` with a machine on which no cluster was started yet.
    static func prepared(_ body: (Outside) async throws -> Void) async throws {
        try await Cluster.prepared { cluster in
            let directory = cluster.directory
            try "nameserver \(address)\n".write(
                toFile: directory + "/resolv.conf", atomically: true, encoding: .utf8)
            // They end with this scope, which is cancelled then.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["machine", "peer"] {
                    group.addTask {
                        _ = try? await cluster.shell.run(
                            "/usr/bin/unshare",
                            [
                                "--net", "--mount", "/bin/sh", "-euc",
                                "mount --bind \(directory)/resolv.conf /etc/resolv.conf; "
                                    + "echo $$ >\(directory)/\(name).new; mv \(directory)/\(name).new \(directory)/\(name); "
                                    + "exec sleep 1000",
                            ])
                    }
                }
                let outside = Outside(
                    cluster: cluster, machine: try await pid("machine", directory),
                    peer: try await pid("peer", directory))
                try await outside.connect()
                group.addTask { _ = try? await outside.serve("host", on: outside.machine) }
                group.addTask {
                    _ = try? await outside.serve("outside", directory + "/asked", on: outside.peer)
                }
                defer { group.cancelAll() }
                try await eventually("the outside serves") {
                    try await outside.fetch("http://\(address):8080/") == machineAddress
                }
                try await body(outside)
                if FileManager.default.fileExists(atPath: cluster.state) { try await cluster.martlet("delete") }
            }
        }
    }

    private init(cluster: Cluster, machine: Int32, peer: Int32) {
        var shell = cluster.shell
        shell.prefix = Self.entering(machine)
        self.cluster = Cluster(profile: cluster.profile, directory: cluster.directory, shell: shell)
        self.machine = machine
        self.peer = peer
        directory = cluster.directory
    }

    private static func entering(_ pid: Int32) -> [String] {
        ["/usr/bin/nsenter", "--net=/proc/\(pid)/ns/net", "--mount=/proc/\(pid)/ns/mnt", "--"]
    }

    private static func pid(_ name: String, _ directory: String) async throws -> Int32 {
        try await eventually("the namespace of the \(name) is there") {
            let text = try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
            return text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
    }

    /// Links the two, and makes the machine as Debian's are: who is on it may ping.
    private func connect() async throws {
        try await run(
            on: machine,
            """
            ip link set lo up; ip link add up0 type veth peer name eth0 netns \(peer)
            ip address add \(Self.machineAddress)/24 dev up0; ip link set up0 up
            ip route add default via \(Self.address)
            echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
            """)
        try await run(
            on: peer,
            """
            ip link set lo up; ip address add \(Self.address)/24 dev eth0; ip link set eth0 up
            ip address add 169.254.169.254/32 dev lo
            """)
    }

    private func run(on pid: Int32, _ script: String) async throws {
        try await shell(on: pid).sh(script)
    }

    private func shell(on pid: Int32) -> Shell {
        var shell = cluster.shell
        shell.prefix = Self.entering(pid)
        return shell
    }

    private func serve(_ arguments: String..., on pid: Int32) async throws -> CommandResult {
        try await shell(on: pid).attempt(
            "/usr/bin/python3", [Repository.root + "Tests/EndToEnd/outside.py"] + arguments)
    }

    /// The page at a URL, as the machine gets it, or a pod.
    func fetch(_ url: String, from pod: String? = nil) async throws -> String {
        let result = try await attempt(url, from: pod)
        guard result.status == 0 else { throw CommandFailure(description: result.description) }
        return result.text
    }

    func attempt(_ url: String, from pod: String?) async throws -> CommandResult {
        let command = ["curl", "-sS", "--max-time", "5", url]
        return if let pod {
            try await cluster.shell.attempt("kubectl", ["exec", pod, "--"] + command)
        } else {
            try await cluster.shell.attempt(command[0], Array(command.dropFirst()))
        }
    }

    /// The page at a URL, as somebody outside gets it.
    func fetchFromOutside(_ url: String) async throws -> CommandResult {
        try await shell(on: peer).attempt("curl", ["-sS", "--max-time", "5", url])
    }

    /// How often a name was asked for outside.
    func queries(_ name: String) throws -> Int {
        try String(contentsOfFile: directory + "/asked", encoding: .utf8).split(separator: "\n")
            .count { $0 == "\(name) 1" }
    }
}

import Foundation
import TestSupport
import Testing

/// The containers' own processes.
enum Workload {
    /// Those of a cluster: the children of its pods' first processes.
    static func all(of cluster: Cluster) throws -> Set<Int32> {
        let pods = Set(
            try cluster.processes().filter { pid in
                let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
                return String(decoding: line, as: UTF8.self).contains("martlet-init\0pod\0")
            })
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init)
        return Set(
            all.filter { pid in
                guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                    let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 1,
                    fields[0] != "Z", let parent = Int32(fields[1])
                else { return false }
                return pods.contains(parent)
            })
    }

    /// Waits until a process has ended; whether the machine's first process has collected it is that one's affair.
    static func waitForEnd(of pid: Int32) async throws {
        try await eventually("process \(pid) has ended") {
            guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
            return state.contains(") Z ")
        }
    }
}

/// What a cluster must leave alone, as the machine's own tools show it.
struct HostState {
    /// By what was looked at.
    private let parts: [String: String]

    private static let looks = [
        // How long what the router has announced is valid goes down by itself.
        "addresses": "ip -o address | \(withoutLifetimes)",
        "links": "ip -o link",
        "routes": "{ ip route; ip -6 route; ip rule; } | \(withoutLifetimes)",
        "packet rules": "nft list ruleset",
        "network settings": "grep -r . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/ip_forward "
            + "/proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/route_localnet",
        // What they are and when they were changed, and what is in them.
        "/etc": "find /etc -xdev -printf '%p %y %m %U %G %s %T@ %l\\n' | sort; "
            + "find /etc -xdev -type f -exec sha256sum {} + | sort",
    ]

    private static let withoutLifetimes = "sed -E 's/(valid_lft|preferred_lft|expires) [0-9]+sec//g'"

    init() async throws {
        var parts: [String: String] = [:]
        for (name, line) in Self.looks { parts[name] = try await Shell().run("/bin/sh", ["-c", line]) }
        self.parts = parts
    }

    /// Expects that all is as it was.
    func expectUnchanged(_ when: String) async throws {
        let now = try await HostState()
        for (name, before) in parts {
            let (before, after) = (before.split(separator: "\n"), now.parts[name, default: ""].split(separator: "\n"))
            #expect(!before.isEmpty || name == "packet rules", "\(name) can be looked at")
            #expect(Array(after.difference(from: before)).isEmpty, "\(name) \(when)")
        }
    }
}

extension Cluster {
    func supervisor() async throws -> Int32 {
        let found = try processes().filter { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return String(decoding: line, as: UTF8.self).contains("martlet\0supervisor\0")
        }
        return try #require(found.count == 1 ? found.first : nil, "one supervisor: \(found)")
    }

    /// Names and identities of the objects that a user has, or that came of these.
    func objects() async throws -> [String] {
        try await kubectl(
            "get", "deployments,replicasets,pods,services,nodes", "-o",
            "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid}{'\\n'}{end}"
        ).split(separator: "\n").map(String.init).sorted()
    }
}

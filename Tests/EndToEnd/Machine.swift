import Foundation
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
        try await eventually("process \(pid) has ended") { () -> Void? in
            guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return () }
            return state.contains(") Z ") ? () : nil
        }
    }
}

/// What the host's network consists of, as its own tools show it.
struct HostNetwork: Equatable {
    let links: String
    let routes: String
    let rules: String

    init() async throws {
        let shell = Shell()
        links = try await shell.run("ip", ["-o", "address"])
        routes = try await shell.run("ip", ["route"])
        rules = try await shell.run("nft", ["list", "ruleset"])
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

import Foundation
import TestSupport
import Testing

/// A pod that makes as many processes as it can.
struct ForkBombTests {
    private static let limit = 300

    /// Each process makes others, and tries again where it may not.
    private static let bomb = Manifest.pod(
        "bomb", container: "command: [/usr/bin/perl, -e, 'for (;;) { fork // select undef, undef, undef, 0.1 }']")

    /// Runs `body` with a cluster in which the bomb is as big as it may be.
    ///
    /// Nothing may look into its processes while it lives: their command lines, for example, take a while to be read.
    private func withBomb(_ body: (Cluster) async throws -> Void) async throws {
        try await Cluster.prepared { cluster in
            let shape = cluster.directory + "/shape.yaml"
            try "podPidsLimit: \(Self.limit)\n".write(toFile: shape, atomically: true, encoding: .utf8)
            try await cluster.martlet("start", "--node-shape", shape)
            try await cluster.apply(Self.bomb)
            try await eventually("the bomb has \(Self.limit) processes") {
                let pods = try cluster.podGroups()
                return pods.contains { $0.max == Self.limit && $0.current >= Self.limit - 1 }
            }
            try await body(cluster)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPodHasALimitByTheNodesShape() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.pod("one", container: "command: [/bin/sleep, '1000']"))
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=30s")
            #expect(try cluster.podGroups().map(\.max) == [4096], "four CPUs")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func theClusterWorksBesideAForkBomb() async throws {
        try await withBomb { cluster in
            #expect(try await cluster.martlet("status").contains("is Ready"))
            try await cluster.apply(Manifest.pod("beside", container: "command: [/bin/sleep, '1000']"))
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/beside", "--timeout=60s")
            try await cluster.kubectl("delete", "pod", "bomb", "--timeout=60s")
            try await eventually("nothing of it runs") { try cluster.podGroups().count == 1 }
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: ["stop", "delete"])
    func aClusterWithAForkBombEnds(_ command: String) async throws {
        try await withBomb { cluster in
            try await cluster.martlet(command)
            #expect(try cluster.processes().isEmpty)
            #expect(try Cgroups.directories(containing: cluster.profile).isEmpty)
        }
    }

    /// Also where only the command line is left to do it.
    @Test(.timeLimit(.minutes(2)))
    func deleteEndsAForkBombOfADeadCluster() async throws {
        try await withBomb { cluster in
            for component in ["supervisor", "node-agent-node-1", "control-plane"] {
                kill(try cluster.pid(of: component), SIGKILL)
            }
            try await cluster.martlet("delete")
            try await cluster.expectNothingLeft()
        }
    }
}

extension Cluster {
    /// How many processes each pod may have, and has.
    fileprivate func podGroups() throws -> [(max: Int, current: Int)] {
        try Cgroups.directories(containing: profile).compactMap { group in
            guard group.split(separator: "/").last?.hasPrefix("pod") == true else { return nil }
            let number = { (file: String) in
                (try? String(contentsOfFile: "\(group)/\(file)", encoding: .utf8))
                    .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            }
            guard let max = number("pids.max"), let current = number("pids.current") else { return nil }
            return (max, current)
        }
    }
}

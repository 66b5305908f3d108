import Foundation
import TestSupport
import Testing

/// Commands for all profiles of a user, and clusters that end by themselves.
struct ProfileTests {
    @Test(.timeLimit(.minutes(1)))
    func allAreListedAndDeleted() async throws {
        try await Cluster.running { first in
            let second = Cluster(profile: first.profile + "-b", directory: first.directory, shell: first.shell)
            try await second.martlet("start", "--nodes", "2")
            try await second.martlet("stop")
            let list = try await first.shell.run(Repository.martlet, ["list"])
            let rows = list.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(rows.first == ["PROFILE", "STATE", "NODES", "AGE", "EXPIRES"])
            #expect(
                rows.dropFirst().map { Array($0.prefix(3)) } == [
                    [first.profile, "Ready", "1"], [second.profile, "Stopped", "2"],
                ], "\(list)")
            #expect(rows.dropFirst().allSatisfy { $0.last == "never" }, "\(list)")

            let refused = try await first.attemptMartlet("delete", "--all")
            #expect(refused.status == 64 && refused.errors.contains("leave out --profile"), "\(refused)")
            try await first.shell.run(Repository.martlet, ["delete", "--all"])
            try await first.expectNothingLeft()
            try await second.expectNothingLeft()
            #expect(try await first.kubectl("config", "get-contexts", "-o", "name") == "")
            #expect(try await first.shell.run(Repository.martlet, ["list"]).split(separator: "\n").count == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aClusterEndsWhenItsTimeIsOver() async throws {
        try await Cluster.prepared { cluster in
            try await cluster.martlet("start", "--ttl", "1h")
            #expect(try await cluster.shell.run(Repository.martlet, ["list"]).contains(/in (59|60)m/))
            // Another start says anew how long.
            try await cluster.martlet("start", "--ttl", "2s")
            try await eventually("the cluster is gone") {
                let isRunning = try !cluster.processes().isEmpty
                return !isRunning && !FileManager.default.fileExists(atPath: cluster.state)
            }
            try await cluster.expectNothingLeft()
            #expect(try await cluster.kubectl("config", "get-contexts", "-o", "name") == "")
        }
    }

    /// The supervisor was killed with the pipeline; the next start of any cluster sees to it.
    @Test(.timeLimit(.minutes(1)))
    func aStartDeletesClustersWhoseTimeIsOver() async throws {
        try await Cluster.prepared { cluster in
            let other = Cluster(profile: cluster.profile + "-b", directory: cluster.directory, shell: cluster.shell)
            try await other.martlet("start", "--ttl", "4s")
            let supervisor = try other.pid(of: "supervisor")
            kill(supervisor, SIGKILL)
            try await Workload.waitForEnd(of: supervisor)
            try await eventually("its time is over") {
                try await cluster.shell.run(Repository.martlet, ["list"]).contains(/Unsupervised .* now/)
            }
            let start = try await cluster.attemptMartlet("start")
            #expect(start.status == 0 && start.errors.contains("\"\(other.profile)\" was over; it is gone"), "\(start)")
            #expect(!FileManager.default.fileExists(atPath: other.state))
            #expect(!FileManager.default.fileExists(atPath: other.runtime))
            #expect(try await cluster.kubectl("config", "get-contexts", "-o", "name") == cluster.profile)
            try await cluster.martlet("delete")
            try await other.expectNothingLeft()
        }
    }
}

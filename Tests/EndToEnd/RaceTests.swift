import Foundation
import TestSupport
import Testing

/// Commands for one profile that run at once, or are interrupted: each comes to its end or says what it waits for, and
/// in the end there is a whole cluster or none.
///
/// The numbers of rounds are for each run of the tests; `MARTLET_TEST_ROUNDS` multiplies them.
struct RaceTests {
    private static let factor = ProcessInfo.processInfo.environment["MARTLET_TEST_ROUNDS"].flatMap { Int($0) } ?? 1

    @Test(.timeLimit(.minutes(30)))
    func startsAtOnceMakeOneCluster() async throws {
        try await Cluster.prepared { cluster in
            for round in 0..<(3 * Self.factor) {
                async let one = cluster.attemptMartlet("start")
                async let other = cluster.attemptMartlet("start")
                for result in try await [one, other] {
                    #expect(result.status == 0 && result.output.contains("is Ready"), "round \(round): \(result)")
                }
                #expect(try await cluster.martlet("status").contains("is Ready"))
                #expect(try await cluster.nodesAreReady())
                try await cluster.martlet("delete")
                try await cluster.expectNothingLeft()
            }
        }
    }

    /// A start that says Ready speaks of a cluster that is there.
    @Test(.timeLimit(.minutes(30)))
    func aStartDuringADeleteComesBeforeOrAfterIt() async throws {
        try await Cluster.prepared { cluster in
            for round in 0..<(4 * Self.factor) {
                try await cluster.martlet("start")
                async let deletion = cluster.attemptMartlet("delete")
                // At once, while the cluster's processes end, and when its files are gone.
                let gone = [[], ["/supervisor.pid"], [""]][round % 3].map { cluster.runtime + $0 }
                try await eventually("the delete gets there") {
                    gone.allSatisfy { !FileManager.default.fileExists(atPath: $0) }
                }
                let start = try await cluster.attemptMartlet("start")
                let deleted = try await deletion
                #expect(deleted.status == 0, "round \(round): \(deleted)")
                #expect(start.status == 0, "round \(round): \(start)")
                let status = try await cluster.attemptMartlet("status")
                if status.status == 0 {
                    #expect(try await cluster.nodesAreReady(), "round \(round)")
                } else {
                    try await cluster.expectNothingLeft()
                }
                try await cluster.martlet("delete")
                try await cluster.expectNothingLeft()
            }
        }
    }

    /// Ctrl-C at any moment of a command that changes a cluster.
    @Test(.timeLimit(.minutes(30)))
    func interruptedCommandsLeaveNothingAndBlockNothing() async throws {
        try await Cluster.prepared { cluster in
            for round in 0..<(4 * Self.factor) {
                // New, then there.
                try await cluster.interrupt(["start"], before: 400)
                if round % 2 == 0 {
                    try await cluster.martlet("delete")
                    try await cluster.expectNothingLeft()
                }
                try await cluster.martlet("start")
                try await cluster.interrupt(["node", "add"], before: 200)
                try await cluster.interrupt(["stop"], before: 300)
                let again = try await cluster.attemptMartlet("start")
                #expect(again.status == 0, "round \(round): \(again)")
                #expect(try await cluster.nodesAreReady(), "round \(round)")
                try await cluster.interrupt(["delete"], before: 200)
                try await cluster.martlet("delete")
                try await cluster.expectNothingLeft()
                let left = try FileManager.default.contentsOfDirectory(atPath: cluster.directory)
                #expect(left.allSatisfy { ["kubeconfig", ".kube"].contains($0) }, "round \(round): \(left)")
            }
        }
    }

    /// The cluster of a start that was interrupted is as if it had never been.
    @Test(.timeLimit(.minutes(1)))
    func anInterruptedStartTakesItsClusterBack() async throws {
        try await Cluster.prepared { cluster in
            let runtime = cluster.runtime
            async let start = cluster.attemptMartlet("start")
            try await eventually("the supervisor has been started") {
                FileManager.default.fileExists(atPath: runtime + "/supervisor.pid")
            }
            let line = "martlet\0start\0"
            let command = try cluster.processes().first { pid in
                let text = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
                return String(decoding: text, as: UTF8.self).contains(line)
            }
            kill(try #require(command), SIGINT)
            let result = try await start
            // It may just have come to its end.
            if result.status == 0 || result.output.contains("is Ready") {
                try await cluster.martlet("delete")
            } else {
                #expect(result.status == 128 + SIGINT && result.errors.contains("interrupted"), "\(result)")
            }
            try await cluster.expectNothingLeft()
        }
    }

    /// A supervisor whose command was killed goes on, and the next command finds it.
    @Test(.timeLimit(.minutes(1)))
    func aKilledStartLeavesWhatDeleteFinds() async throws {
        try await Cluster.prepared { cluster in
            for delay in ["0.02", "0.05", "0.1", "0.2"] {
                _ = try await cluster.shell.attempt(
                    "timeout",
                    ["--foreground", "-s", "KILL", delay, Repository.martlet, "start", "--profile", cluster.profile])
                try await cluster.martlet("delete")
                try await cluster.expectNothingLeft()
            }
        }
    }
}

extension Cluster {
    /// Runs a command that gets SIGINT after at most so many milliseconds, as by Ctrl-C.
    fileprivate func interrupt(_ arguments: [String], before milliseconds: Int) async throws {
        let delay = Double(Int.random(in: 1...milliseconds)) / 1000
        let result = try await shell.attempt(
            "timeout",
            ["--foreground", "--preserve-status", "-s", "INT", "\(delay)", Repository.martlet] + arguments
                + ["--profile", profile])
        #expect([0, 128 + SIGINT].contains(result.status), "\(result)")
    }

    /// Whether there are nodes, and the API says that each is Ready.
    fileprivate func nodesAreReady() async throws -> Bool {
        let nodes = try await kubectl(
            "get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")
        return !nodes.isEmpty && nodes.split(separator: " ").allSatisfy { $0 == "True" }
    }
}

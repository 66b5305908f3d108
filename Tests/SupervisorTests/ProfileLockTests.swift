import ClusterLayout
import Foundation
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

private final class Journal: Sendable {
    private let numbers = Mutex<[Int]>([])

    var entries: [Int] { numbers.withLock { $0 } }

    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
}

@Suite(.timeLimit(.minutes(1))) struct ProfileLockTests {
    @Test func oneWaitsForTheOtherAndSaysSo() async throws {
        let cluster = try TestCluster()
        let (holding, holds) = AsyncStream.makeStream(of: Void.self)
        let (releases, release) = AsyncStream.makeStream(of: Void.self)
        let (words, word) = AsyncStream.makeStream(of: String.self)
        let order = Journal()
        let first = Task {
            try await ProfileLock.hold(cluster.paths, for: "delete", waiting: { _ in }) { _ in
                holds.yield()
                for await _ in releases { break }
                order.add(1)
            }
        }
        for await _ in holding { break }
        let second = Task {
            try await ProfileLock.hold(cluster.paths, for: "start", waiting: { word.yield($0) }) { _ in
                order.add(2)
            }
        }
        let said = await words.first { _ in true }
        #expect(said == "waiting for martlet delete (pid \(getpid())), at work on \"test\"")
        release.finish()
        try await first.value
        try await second.value
        #expect(order.entries == [1, 2])
    }

    @Test func givesUpByName() async throws {
        let cluster = try TestCluster()
        try await ProfileLock.hold(cluster.paths, for: "node add", waiting: { _ in }) { _ in
            let error = await #expect(throws: SupervisorError.self) {
                try await ProfileLock.hold(cluster.paths, for: "stop", patience: .zero, waiting: { _ in }) { _ in }
            }
            #expect(error?.description.contains("martlet node add (pid \(getpid()))") == true)
        }
    }

    /// The file goes with the cluster, and whoever waits for it then has the lock of the new one.
    @Test func goesWithTheCluster() async throws {
        let cluster = try TestCluster()
        try await ProfileLock.hold(cluster.paths, for: "delete", waiting: { _ in }) { _ in
            #expect(cluster.exists(cluster.paths.profileLock))
        }
        #expect(cluster.exists(cluster.paths.profileLock), "a cluster that is there keeps its lock's file")
        let order = Journal()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    try await ProfileLock.hold(cluster.paths, for: "delete", waiting: { _ in }) { _ in
                        let before = order.entries.count
                        try Teardown(paths: cluster.paths, logger: TestCluster.quiet).removeDirectories()
                        await Task.yield()
                        order.add(before)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        #expect(order.entries == Array(0..<8), "never two at once")
        #expect(!cluster.exists(cluster.paths.profileLock) && !cluster.exists(cluster.paths.runtimeParent))
    }

    /// It is held as long as anybody has it: a command that is killed leaves it to what it started.
    @Test func aProcessInheritsIt() async throws {
        let cluster = try TestCluster()
        let child = try await ProfileLock.hold(cluster.paths, for: "start", waiting: { _ in }) { lock in
            try Spawn(["/bin/sleep", "100"], environment: [], descriptors: [(own: lock.descriptor, child: 3)]).start()
        }
        let process = try #require(ProcessIdentity(pid: child))
        await #expect(throws: SupervisorError.self) {
            try await ProfileLock.hold(cluster.paths, for: "delete", patience: .zero, waiting: { _ in }) { _ in }
        }
        process.signal(SIGKILL)
        await process.waitForEnd()
        _ = Linux.ExitStatus.reap(child)
        try await ProfileLock.hold(cluster.paths, for: "delete", waiting: { _ in }) { _ in }
    }
}

@Suite struct LifetimeTests {
    @Test(
        arguments: [
            ("1s", 1), ("90m", 5400), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061), ("365d", 31_536_000),
            ("0h1s", 1), ("", nil), ("1", nil), ("h", nil), ("0s", nil), ("366d", nil), ("1m1h", nil), ("1h1h", nil),
            ("-1h", nil), ("1.5h", nil), ("1h 30m", nil), ("99999999999999999999s", nil), ("999999999d", nil),
            ("٣h", nil),
        ] as [(String, Int?)]) func reads(_ text: String, _ seconds: Int?)
    {
        #expect(Lifetime(text)?.seconds == seconds)
    }
}

import ClusterLayout
import Glibc
import TestSupport
import Testing

@testable import Linux

@Suite(.enabled(if: getuid() == 0 && CgroupV1() != nil, "needs root and control groups of version 1"))
struct ClusterRemainsTests {
    @Test func remainsAreFoundWithoutRecords() async throws {
        let cgroups = try #require(CgroupV1())
        let state = "/tmp/martlet-test-\(getpid())/remains"
        let group = clusterGroup(stateDirectory: state) + "/node-1/pod1"
        try cgroups.create(group)
        let pid = try Spawn(["/bin/sh", "-c", "sleep 101 & sleep 102"], environment: []).start()
        for file in cgroups.joinFiles(group) { try writeControl(file, "\(pid)") }
        let reaper = Task { await ProcessIdentity(pid: pid)?.waitForEnd() }
        let found = await ClusterRemains(stateDirectory: state).end()
        await reaper.value
        waitpid(pid, nil, 0)
        #expect(found.contains { $0.pid == pid })
        let directory = try #require(cgroups.directory("pids", clusterGroup(stateDirectory: state)))
        try await eventually("the groups are removed") { access(directory, F_OK) != 0 }
        for directory in cgroups.roots.values { rmdir("\(directory)/martlet") }
    }
}

import APIClient
import ClusterLayout
import Glibc
import InMemoryClient
import KubernetesModel
import Linux
import Logging
import PodRuntime
import SandboxNode
import TestSupport
import Testing

@testable import NodeAgent

/// What an agent does with real sandboxes.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct SandboxedPodTests {
    @Test(
        arguments: [
            (["true"], 60, .success), (["sh", "-c", "echo out; echo err >&2; exit 3"], 60, .failure("out\nerr\n")),
            (["false"], 60, .failure("")),
            (
                ["sh", "-c", "echo x; sleep 1000"], 1,
                .failure("command timed out: \"sh -c echo x; sleep 1000\" timed out after 1s")
            ),
        ] as [([String], Double, ProbeResult)])
    func aCommandIsJudgedByItsEnd(command: [String], limit: Double, wanted: ProbeResult) async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let hook = Hook(node: node.context, container: Container([:]), address: "127.0.0.1")
            let result = await hook.attempt(["exec": ["command": JSON(command)]], id, timeout: limit)
            #expect(result == wanted)
            let group = ResourceGroup.node(node.paths).pod("one", qosClass: "BestEffort").container(id)
            let resources = node.resources
            try await eventually("only the container's own program runs") { resources.processes(group).count <= 1 }
        }
    }

    @Test func aHookThatIsGivenUpIsKilled() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let hook = Hook(node: node.context, container: Container([:]), address: "127.0.0.1")
            let began = ContinuousClock.now
            let run = Task { await hook.run(["exec": ["command": ["sh", "-c", "trap '' TERM; sleep 60"]]], id) }
            let group = ResourceGroup.node(node.paths).pod("one", qosClass: "BestEffort").container(id)
            let resources = node.resources
            try await eventually("the hook runs") { resources.processes(group).count > 1 }
            run.cancel()
            _ = await run.value
            #expect(ContinuousClock.now - began < .seconds(30))
            try await eventually("only the container's own program runs") { resources.processes(group).count <= 1 }
        }
    }

    @Test func aLogIsRotatedAndFollowedWithoutLossOrRepetition() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let count = 160_000
            // The reader is there before the first line is.
            let path = node.logPath(ContainerID(podUID: "one", name: "main", restart: 0))
            try replaceFile(path, [])
            let file = LogFile(path: path)
            try file.begin(tail: nil)
            let id = try await node.run("one", ["seq", "-f", "%0100.0f", "1", String(count)])
            let reading = Task {
                var number = 0
                while number < count {
                    let lines = file.next()
                    if lines.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
                    for line in lines {
                        number += 1
                        let found = Int(String(decoding: line.suffix(100), as: UTF8.self))
                        guard found == number else { return (number, found) }
                    }
                }
                return (number, number)
            }
            #expect(try await node.end(of: id).phase.code == 0)
            let (expected, found) = try await reading.value
            #expect(found == expected)
            #expect(expected == count)
            #expect(RotatedLog.parts(of: node.logPath(id)).count == 2)
        }
    }

    @Test func theOldestPartsOfALogGo() async throws {
        try await withRuntime { node in
            try await node.start("one")
            // Lines of 16 KiB, so that the init has little to do.
            let id = try await node.run("one", ["sh", "-c", "head -c 80000000 /dev/zero | tr '\\0' x"])
            #expect(try await node.end(of: id).phase.code == 0)
            #expect(RotatedLog.parts(of: node.logPath(id)).count == 4)
        }
    }
}

extension SandboxNode {
    fileprivate var context: NodeContext { .test(runtime: runtime, directory: directory) }
}

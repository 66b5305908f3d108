import Glibc
import Linux
import SandboxNode
import TestSupport
import Testing

@testable import PodRuntime

@Suite(.enabled(if: getuid() == 0, "needs root")) struct ContainerOperationsTests {
    /// The agent raises the limit of open files for itself alone.
    @Test func aContainerHasTheLimitThatWasThereBefore() async throws {
        let limit = OpenFileLimit.inherited
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sh", "-c", "ulimit -Sn; ulimit -Hn"])
            _ = try await node.end(of: id)
            let numbers = try node.log(id).split(separator: "\n").compactMap { $0.split(separator: " ").last }
            #expect(numbers == ["\(limit.soft)", "\(limit.hard)"])
        }
    }

    /// Bytes of the writable layer, as `df` shows them.
    @Test(arguments: [(1 << 20, "1024"), (0, "4")] as [(Int, String)])
    func aLayerInMemoryHasTheContainersLimit(limit: Int, size: String) async throws {
        try await withRuntime { node in
            guard node.runtime.machine.needsMemoryLayer else { return }
            try await node.start("one")
            let id = try await node.run("one", ["sh", "-c", "df -k / | tail -1 | tr -s ' ' | cut -d' ' -f2"]) {
                $0.layerLimit = limit
            }
            _ = try await node.end(of: id)
            #expect(try node.log(id).hasSuffix(" \(size)\n"))
        }
    }
}

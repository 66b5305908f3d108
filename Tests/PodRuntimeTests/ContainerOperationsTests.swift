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

    /// Bytes of the writable layer; without a limit tmpfs has its own.
    @Test(arguments: [(1 << 20, 1 << 20), (0, 4096), (nil, nil)] as [(Int?, Int?)])
    func aLayerInMemoryHasTheContainersLimit(limit: Int?, size: Int?) throws {
        let directory = "/tmp/martlet-layer-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory("\(directory)/layer")
        defer {
            ContainerRoot.remove(directory)
            try? removeTree(directory)
        }
        let root = ContainerRoot(
            filesystem: RootFilesystem(layers: ["\(directory)/layer"]), directory: directory,
            machine: HostRoot(needsMemoryLayer: true, mounts: []), layerLimit: limit, privileged: false)
        let mount = try root.mount()
        var status = statvfs()
        try mount.descriptor.withRawValue { number throws(SystemError) in
            guard fstatvfs(number, &status) == 0 else { throw SystemError("fstatvfs", directory) }
        }
        let bytes = Int(status.f_blocks) * Int(status.f_frsize)
        if let size { #expect(bytes == size) } else { #expect(bytes > 1 << 20) }
        #expect(!isMountPoint("\(directory)/root") && !isMountPoint("\(directory)/memory"), "nothing stays mounted")
    }
}

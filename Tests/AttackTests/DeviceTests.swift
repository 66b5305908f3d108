import Glibc
import Linux
import PodRuntime
import SandboxNode
import TestSupport
import Testing

/// The machine's disks and memory, by nodes that a pod makes itself.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct DeviceTests {
    /// A block device of this machine, else what would be its first disk.
    private static var disk: String {
        let numbers = (try? listDirectory("/sys/dev/block"))?.sorted().first ?? "8:0"
        return numbers.split(separator: ":").joined(separator: " ")
    }

    /// In a tmpfs without `nodev`, in the root, and in a volume.
    @Test(arguments: ["/dev/x", "/x", "/volume/x", "/dev/shm/x"]) func aNodeOfADiskOpensNothing(path: String)
        async throws
    {
        try await withRuntime { node in
            try await node.start("one")
            try makeDirectory("\(node.directory)/volume")
            let script = """
                mknod \(path) b \(Self.disk) || echo refused
                dd if=\(path) of=/dev/null bs=512 count=1 2>/dev/null && echo read
                dd if=/dev/null of=\(path) bs=1 count=0 conv=notrunc 2>/dev/null && test -b \(path) && echo written
                rm -f \(path); mknod \(path) c 1 1; dd if=\(path) of=/dev/null bs=1 count=1 2>/dev/null && echo memory
                echo end
                """
            let lines = try await node.output(script) {
                $0.mounts = [Mount(source: .path("\(node.directory)/volume"), target: "/volume", readOnly: false)]
            }
            #expect(lines.last == "end" && Set(lines).isDisjoint(with: ["read", "written", "memory"]), "\(lines)")
        }
    }

    /// Also for what is executed later, which joins the groups by another way.
    @Test func nothingIsOpenedByWhatIsExecuted() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let script =
                "mknod /dev/x b \(Self.disk); dd if=/dev/x of=/dev/null bs=512 count=1 2>/dev/null && echo read; echo end"
            #expect(try await node.output(of: script, in: id) == "end\n")
        }
    }

    @Test func theHarmlessDevicesWork() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let script = """
                echo x >/dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c
                mkdir /y && mknod /y/pipe p && mknod /y/null c 1 3 && stat -c %t:%T /y/null
                """
            #expect(try await node.output(script) == ["4", "4", "1:3"])
        }
    }

    /// Where no group keeps a container from devices, it cannot make nodes of them.
    @Test func withoutAGuardNoNodeIsMade() {
        var container = ContainerConfiguration(
            id: ContainerID(podUID: "one", name: "main", restart: 0), root: RootFilesystem(layers: []),
            arguments: ["true"], environment: [], workingDirectory: "/", logPath: "")
        container.addedCapabilities = ["MKNOD", "ALL"]
        #expect(container.capabilities(guardsDevices: true).contains("MKNOD"))
        #expect(!container.capabilities(guardsDevices: false).contains("MKNOD"))
    }
}

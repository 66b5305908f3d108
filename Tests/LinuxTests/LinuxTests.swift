import Addresses
import Glibc
import TestSupport
import Testing

@testable import Linux

let initPath = Products.path("martlet-init")

/// A process that holds namespaces of its own open until the end of `body`.
func withHolder<Result>(_ body: (Int32) async throws -> Result) async throws -> Result {
    let (reader, writer) = try makePipe()
    let pid = try Spawn(
        [initPath, "hold", "--net", "--mnt", "--ready-fd", "3"], environment: [],
        descriptors: [(own: writer, child: 3)]
    ).start()
    writer.close()
    defer {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
    try await Poller.shared.readable(reader)
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(try reader.withRawValue({ read($0, &buffer, 16) }) == 8, "READY=1 and a line's end")
    return try await body(pid)
}

@Suite struct PacketSocketTests {
    @Test func carriesDescriptorsAndKeepsBorders() throws {
        let (one, other) = try PacketSocket.pair()
        defer {
            one.close()
            other.close()
        }
        let (reader, writer) = try makePipe()
        try one.send([1, 2, 3], descriptors: [writer])
        try one.send([4])
        writer.close()
        let first = try other.receive()
        #expect(first.bytes == [1, 2, 3])
        #expect(first.descriptors.count == 1)
        #expect(try other.receive().bytes == [4])
        _ = try first.descriptors[0].withRawValue { write($0, "through", 7) }
        first.descriptors[0].close()
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(try reader.withRawValue({ read($0, &buffer, 16) }) == 7)
        #expect(try reader.withRawValue({ read($0, &buffer, 16) }) == 0, "the copies were the only writers")
    }
}

@Suite struct SpawnTests {
    /// NIO's sockets, for example, are not closed on exec.
    @Test func aChildHasNoDescriptorsButItsOwn() async throws {
        let (reader, writer) = try makePipe()
        let inherited = Descriptor(owning: try writer.withRawValue { fcntl($0, F_DUPFD, 50) })
        let pid = try Spawn(
            ["/bin/sh", "-c", "exec ls /proc/$$/fd"], environment: ["PATH=/usr/bin:/bin"],
            descriptors: [(own: writer, child: 1), (own: writer, child: 4)]
        ).start()
        writer.close()
        _ = consume inherited
        let listed = try await Blocking.run { () throws(SystemError) in try reader.readToEnd() }
        waitpid(pid, nil, 0)
        // 3 is the directory that it lists.
        #expect(String(decoding: listed, as: UTF8.self) == "0\n1\n2\n3\n4\n")
    }
}

@Suite struct PollerTests {
    @Test func aCancelledWaitEnds() async throws {
        let (reader, writer) = try makePipe()
        let wait = Task { try await Poller.shared.readable(reader) }
        wait.cancel()
        await #expect(throws: CancellationError.self) { try await wait.value }
        let again = Task { try await Poller.shared.readable(reader) }
        writer.close()
        try await again.value
    }
}

@Suite(.enabled(if: getuid() == 0, "needs root")) struct NamespaceTests {
    @Test func linksAddressesAndRoutes() async throws {
        try await withHolder { node in
            try await withHolder { pod in
                let space = try openNamespace(.net, of: node)
                var route = try RouteSocket(namespace: space)
                try route.perform([.addBridge("cbr0")])
                let bridge = try #require(try route.index(of: "cbr0"))
                let address = try #require(IPv4Address("10.244.1.1"))
                try route.perform([
                    .addAddress(address, prefix: 24, to: bridge),
                    .addVeth("veth1", peer: "eth0", in: .process(pod), master: bridge),
                ])
                #expect(try Set(route.links().keys) == ["lo", "cbr0", "veth1"])
                let inner = try openNamespace(.net, of: pod)
                var other = try RouteSocket(namespace: inner)
                let peer = try #require(try other.index(of: "eth0"))
                let own = try #require(IPv4Address("10.244.1.2"))
                try other.perform([
                    .addAddress(own, prefix: 32, to: peer), .setUp(peer),
                    .addRoute(to: address, prefix: 32, link: peer),
                    .addRoute(to: IPv4Address(0), prefix: 0, via: address),
                ])
                #expect(throws: SystemError.self) { try other.perform([.deleteLink("none"), .setUp(999)]) }
                try other.perform([.deleteLink("none")], ignoring: [ENODEV])
                try route.perform([.deleteLink("veth1")])
                #expect(try other.index(of: "eth0") == nil, "a pair goes together")
            }
        }
        var here = try RouteSocket()
        #expect(try here.index(of: "cbr0") == nil, "nothing of it is in the test's own namespace")
    }

    @Test func entersNamespacesAsTheSameProcess() async throws {
        try await withHolder { holder in
            let (reader, writer) = try makePipe()
            let pid = try Spawn(
                [
                    initPath, "enter", "--pid", "\(holder)", "--net", "--", "sh", "-c",
                    "echo $$; readlink /proc/self/ns/net",
                ],
                environment: [], descriptors: [(own: writer, child: 1)]
            ).start()
            writer.close()
            var output: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 256)
            while case let count = try reader.withRawValue({ read($0, &buffer, 256) }), count > 0 {
                output += buffer[..<count]
            }
            waitpid(pid, nil, 0)
            let space = try namespaceIdentity(.net, of: holder)
            #expect(String(decoding: output, as: UTF8.self) == "\(pid)\nnet:[\(space)]\n")
        }
    }
}

@Suite struct ScopeTests {
    @Test(
        "groups are made in the cluster's scope by what runs the cluster, and by nobody else",
        arguments: [
            ("/system.slice/martlet-a-b-0123abcd.scope/control", "/system.slice/martlet-a-b-0123abcd.scope"),
            ("/system.slice/martlet-a-0123abcd.scope", nil),
            ("/system.slice/martlet-a-0123abcd.scope/martlet/a-0123abcd/node-1/pod1/c-0", nil),
            ("/system.slice/session-1.scope/control", nil), ("/", nil),
        ] as [(String, String?)])
    func scopeOfAGroup(_ row: (group: String, scope: String?)) {
        #expect(CgroupV2.scope(of: row.group) == row.scope)
    }
}

@Suite(.enabled(if: getuid() == 0 && CgroupV1() != nil, "needs root and control groups of version 1"))
struct CgroupTests {
    @Test func limitsMeasuresAndRemoves() async throws {
        let cgroups = try #require(CgroupV1())
        let group = "martlet/test-\(getpid())/a/b"
        try cgroups.create(group)
        try cgroups.setCPULimit(group, millis: 500)
        try cgroups.setCPUShares(group, 512)
        try cgroups.setMemoryLimit(group, bytes: 64 << 20)
        try cgroups.setProcessLimit(group, 20)
        let memory = try #require(cgroups.directory("memory", group))
        #expect(try readFile("\(memory)/memory.limit_in_bytes") == "\(64 << 20)\n")
        let cpu = try #require(cgroups.directory("cpu", group))
        #expect(try readFile("\(cpu)/cpu.cfs_quota_us") == "50000\n")
        for millis in [100_000_000, 100_000_001, Int.max] {
            try cgroups.setCPULimit(group, millis: millis)
            let quota = millis == 100_000_000 ? "10000000000" : "-1"
            #expect(
                try readFile("\(cpu)/cpu.cfs_quota_us") == "\(quota)\n", "the kernel takes no more than it can count")
        }
        let pid = try Spawn(["/bin/sleep", "100"], environment: []).start()
        for file in cgroups.joinFiles(group) { try writeControl(file, "\(pid)") }
        #expect(cgroups.processes("martlet/test-\(getpid())") == [pid], "found from above")
        #expect(cgroups.remove(group) == false, "a group in use stays")
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        #expect(cgroups.outOfMemoryKills(group) == 0)
        try await eventually("the group is removed") { cgroups.remove("martlet/test-\(getpid())") }
        #expect(access(memory, F_OK) != 0)
        for directory in cgroups.roots.values { rmdir("\(directory)/martlet") }
    }
}

import Glibc
import Linux
import TestSupport
import Testing

@testable import Supervisor

@Suite struct HostPortsTests {
    /// A port of the loopback address that was free just now.
    private static func freePort(_ transport: String) throws -> HostPorts.Address {
        let socket = try HostPorts.open(.init(address: "127.0.0.1", port: 0, transport: transport))
        return HostPorts.Address(address: "127.0.0.1", port: HostPorts.port(of: socket), transport: transport)
    }

    @Test(arguments: ["TCP", "UDP"]) func bindsAnAddressOnce(_ transport: String) async throws {
        var ports = HostPorts()
        let address = try Self.freePort(transport)
        let first = try ports.bind(address)
        #expect(try ports.bind(address) === first)
        var other = HostPorts()
        let error = #expect(throws: SystemError.self) { try other.bind(address) }
        #expect(error?.errno == EADDRINUSE)
        // The socket is open as long as anybody has it.
        ports.release(address)
        #expect(throws: SystemError.self) { try other.bind(address) }
        first.close()
        // A child that another test is just starting has a copy of it until it executes its program.
        try await eventually("the address is free") {
            _ = try other.bind(address)
            return true
        }
    }

    @Test(arguments: [
        ("nowhere", 80, EINVAL), ("127.0.0.1", -1, EINVAL), ("127.0.0.1", 65_536, EINVAL), ("::1", 80, EINVAL),
        ("192.0.2.1", 80, EADDRNOTAVAIL),
    ]) func refuses(_ address: String, _ port: Int, _ number: Int32) {
        var ports = HostPorts()
        let error = #expect(throws: SystemError.self) {
            try ports.bind(.init(address: address, port: port, transport: "TCP"))
        }
        #expect(error?.errno == number)
    }

    /// A process that outlived its supervisor still has the sockets; the next supervisor shares them.
    @Test func takesOverWhatAProcessHas() async throws {
        let (kept, unwanted) = (try Self.freePort("TCP"), try Self.freePort("UDP"))
        var ports = HostPorts()
        let holder = try Spawn(
            ["/bin/sleep", "100"], environment: [],
            descriptors: [(own: ports.bind(kept), child: 3), (own: ports.bind(unwanted), child: 4)]
        ).start()
        defer {
            kill(holder, SIGKILL)
            waitpid(holder, nil, 0)
        }
        ports.releaseAll()
        var next = HostPorts()
        #expect(next.takeOver(from: holder) { $0 == kept } == [kept])
        #expect(throws: Never.self) { try next.bind(kept) }
        #expect(throws: SystemError.self) { try next.bind(unwanted) }
    }
}

/// `martlet-init hold --sockets`, without namespaces of its own.
@Suite(.timeLimit(.minutes(1))) struct SocketKeeperTests {
    private static func withHolder(_ body: (pid_t) async throws -> Void) async throws {
        let (ready, go) = (try makePipe(), try makePipe())
        let pid = try Spawn(
            [Products.path("martlet-init"), "hold", "--present", "--ready-fd", "3", "--await-go", "--sockets"],
            environment: [], descriptors: [(own: go.reader, child: 0), (own: ready.writer, child: 3)]
        ).start()
        ready.writer.close()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        let text = try await Blocking.run { () throws(SystemError) in try ready.reader.readToEnd() }
        #expect(String(decoding: text, as: UTF8.self) == "READY=1\n")
        try go.writer.write([1])
        try await body(pid)
    }

    private static func freeAddresses(_ count: Int) throws -> [HostPorts.Address] {
        var ports = HostPorts()
        return try (0..<count).map { index in
            let transport = index % 2 == 0 ? "TCP" : "UDP"
            let socket = try HostPorts.open(.init(address: "127.0.0.1", port: 0, transport: transport))
            let address = HostPorts.Address(
                address: "127.0.0.1", port: HostPorts.port(of: socket), transport: transport)
            _ = consume socket
            _ = try ports.bind(address)
            return address
        }
    }

    /// The next supervisor finds what its predecessor had, and what that released is free.
    @Test func socketsOutliveASupervisor() async throws {
        try await Self.withHolder { holder in
            let addresses = try Self.freeAddresses(5)
            var first = HostPorts()
            // Before and after there is a holder.
            for address in addresses[..<2] { _ = try first.bind(address) }
            try first.keep(by: holder)
            for address in addresses[2...] { _ = try first.bind(address) }
            first.release(addresses[0])
            first.release(addresses[3])
            first.releaseAll()
            var second = HostPorts()
            for address in addresses where ![addresses[0], addresses[3]].contains(address) {
                let error = #expect(throws: SystemError.self) { try second.bind(address) }
                #expect(error?.errno == EADDRINUSE)
            }
            try second.keep(by: holder)
            #expect(second.addresses == Set([addresses[1], addresses[2], addresses[4]]))
            for address in addresses { #expect(throws: Never.self) { try second.bind(address) } }
            // The two that were free are kept again.
            var third = HostPorts()
            try third.keep(by: holder)
            #expect(third.addresses == Set(addresses))
        }
    }

    /// Where the holder was killed, another one gets them all.
    @Test func anotherHolderGetsThemAll() async throws {
        let addresses = try Self.freeAddresses(3)
        var ports = HostPorts()
        try await Self.withHolder { first in
            try ports.keep(by: first)
            for address in addresses { _ = try ports.bind(address) }
        }
        ports.release(addresses[0])
        try await Self.withHolder { second in
            try ports.keep(by: second)
            var next = HostPorts()
            try next.keep(by: second)
            #expect(next.addresses == Set(addresses[1...]))
        }
    }

    @Test func aHolderWithoutSocketsIsToldApart() throws {
        let pid = try Spawn(["/bin/sleep", "100"], environment: []).start()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        #expect(throws: SystemError.self) { try SocketKeeper(of: pid) }
    }
}

@Suite struct AddressClaimTests {
    /// A number that no cluster and no other test claims.
    private static let preferred = 1000 + Int(getpid())

    @Test func twoClustersDoNotMeet() throws {
        let first = try AddressClaim(preferring: Self.preferred, heldBy: [])
        let second = try AddressClaim(preferring: Self.preferred, heldBy: [])
        #expect(first.octet == Self.preferred && second.octet != first.octet)
        #expect((16...250).contains(second.octet))
    }

    @Test func outlivesTheSupervisorWithAComponent() throws {
        let preferred = Self.preferred + 100_000_000
        var claim: AddressClaim? = try AddressClaim(preferring: preferred, heldBy: [])
        let holder = try Spawn(
            ["/bin/sleep", "100"], environment: [],
            descriptors: [(own: #require(claim?.descriptor), child: 3)]
        ).start()
        defer {
            kill(holder, SIGKILL)
            waitpid(holder, nil, 0)
        }
        claim = nil
        #expect(try AddressClaim(preferring: preferred, heldBy: []).octet != preferred)
        #expect(try AddressClaim(preferring: preferred, heldBy: [getpid(), holder]).octet == preferred)
    }
}

@Suite struct SupervisorLockTests {
    @Test func aClusterHasOneSupervisor() async throws {
        let cluster = try TestCluster()
        do {
            let lock = try SupervisorLock(cluster.paths)
            let error = #expect(throws: SupervisorError.self) { _ = try SupervisorLock(cluster.paths) }
            #expect(error?.description == "another supervisor runs cluster \"test\" already")
            _ = consume lock
        }
        // A child that another test is just starting has a copy of the descriptor until it executes its program.
        try await eventually("the lock is free") {
            _ = try SupervisorLock(cluster.paths)
            return true
        }
    }
}

@Suite struct TeardownTests {
    private static func sleeper(_ script: String = "exec sleep 1000") throws -> ProcessIdentity {
        let pid = try Spawn(["/bin/sh", "-c", script], environment: ["PATH=/usr/bin:/bin"]).start()
        return try #require(ProcessIdentity(pid: pid))
    }

    @Test func endsWhatItsPidFilesName() async throws {
        let cluster = try TestCluster()
        let teardown = Teardown(paths: cluster.paths, logger: TestCluster.quiet)
        let (component, stranger) = (try Self.sleeper(), try Self.sleeper())
        defer {
            stranger.signal(SIGKILL)
            waitpid(stranger.pid, nil, 0)
        }
        try cluster.write(component.description, to: cluster.paths.pidFile("control-plane"))
        // Another process that has the number of one that is dead.
        try cluster.write("\(stranger.pid) 1", to: cluster.paths.pidFile("node-agent-a"))
        try cluster.write("nonsense", to: cluster.paths.pidFile("service-proxy"))
        #expect(teardown.isAnythingRunning)
        await teardown.endProcesses(gracefully: false)
        #expect(!teardown.isAnythingRunning && !component.isRunning && stranger.isRunning)
        #expect(try cluster.names(cluster.paths.runtime).isEmpty)
    }

    @Test func removesItsOwnDirectoriesAlone() throws {
        let cluster = try TestCluster()
        let other = cluster.paths.stateParent + "/other"
        try Files.makeDirectory(other)
        try Teardown(paths: cluster.paths, logger: TestCluster.quiet).removeDirectories()
        #expect(!cluster.exists(cluster.paths.state) && cluster.exists(other))
        #expect(!cluster.exists(cluster.paths.runtimeParent), "the parent goes with its last cluster")
    }
}

@Suite struct DoctorTests {
    /// What is not all right has a consequence and a remedy, whatever the machine.
    @Test func everyLackHasARemedy() async throws {
        let findings = try await Doctor().examine()
        #expect(Set(findings.map(\.capability)).count == findings.count)
        #expect(
            findings.contains { $0.capability == "namespaces" } && findings.contains { $0.capability == "isolation" })
        for finding in findings {
            #expect(!finding.detail.isEmpty)
            #expect(finding.consequence.isEmpty == (finding.state == .available), "\(finding)")
            #expect(finding.remedy.isEmpty == (finding.state == .available), "\(finding)")
        }
        #expect((findings.first { $0.capability == "privileges" }?.state == .available) == (getuid() == 0))
    }
}

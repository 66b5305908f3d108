import Glibc
import KubernetesModel
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Networking

/// Services and endpoints that the API server would not accept, such as of a store that somebody else wrote.
struct HostileServiceTests {
    private static func keys(_ fragment: ServiceFragment) -> Set<String> { Set(fragment.elements.keys.map(\.key)) }

    /// Whoever had the traffic of the cluster's own addresses would be its name server, or its API.
    @Test(arguments: [
        "10.96.0.10", "10.96.0.1", "172.30.0.1", "172.30.0.2", "10.244.1.2", "127.0.0.1", "169.254.1.1", "0.0.0.0",
        "::ffff:10.96.0.10", "10.96.0.10 ; flush ruleset",
    ]) func noRuleTakesTheClustersOwnAddresses(_ address: String) {
        let service = makeService("names", clusterIP: "10.96.1.1", port: 53, ["externalIPs": [.string(address)]])
        let fragment = ServiceFragment(
            Service(service), slices: [EndpointSlice(makeSlice("names", ["10.244.1.9": .ready]))], node: "node-1")
        #expect(Self.keys(fragment) == ["10.96.1.1 . tcp . 53", "10.244.1.9 . 10.244.1.9"])
    }

    @Test func otherExternalAddressesHaveRules() {
        let service = makeService("web", clusterIP: "10.96.1.1", ["externalIPs": ["192.0.2.7"]])
        let fragment = ServiceFragment(
            Service(service), slices: [EndpointSlice(makeSlice("web", ["10.244.2.9": .ready]))], node: "node-1")
        #expect(Self.keys(fragment) == ["10.96.1.1 . tcp . 80", "192.0.2.7 . tcp . 80"])
    }

    @Test(arguments: ["10.96.0.10", "10.244.1.2", "192.0.2.1", "10.96.1.1 ; flush ruleset"])
    func onlyServiceAddressesAreTranslated(_ address: String) {
        #expect(
            ServiceFragment(Service(makeService("web", clusterIP: address)), slices: [], node: "node-1")
                == ServiceFragment())
    }

    @Test func onlyNodePortsAreTranslated() {
        var service = makeService("web", clusterIP: "10.96.1.1")
        service.spec["type"] = "NodePort"
        for port in [22, 29_999, 32_768, 65_536] {
            service.spec["ports"][0]["nodePort"] = JSON(port)
            #expect(
                Self.keys(ServiceFragment(Service(service), slices: [], node: "node-1")) == ["10.96.1.1 . tcp . 80"])
        }
    }

    /// Entries that no rule can lead to are passed over, and the others are served.
    @Test func endpointsThatCannotBeProgrammedArePassedOver() {
        var slice = makeSlice("web", ["10.244.1.9": .ready])
        slice["endpoints"] = .array(
            [
                "2001:db8::1", "10.244.1.9", "x", "", "10.244.1.300", "::ffff:10.244.1.8", "127.0.0.1", "0.0.0.0",
                "10.244.1.7 ; flush ruleset",
            ].map { ["addresses": [.string($0)]] } + [["addresses": []], [:]])
        let port = Service(makeService("web", clusterIP: "10.96.1.1")).ports[0]
        #expect(port.endpoints(in: [EndpointSlice(slice)]).map(\.address) == ["10.244.1.9"])
        #expect(EndpointSlice(slice).unusable.count == 10)
        for number in [0, -1, 65_536, 4_294_967_376] {
            slice["ports"][0]["port"] = JSON(number)
            #expect(port.endpoints(in: [EndpointSlice(slice)]).isEmpty)
        }
    }

    /// A second Service that says it has the address of the first gets nothing of its traffic.
    @Test func anAddressStaysWithItsService() async throws {
        let client = TestClient()
        let binder = RecordingBinder()
        let proxy = ServiceProxy(
            client: client, binder: binder, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        func put(_ name: String) {
            var service = makeService(name, clusterIP: "10.96.1.1")
            service.spec["type"] = "LoadBalancer"
            service.status = ["loadBalancer": ["ingress": [["ip": "127.16.0.1"]]]]
            client.put(.services, service)
        }
        put("first")
        let run = Task { await proxy.run { isReady.finish() } }
        defer { run.cancel() }
        for await _ in ready {}
        func served() async -> [String] { await proxy.listeners.values.map(\.service.name) }
        try await eventually("the first Service is served") { await served() == ["first"] }
        put("second")
        try await eventually("the second one is refused") {
            await proxy.faults.map { ($0.key.service.name, $0.value.contains("default/first is served there")) }
                .contains { $0 == ("second", true) }
        }
        #expect(await served() == ["first"] && binder.bound.count == 1)
        client.remove(.services, ObjectKey(namespace: "default", name: "first"))
        try await eventually("the second Service has the address") { await served() == ["second"] }
    }
}

private final class RecordingBinder: HostBinder {
    private let addresses = Mutex<[HostAddress]>([])

    var bound: [HostAddress] { addresses.withLock { $0 } }

    func bind(_ address: HostAddress) async throws -> SharedDescriptor {
        addresses.withLock { $0.append(address) }
        let socket = try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let listens = socket.withRawValue { number in
            withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(number, 8) == 0
                }
            }
        }
        try #require(listens)
        return SharedDescriptor(socket)
    }

    func retain(_ wanted: Set<HostAddress>) async {}

    func release(_ address: HostAddress) async { addresses.withLock { $0.removeAll { $0 == address } } }
}

import Addresses
import KubernetesModel
import Testing

@testable import Networking

struct BalancerTests {
    private static let three = (1...3).map { Balancer.Backend(address: IPv4Address(10, 244, 1, UInt8($0)), port: 80) }

    @Test func takesEndpointsInTurn() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: nil)
        let first = (0..<6).compactMap { _ in balancer.choose(client: AddressPlan.loopback, now: .now).first }
        #expect(Dictionary(grouping: first) { $0 }.values.allSatisfy { $0.count == 2 })
    }

    @Test func offersAllEndpointsInCaseOneIsGone() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: nil)
        #expect(Set(balancer.choose(client: AddressPlan.loopback, now: .now)) == Set(Self.three))
    }

    @Test func keepsAClientWithItsEndpointUntilTheTimeout() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: .seconds(10))
        let begin = ContinuousClock.now
        let chosen = balancer.choose(client: IPv4Address(1), now: begin)[0]
        #expect(balancer.choose(client: IPv4Address(2), now: begin)[0] != chosen)
        #expect(balancer.choose(client: IPv4Address(1), now: begin + .seconds(9))[0] == chosen)
        #expect(balancer.choose(client: IPv4Address(1), now: begin + .seconds(18))[0] == chosen)
        balancer.update(backends: Self.three.filter { $0 != chosen }, affinityTimeout: .seconds(10))
        #expect(balancer.choose(client: IPv4Address(1), now: begin + .seconds(19))[0] != chosen)
    }
}

struct HostListenerTests {
    private func service(_ type: String) -> Service {
        var object = Object(.services, namespace: "default", name: "web")
        object.spec = [
            "type": .string(type),
            "ports": [["name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080, "nodePort": 30080]],
        ]
        if type == "LoadBalancer" { object.status = ["loadBalancer": ["ingress": [["ip": "127.16.0.1"]]]] }
        return Service(object)
    }

    private func slice(_ endpoints: [(address: String, ready: Bool, serving: Bool, terminating: Bool)]) -> EndpointSlice
    {
        var object = Object(.endpointSlices, namespace: "default", name: "web-1")
        object["addressType"] = "IPv4"
        object["ports"] = [["name": "http", "protocol": "TCP", "port": 8080]]
        object["endpoints"] = .array(
            endpoints.map {
                [
                    "addresses": [.string($0.address)],
                    "conditions": [
                        "ready": .bool($0.ready), "serving": .bool($0.serving), "terminating": .bool($0.terminating),
                    ],
                ]
            })
        return EndpointSlice(object)
    }

    @Test(arguments: [
        ("ClusterIP", [String]()), ("NodePort", ["127.0.0.1:30080/TCP"]),
        ("LoadBalancer", ["127.16.0.1:80/TCP", "127.0.0.1:30080/TCP"]),
    ])
    func listensByTheServicesType(type: String, addresses: [String]) {
        let listeners = HostListener.of(service(type), slices: [])
        #expect(listeners.map(\.address.description) == addresses)
    }

    /// The network reaches what is open to it, unless a Service asks for less; it cannot have more bound than is open.
    @Test(
        arguments: [
            ("LoadBalancer", nil, ["192.0.2.7:80", "192.0.2.8:80", "192.0.2.7:30080", "192.0.2.8:30080"]),
            ("NodePort", nil, ["192.0.2.7:30080", "192.0.2.8:30080"]), ("ClusterIP", nil, []),
            ("LoadBalancer", "none", []), ("LoadBalancer", "192.0.2.8", ["192.0.2.8:80", "192.0.2.8:30080"]),
        ] as [(String, String?, [String])])
    func listensWhereTheNetworkReachesIt(_ type: String, _ annotation: String?, _ addresses: [String]) {
        var object = service(type).object
        if let annotation { object.setAnnotations(["martlet.dev/listen-address": annotation]) }
        let listeners = HostListener.of(
            Service(object), slices: [], listenAddresses: ["192.0.2.7", "192.0.2.8"])
        let open = listeners.filter { !$0.address.address.hasPrefix("127.") }.map {
            "\($0.address.address):\($0.address.port)"
        }
        #expect(open == addresses)
    }

    @Test func sendsToReadyEndpointsOnly() {
        let slice = slice([
            ("10.0.0.1", true, true, false), ("10.0.0.2", false, true, true), ("10.0.0.3", false, false, false),
        ])
        #expect(
            HostListener.of(service("NodePort"), slices: [slice])[0].backends.map(\.address.description) == ["10.0.0.1"]
        )
    }

    @Test func sendsToEndingEndpointsWhereNoneIsReady() {
        let slice = slice([("10.0.0.2", false, true, true), ("10.0.0.3", false, false, true)])
        #expect(
            HostListener.of(service("NodePort"), slices: [slice])[0].backends.map(\.address.description) == ["10.0.0.2"]
        )
    }
}

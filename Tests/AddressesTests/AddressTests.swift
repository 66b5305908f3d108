import Addresses
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("10.244.1.1", 0x0af4_0101 as UInt32?), ("255.255.255.255", 0xffff_ffff), ("0.0.0.0", 0), ("1.2.3", nil),
        ("1.2.3.4.5", nil), ("1.2.3.256", nil), ("1.2.3.+4", nil), ("", nil), ("1..3.4", nil), ("1.2.3.4 ", nil),
        ("01.2.3.4", nil), ("1.2.3.00", nil), ("1.2.3.-4", nil), ("1.2.3.4444", nil), ("1.2.3.4\0", nil),
        ("::1", nil), ("1.2.3.٤", nil),
    ]) func parsesIPv4(text: String, value: UInt32?) {
        #expect(IPv4Address(text)?.value == value)
        if value != nil { #expect(IPv4Address(text)?.description == text) }
    }

    @Test func aNetworkContainsWhatHasItsPrefix() {
        let network = IPv4Network(IPv4Address(10, 96, 0, 0), prefix: 16)
        #expect(network.description == "10.96.0.0/16")
        #expect(network.count == 65536)
        #expect(network.contains(IPv4Address(10, 96, 255, 255)))
        #expect(!network.contains(IPv4Address(10, 97, 0, 0)))
        #expect(!network.contains(IPv4Address(10, 95, 255, 255)))
    }
}

@Suite struct IPAddressTests {
    @Test(
        arguments: [
            ("10.0.0.1", [10, 0, 0, 1]), ("::ffff:10.0.0.1", [10, 0, 0, 1]),
            ("::1", Array(repeating: 0, count: 15) + [1]),
            ("010.0.0.1", nil), ("10.0.0", nil), ("10.0.0.256", nil), ("10.0.0.1\0", nil), ("", nil), ("::g", nil),
            ("1:2", nil), ("fe80::1%eth0", nil), ("::1\0", nil),
            (" 10.0.0.1", nil),
        ] as [(String, [UInt8]?)])
    func reads(_ text: String, _ bytes: [UInt8]?) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        ("0.0.0.0", "unspecified"), ("::", "unspecified"), ("127.0.0.1", "loopback"), ("127.255.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"), ("fe80::1", "link-local"), ("febf::1", "link-local"), ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"), ("ff12::1", "multicast"), ("10.0.0.1", ""), ("fec0::1", ""), ("224.0.1.1", ""),
        ("ff05::1", ""),
    ]) func knowsWhatEndpointsMayNotHave(_ text: String, _ kind: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.isUnspecified == (kind == "unspecified"))
        #expect(address.isLoopback == (kind == "loopback"))
        #expect(address.isLinkLocal == (kind == "link-local"))
        #expect(address.isLinkLocalMulticast == (kind == "multicast"))
    }
}

@Suite struct AddressPlanTests {
    @Test(arguments: [
        (1, "172.30.0.2", "10.244.1.0/24", "10.244.1.1"), (250, "172.30.0.251", "10.244.250.0/24", "10.244.250.1"),
    ]) func aNodesAddresses(index: Int, node: String, pods: String, gateway: String) {
        #expect(AddressPlan.node(index).description == node)
        #expect(AddressPlan.pods(ofNode: index).description == pods)
        #expect(AddressPlan.podGateway(ofNode: index).description == gateway)
        #expect(AddressPlan.pods.contains(AddressPlan.podGateway(ofNode: index)))
        #expect(AddressPlan.nodes.contains(AddressPlan.node(index)))
    }

    @Test func whatHasAFixedAddressIsInItsNetwork() {
        #expect(AddressPlan.services.contains(AddressPlan.kubernetes))
        #expect(AddressPlan.services.contains(AddressPlan.dns))
        #expect(AddressPlan.nodes.contains(AddressPlan.apiServer))
        #expect(AddressPlan.loadBalancers(octet: 16).description == "127.16.0.0/16")
    }

    /// Neither the control plane nor the way out of the cluster is to be reached through the API server.
    @Test(arguments: [
        ("10.244.1.2", true), ("172.30.0.2", true), ("172.30.0.1", false), ("172.30.255.2", false),
        ("172.30.255.100", false), ("192.0.2.1", false), ("127.0.0.1", false), ("10.96.0.10", false),
    ]) func whatUsersReachThroughTheAPI(_ text: String, _ isReachable: Bool) throws {
        #expect(AddressPlan.isReachableForUsers(try #require(IPv4Address(text))) == isReachable)
    }

    @Test(arguments: [
        "0.0.0.0", "127.0.0.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.251",
        "255.255.255.255", "10.96.1.1", "10.244.9.9", "172.30.0.9", "172.30.255.2",
    ]) func whatNoPacketLeavesTo(_ text: String) throws {
        let address = try #require(IPv4Address(text))
        #expect(AddressPlan.neverOutside.contains { $0.contains(address) })
    }

    @Test func noNodeIsOnTheWayOut() {
        #expect(!AddressPlan.egress.contains(AddressPlan.node(AddressPlan.nodeIndexes.upperBound)))
        #expect(AddressPlan.nodes.contains(AddressPlan.egress.base))
    }
}

import Addresses
import KubernetesModel

/// `[scheme:]name[:port]`, as a path to a `proxy` has it.
struct ProxyTarget: Sendable, Equatable {
    let scheme: String
    let name: String
    let port: String

    /// - Parameter resource: the kind of object in the singular, for the error.
    /// - Throws: `BadRequest` for any other text: it would become a part of an address.
    init(_ text: String, _ resource: String) throws(Status) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: (scheme, name, port) = ("", parts[0], "")
        case 2: (scheme, name, port) = ("", parts[0], parts[1])
        case 3: (scheme, name, port) = (parts[0], parts[1], parts[2])
        default: throw Self.fault(text, resource)
        }
        guard ["", "http", "https"].contains(scheme), !name.isEmpty, Self.isPort(port) else {
            throw Self.fault(text, resource)
        }
    }

    /// A number, or the name of a Service's port.
    private static func isPort(_ text: String) -> Bool {
        if text.isEmpty { return true }
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            return Int(text).map { (1...65_535).contains($0) } ?? false
        }
        return Names.label(text).isEmpty
    }

    private static func fault(_ text: String, _ resource: String) -> Status {
        .badRequest("invalid \(resource) request \"\(text)\"")
    }

    var portNumber: Int? { Int(port) }
}

/// Where a request may be forwarded: an address that the cluster's plan gives to pods or nodes, never one that serves
/// the cluster itself. What objects say of addresses is what their writers say.
struct ProxyAddress: Sendable, Equatable, CustomStringConvertible {
    let address: IPv4Address
    let port: Int

    private init(_ address: IPv4Address, _ port: Int) throws(Status) {
        guard (1...65_535).contains(port) else { throw .badRequest("invalid port \(port)") }
        self.address = address
        self.port = port
    }

    var description: String { "\(address):\(port)" }

    private static let fault = Status.badRequest("address not allowed")

    /// - Parameter node: the pod's node; nil where it does not exist.
    static func of(pod: Pod, node: Node?, port: Int) throws(Status) -> ProxyAddress {
        guard let text = pod.podIP else {
            throw .badRequest("address not allowed: pod \(pod.object.name) has no IP yet")
        }
        guard let address = IPv4Address(text), let network = node?.podCIDR,
            let index = AddressPlan.nodeIndex(ofPodNetwork: network)
        else { throw fault }
        let isOwn =
            pod.hostNetwork ? address == AddressPlan.node(index) : AddressPlan.pods(ofNode: index).contains(address)
        guard isOwn else { throw fault }
        return try ProxyAddress(address, port)
    }

    static func of(endpoint text: String, port: Int) throws(Status) -> ProxyAddress {
        guard let address = IPv4Address(text), AddressPlan.isReachableForUsers(address) else { throw fault }
        return try ProxyAddress(address, port)
    }

    static func of(node text: String, port: Int) throws(Status) -> ProxyAddress {
        guard let address = IPv4Address(text), AddressPlan.nodes.contains(address) else { throw fault }
        return try of(endpoint: text, port: port)
    }
}

import APIClient
import Addresses
import KubernetesModel
import Synchronization

/// Where one port of a Service is served.
struct ServiceEndpoint: Sendable, Hashable, Comparable {
    let address: String
    let port: Int
    /// The node on which it runs, where that is known.
    let nodeName: String?

    /// Nil for what no rule can lead to. The API server accepts no such entry; one that is there nevertheless, of
    /// whatever origin, must not hold up the others.
    init?(_ endpoint: EndpointSlice.Endpoint, port: Int?) {
        guard let port, (1...65_535).contains(port), let text = endpoint.addresses.first, IPv4Address(text) != nil,
            let address = IPAddress(text), !address.isUnspecified, !address.isLoopback, !address.isLinkLocal
        else { return nil }
        self.init(address: text, port: port, nodeName: endpoint.nodeName)
    }

    init(address: String, port: Int, nodeName: String?) {
        self.address = address
        self.port = port
        self.nodeName = nodeName
    }

    static func < (left: ServiceEndpoint, right: ServiceEndpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

extension Service.Port {
    /// The endpoints that take traffic: the ready ones, or where there are none those that still serve while they
    /// end (KEP-1669). In order, each once.
    ///
    /// - Parameter node: counts only the endpoints of this node.
    func endpoints(in slices: [EndpointSlice], onNode node: String? = nil) -> [ServiceEndpoint] {
        func collect(_ suits: (EndpointSlice.Endpoint) -> Bool) -> [ServiceEndpoint] {
            var found: [String: ServiceEndpoint] = [:]
            for slice in slices where slice.addressType == "IPv4" {
                let matching = slice.ports.first { $0.name == name && $0.transport == transport }
                guard let matching else { continue }
                for endpoint in slice.endpoints where suits(endpoint) && (node == nil || endpoint.nodeName == node) {
                    guard let target = ServiceEndpoint(endpoint, port: matching.port) else { continue }
                    found["\(target.address):\(target.port)"] = target
                }
            }
            return found.values.sorted()
        }
        let ready = collect { $0.isReady }
        return ready.isEmpty ? collect { $0.isServing && $0.isTerminating } : ready
    }
}

extension EndpointSlice {
    /// What of a slice cannot be programmed, for the log.
    var unusable: [String] {
        guard addressType == "IPv4" else { return [] }
        return ports.flatMap { port in
            endpoints.filter { ServiceEndpoint($0, port: port.port) == nil }.map {
                "\(object.key): \($0.addresses.first ?? "no address") port \(port.port.map(String.init) ?? "none")"
            }
        }
    }
}

/// The EndpointSlices that there are, by the Service they belong to. Kept current by an informer's handler.
final class SlicesByService: Sendable {
    private let slices = Mutex<[ObjectKey: [String: EndpointSlice]]>([:])

    /// Follows `informer`, which does not run yet; `changed` is called after each change.
    init(_ informer: Informer, changed: @escaping @Sendable (ObjectKey) -> Void) {
        informer.addHandler { [weak self] change in
            guard let self else { return }
            for key in self.apply(change) { changed(key) }
        }
    }

    func slices(of service: ObjectKey) -> [EndpointSlice] {
        slices.withLock { $0[service].map { Array($0.values) } ?? [] }
    }

    private func apply(_ change: Change) -> Set<ObjectKey> {
        slices.withLock { slices in
            var touched: Set<ObjectKey> = []
            func remove(_ object: Object) {
                guard let key = Self.service(of: object) else { return }
                slices[key]?[object.name] = nil
                if slices[key]?.isEmpty == true { slices[key] = nil }
                touched.insert(key)
            }
            func add(_ object: Object) {
                guard let key = Self.service(of: object) else { return }
                slices[key, default: [:]][object.name] = EndpointSlice(object)
                touched.insert(key)
            }
            switch change {
            case .added(let object): add(object)
            case .updated(let old, let new):
                if Self.service(of: old) != Self.service(of: new) { remove(old) }
                add(new)
            case .deleted(let object): remove(object)
            }
            return touched
        }
    }

    private static func service(of slice: Object) -> ObjectKey? {
        slice.labels[EndpointSlice.serviceNameLabel].map { ObjectKey(namespace: slice.namespace, name: $0) }
    }
}

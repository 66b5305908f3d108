import APIClient
import Addresses
import KubernetesModel

/// What the cluster's names resolve to: Kubernetes' DNS-based service discovery, version 1.1.0.
struct ClusterZone: Sendable {
    enum Answer: Sendable, Hashable {
        case records([DNSMessage.Record], additional: [DNSMessage.Record] = [])
        /// The name exists, with no record of that type.
        case noData
        case noSuchName
        /// Not a name of the cluster: somebody else knows.
        case elsewhere
        /// An alias of a name that somebody else knows.
        case alias(DNSMessage.Record, target: [String])
    }

    private typealias Record = DNSMessage.Record

    let domain: [String]
    let services: Informer
    let slices: Informer
    let namespaces: Informer
    /// The host's address within the cluster; nil where pods do not reach it.
    let host: IPv4Address?

    static let ttl: UInt32 = 5
    private static let hostNames = AddressPlan.hostNames.map { $0.split(separator: ".").map(String.init) }
    static let byService = "service"
    static let byAddress = "address"

    init(client: any Client, domain: String, host: IPv4Address? = nil) {
        self.host = host
        self.domain = domain.split(separator: ".").map(String.init)
        services = Informer(
            client, .services, indexes: [Self.byAddress: { Service($0).clusterIP.map { [$0] } ?? [] }])
        slices = Informer(
            client, .endpointSlices,
            indexes: [
                Self.byService: { slice in
                    slice.labels[EndpointSlice.serviceNameLabel].map { ["\(slice.namespace)/\($0)"] } ?? []
                },
                Self.byAddress: { EndpointSlice($0).endpoints.flatMap(\.addresses) },
            ])
        namespaces = Informer(client, .namespaces)
    }

    func answer(_ question: DNSMessage.Question) -> Answer {
        let name = question.name
        if Self.hostNames.contains(name) {
            // Nobody outside knows them, and what they mean elsewhere is no concern of this cluster.
            guard let host else { return .noSuchName }
            return only(question, [Record(name: name, ttl: Self.ttl, value: .a(host.description))])
        }
        if name.suffix(2) == ["in-addr", "arpa"] { return reverse(question) }
        guard name.count >= domain.count, Array(name.suffix(domain.count)) == domain else { return .elsewhere }
        let rest = Array(name.dropLast(domain.count))
        guard let last = rest.last else { return only(question, [authority]) }
        switch last {
        case "svc": return service(question, Array(rest.dropLast()))
        case "pod": return pod(question, Array(rest.dropLast()))
        case "dns-version" where rest.count == 1:
            return only(question, [Record(name: name, ttl: Self.ttl, value: .txt("1.1.0"))])
        default: return .noSuchName
        }
    }

    /// The record that negative answers carry, so that they are remembered for a moment only.
    var authority: DNSMessage.Record {
        DNSMessage.Record(
            name: domain, ttl: Self.ttl,
            value: .soa(
                primary: ["ns", "dns"] + domain, mailbox: ["hostmaster"] + domain, serial: 1, minimum: Self.ttl))
    }

    private func only(_ question: DNSMessage.Question, _ records: [DNSMessage.Record]) -> Answer {
        let suiting = records.filter {
            question.type == DNSMessage.RecordType.any || question.type == $0.type
        }
        return suiting.isEmpty ? .noData : .records(suiting)
    }

    // MARK: Services

    private func service(_ question: DNSMessage.Question, _ labels: [String]) -> Answer {
        guard let namespace = labels.last else { return .noData }
        guard labels.count >= 2 else { return namespaces.get(namespace) == nil ? .noSuchName : .noData }
        let key = ObjectKey(namespace: namespace, name: labels[labels.count - 2])
        guard let object = services.get(key) else { return .noSuchName }
        let service = Service(object)
        let own = Array(labels.dropLast(2))
        switch own.count {
        case 0: return whole(question, service)
        case 1: return endpoint(question, service, hostname: own[0])
        case 2 where own[0].hasPrefix("_") && own[1].hasPrefix("_"):
            return ports(question, service, port: String(own[0].dropFirst()), transport: String(own[1].dropFirst()))
        default: return .noSuchName
        }
    }

    private func whole(_ question: DNSMessage.Question, _ service: Service) -> Answer {
        if service.type == "ExternalName", let target = service.externalName {
            let labels = target.lowercased().split(separator: ".").map(String.init)
            let alias = Record(name: question.name, ttl: Self.ttl, value: .cname(labels))
            return question.type == DNSMessage.RecordType.cname ? .records([alias]) : .alias(alias, target: labels)
        }
        if let address = service.clusterIP {
            return only(question, [Record(name: question.name, ttl: Self.ttl, value: .a(address))])
        }
        let addresses = Set(endpoints(of: service).map(\.address)).sorted()
        guard !addresses.isEmpty else { return .noSuchName }
        return only(question, addresses.map { Record(name: question.name, ttl: Self.ttl, value: .a($0)) })
    }

    private func endpoint(_ question: DNSMessage.Question, _ service: Service, hostname: String) -> Answer {
        guard service.isHeadless else { return .noSuchName }
        let addresses = Set(endpoints(of: service).filter { $0.hostname == hostname }.map(\.address)).sorted()
        guard !addresses.isEmpty else { return .noSuchName }
        return only(question, addresses.map { Record(name: question.name, ttl: Self.ttl, value: .a($0)) })
    }

    private func ports(
        _ question: DNSMessage.Question, _ service: Service, port: String, transport: String
    ) -> Answer {
        let base = name(of: service)
        var targets: [(name: [String], port: Int, address: String)] = []
        if let address = service.clusterIP {
            for own in service.ports where own.name == port && own.transport.lowercased() == transport {
                targets.append((base, own.port, address))
            }
        } else {
            for endpoint in endpoints(of: service) {
                for own in endpoint.ports where own.name == port && own.transport.lowercased() == transport {
                    guard let number = own.port else { continue }
                    targets.append(([endpoint.hostname] + base, number, endpoint.address))
                }
            }
        }
        // As CoreDNS has it: all share one hundred.
        let weight = UInt16(max(1, 100 / max(1, targets.count)))
        let records = targets.map { target in
            Record(
                name: question.name, ttl: Self.ttl,
                value: .srv(
                    priority: 0, weight: weight, port: UInt16(clamping: target.port), target: target.name))
        }
        let additional = targets.map { Record(name: $0.name, ttl: Self.ttl, value: .a($0.address)) }
        guard !records.isEmpty else { return .noSuchName }
        guard case .records(let suiting, _) = only(question, records) else { return .noData }
        return .records(suiting, additional: additional)
    }

    private struct NamedEndpoint {
        let address: String
        /// The pod's hostname where it has one, else its address with dashes.
        let hostname: String
        let ports: [EndpointSlice.Port]
    }

    private func endpoints(of service: Service) -> [NamedEndpoint] {
        slices.list(index: Self.byService, service.object.key.description).map(EndpointSlice.init).flatMap { slice in
            slice.endpoints.filter(\.isReady).flatMap { endpoint in
                // Clusters here have IPv4 only.
                endpoint.addresses.filter { IPv4Address($0) != nil }.map {
                    NamedEndpoint(address: $0, hostname: Self.hostname(endpoint, $0), ports: slice.ports)
                }
            }
        }
    }

    private static func hostname(_ endpoint: EndpointSlice.Endpoint, _ address: String) -> String {
        endpoint.hostname ?? String(address.map { $0 == "." ? "-" : $0 })
    }

    private func name(of service: Service) -> [String] {
        [service.object.name, service.object.namespace, "svc"] + domain
    }

    // MARK: Pods and addresses

    private func pod(_ question: DNSMessage.Question, _ labels: [String]) -> Answer {
        guard let namespace = labels.last, namespaces.get(namespace) != nil else { return .noSuchName }
        guard labels.count == 2 else { return labels.count == 1 ? .noData : .noSuchName }
        let parts = labels[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return .noSuchName }
        return only(
            question, [Record(name: question.name, ttl: Self.ttl, value: .a(parts.joined(separator: ".")))])
    }

    private func reverse(_ question: DNSMessage.Question) -> Answer {
        let parts = question.name.dropLast(2)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return .elsewhere }
        let address = parts.reversed().joined(separator: ".")
        func answer(_ targets: [[String]]) -> Answer {
            only(question, targets.map { Record(name: question.name, ttl: Self.ttl, value: .ptr($0)) })
        }
        if let service = services.list(index: Self.byAddress, address).first {
            return answer([name(of: Service(service))])
        }
        var targets: [[String]] = []
        for slice in slices.list(index: Self.byAddress, address).map(EndpointSlice.init) {
            guard let owner = slice.serviceName else { continue }
            for endpoint in slice.endpoints where endpoint.addresses.contains(address) {
                let name = [Self.hostname(endpoint, address), owner, slice.object.namespace, "svc"] + domain
                if !targets.contains(name) { targets.append(name) }
            }
        }
        if !targets.isEmpty { return answer(targets) }
        let isOurs =
            IPv4Address(address).map { AddressPlan.services.contains($0) || AddressPlan.pods.contains($0) } ?? false
        return isOurs ? .noSuchName : .elsewhere
    }
}

import Addresses
import Kinds
import KubernetesModel

/// The addresses and node ports of Services, through every change of type.
struct ServiceAllocator: Allocator {
    let allocation: ServiceAllocation

    func allocate(for service: inout Object, old: Object?) async throws(Status) {
        do {
            try await allocateAddress(&service)
            try await allocatePorts(&service, old: old)
        } catch {
            await allocation.release(service.key, keeping: old)
            throw error
        }
    }

    func settle(_ key: ObjectKey, as kept: Object?) async {
        await allocation.release(key, keeping: kept)
    }

    private func type(of service: Object) -> String { Service(service).type }

    private func allocateAddress(_ service: inout Object) async throws(Status) {
        guard type(of: service) != "ExternalName" else {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
                service.spec[field] = .null
            }
            return
        }
        let wanted =
            service.spec["clusterIP"].string.flatMap { $0.isEmpty ? nil : $0 }
            ?? service.spec["clusterIPs"][0].string
        if wanted == "None" {
            setAddress("None", &service)
            return
        }
        if let wanted, !wanted.isEmpty {
            try await claim(wanted, service)
            setAddress(wanted, &service)
            return
        }
        guard let address = await allocation.anyAddress(for: service.key) else {
            throw .internalError("failed to allocate a serviceIP: range is full")
        }
        setAddress(address.description, &service)
    }

    private func claim(_ text: String, _ service: Object) async throws(Status) {
        func refusal(_ why: String) -> Status {
            .invalid(
                .services, service.name,
                [FieldError(.invalid, "spec.clusterIPs", value: .array([.string(text)]), detail: why)])
        }
        guard let address = IPv4Address(text), AddressPlan.services.contains(address) else {
            throw refusal(
                "failed to allocate IP \(text): the provided IP (\(text)) is not in the valid range. The range of "
                    + "valid IPs is \(AddressPlan.services)")
        }
        guard await allocation.claim(address, for: service.key) else {
            throw refusal("failed to allocate IP \(text): provided IP is already allocated")
        }
    }

    private func setAddress(_ address: String, _ service: inout Object) {
        service.spec["clusterIP"] = .string(address)
        service.spec["clusterIPs"] = [.string(address)]
        if service.spec["ipFamilies"].isNull { service.spec["ipFamilies"] = ["IPv4"] }
        if service.spec["ipFamilyPolicy"].isNull { service.spec["ipFamilyPolicy"] = "SingleStack" }
        if service.spec["internalTrafficPolicy"].isNull { service.spec["internalTrafficPolicy"] = "Cluster" }
    }

    private func allocatePorts(_ service: inout Object, old: Object?) async throws(Status) {
        let external = ["NodePort", "LoadBalancer"].contains(type(of: service))
        if !external {
            for field in ["healthCheckNodePort", "allocateLoadBalancerNodePorts"] { service.spec[field] = .null }
            // A change of type clears what only the former type had; what a client sets itself is validated.
            let policy = "externalTrafficPolicy"
            if service.spec["externalIPs"].items.isEmpty, service.spec[policy] == old?.spec[policy] {
                service.spec[policy] = .null
            }
        }
        if type(of: service) == "LoadBalancer", service.spec["allocateLoadBalancerNodePorts"].isNull {
            service.spec["allocateLoadBalancerNodePorts"] = true
        }
        var ports = service.spec["ports"].items
        for index in ports.indices {
            let number = ports[index]["nodePort"].int ?? 0
            let name = ports[index]["protocol"].string ?? "TCP"
            if number > 0, external {
                try await claimPort(number, name, index, service)
            } else if Service(service).usesNodePorts {
                guard let free = await allocation.anyPort(name, for: service.key) else {
                    throw .internalError("failed to allocate a nodePort: range is full")
                }
                ports[index]["nodePort"] = JSON(free)
            } else {
                ports[index]["nodePort"] = .null
            }
        }
        if !ports.isEmpty { service.spec["ports"] = .array(ports) }
    }

    private func claimPort(_ number: Int, _ name: String, _ index: Int, _ service: Object) async throws(Status) {
        func refusal(_ why: String) -> Status {
            .invalid(
                .services, service.name,
                [FieldError(.invalid, "spec.ports[\(index)].nodePort", value: JSON(number), detail: why)])
        }
        guard ServiceAllocation.ports.contains(number) else {
            throw refusal("provided port is not in the valid range. The range of valid ports is 30000-32767")
        }
        guard await allocation.claim(.init(port: number, protocolName: name), for: service.key) else {
            throw refusal("provided port is already allocated")
        }
    }
}

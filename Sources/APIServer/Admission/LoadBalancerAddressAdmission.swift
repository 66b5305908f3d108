import Addresses
import KubernetesModel
import Store

/// `LoadBalancerAddress`: keeps the addresses at which the host reaches LoadBalancer Services within the cluster's range.
///
/// What a Service's status says is bound in the host's namespace. Loopback addresses outside of the range are other
/// clusters' and other programs', and one that another Service has is that Service's.
struct LoadBalancerAddressAdmission: ValidatingAdmissionPlugin {
    let name = "LoadBalancerAddress"
    let network: IPv4Network
    let store: any Store

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        type == .services && (operation == .create || operation == .update)
            && (subresource == nil || subresource == "status")
    }

    func validate(_ attributes: AdmissionAttributes) throws(Status) {
        let (service, old) = (attributes.object, attributes.oldObject)
        var errors: [FieldError] = []
        let wanted = service.spec["loadBalancerIP"]
        if wanted != old?.spec["loadBalancerIP"] ?? .null, let error = rangeFault(wanted, "spec.loadBalancerIP") {
            errors.append(error)
        }
        let assigned = service.status["loadBalancer"]["ingress"]
        if assigned != old?.status["loadBalancer"]["ingress"] ?? .null {
            errors += faults(assigned.items, of: service)
        }
        guard errors.isEmpty else { throw .invalid(.services, service.name, errors) }
    }

    private func faults(_ ingress: [JSON], of service: Object) -> [FieldError] {
        guard !ingress.isEmpty else { return [] }
        let path = "status.loadBalancer.ingress"
        if service.spec["type"] != "LoadBalancer" {
            return [FieldError(.forbidden, path, detail: "may only be used when `spec.type` is \"LoadBalancer\"")]
        }
        let others = store.objects(.services).filter { $0.key != service.key }
        return ingress.enumerated().compactMap { index, entry in
            let address = entry["ip"]
            guard let text = address.string, !text.isEmpty else { return nil }
            let at = "\(path)[\(index)].ip"
            if IPAddress(text) == nil {
                return FieldError(
                    .invalid, at, value: address,
                    detail: "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
            }
            if let error = rangeFault(address, at) { return error }
            guard let owner = others.first(where: { Service($0).ingressAddresses.contains(text) }) else { return nil }
            return FieldError(
                .invalid, at, value: address,
                detail: "is the address of Service \"\(owner.name)\" in namespace \"\(owner.namespace)\"")
        }
    }

    /// Addresses that are none of the host's own are other controllers' affair.
    private func rangeFault(_ value: JSON, _ path: String) -> FieldError? {
        guard let text = value.string, let address = IPAddress(text), address.isLoopback || address.isUnspecified,
            !(address.ipv4.map(network.contains) ?? false)
        else { return nil }
        return FieldError(
            .invalid, path, value: value,
            detail: "must be in this cluster's range of LoadBalancer addresses, \(network)")
    }
}

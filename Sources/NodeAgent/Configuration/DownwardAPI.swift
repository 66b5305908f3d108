import KubernetesModel

/// The fields of a pod that its own containers can read (`fieldRef`, `resourceFieldRef`).
struct DownwardAPI: Sendable {
    let pod: Object
    let address: String?
    let hostAddress: String
    /// The node's, which stands for a limit that is not set.
    let allocatable: ResourceList

    struct UnsupportedField: Error, CustomStringConvertible {
        let description: String
    }

    func field(_ path: String) throws -> String {
        if let key = subscriptKey(path, "metadata.labels") { return pod.labels[key] ?? "" }
        if let key = subscriptKey(path, "metadata.annotations") { return pod.annotations[key] ?? "" }
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        case "metadata.labels": return Self.lines(pod.labels)
        case "metadata.annotations": return Self.lines(pod.annotations)
        case "spec.nodeName": return pod.spec["nodeName"].string ?? ""
        case "spec.serviceAccountName": return Pod(pod).serviceAccountName
        case "status.hostIP", "status.hostIPs": return hostAddress
        case "status.podIP", "status.podIPs": return address ?? ""
        default: throw UnsupportedField(description: "unsupported fieldPath: \(path)")
        }
    }

    private func subscriptKey(_ path: String, _ map: String) -> String? {
        guard path.hasPrefix(map + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(map.count + 2).dropLast(2))
    }

    /// `key="value"` lines, sorted, as a downward API volume has them.
    private static func lines(_ map: [String: String]) -> String {
        map.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSON.string($0.value))" }.joined(separator: "\n")
    }

    func resource(_ reference: JSON, container name: String) throws -> String {
        let wanted = reference["containerName"].string ?? name
        let all = pod.spec["containers"].items + pod.spec["initContainers"].items
        guard let container = all.first(where: { $0["name"].string == wanted }).map(Container.init) else {
            throw UnsupportedField(description: "container \(wanted) not found")
        }
        let resource = reference["resource"].string ?? ""
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, ["limits", "requests"].contains(parts[0]) else {
            throw UnsupportedField(description: "unsupported container resource : \(resource)")
        }
        let amount =
            parts[0] == "limits"
            ? container.limits[parts[1]] ?? allocatable[parts[1]]
            : container.requests[parts[1]] ?? container.limits[parts[1]]
        let divisor = Quantity(reference["divisor"]).flatMap { $0.isZero ? nil : $0 } ?? Quantity(1)
        return String((amount ?? .zero).quotient(roundedUpBy: divisor))
    }
}

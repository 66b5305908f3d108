import APIMachinery
import KubernetesModel

extension Kind {
    static let apiService = Kind(
        Group(
            "apiregistration.k8s.io", "v1",
            definitions: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1."
        ).row("apiservices", "APIService", namespaced: false, isExtension: true, status: true),
        defaults: { $0.json["spec"].change("service") { $0.fill(zero: "port", 443) } },
        columns: Table.Columns([.name, "Service", "Available", .age]) { object, now in
            let service = object.spec["service"]
            let name = service.isNull ? "Local" : "\(service["namespace"].string ?? "")/\(service["name"].string ?? "")"
            let available = object.condition("Available")
            let reason = available.flatMap { $0.isTrue || $0.reason.isEmpty ? nil : " (\($0.reason))" } ?? ""
            return [
                .string(object.name), .string(name), .string((available?.status ?? "Unknown") + reason),
                object.age(now),
            ]
        },
        strategy: Strategy().keepingInStatus(Strategy.clientMetadata), isReconciled: false)
}

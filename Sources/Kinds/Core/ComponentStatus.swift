import APIMachinery
import KubernetesModel

extension Kind {
    static let componentStatus = Kind(
        Group.core.row(
            "componentstatuses", "ComponentStatus", namespaced: false, short: ["cs"], verbs: ["get", "list"]),
        columns: Table.Columns([.name, "Status", "Message", "Error"]) { object, _ in
            let healthy = object["conditions"].items.first { $0["type"] == "Healthy" } ?? [:]
            return [
                .string(object.name), healthy["status"] == "True" ? "Healthy" : "Unhealthy",
                .string(healthy["message"].string ?? ""), .string(healthy["error"].string ?? ""),
            ]
        },
        deprecation: "v1 ComponentStatus is deprecated in v1.19+")
}
